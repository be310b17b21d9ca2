"""The subject without what mail programs and lists put before it."""

from __future__ import annotations

import re
import unicodedata

from mailml.thread.references import find_references

# "Re" and "Fwd" as the localised versions of Outlook and its kin write them
_REPLY = (
    "re|aw|antw|antwort|sv|vs|rif|r|rép|res|resp|odp|ynt|yan|atb|bls|vá|ang|"
    "отв|ответ|на|απ|σχετ|回复|回覆|答复|答覆|返信|답장|회신|رد|השב|תגובה|ตอบ|ตอบกลับ"
)
_FORWARD = (
    "fw|fwd|wg|weitergeleitet|vb|vl|vr|tr|i|rv|enc|pd|pdl|ilt|i̇lt|trs|továbbítás|doorst|vid|videresendt|"
    "пер|переслать|пересл|πρθ|转发|轉寄|轉發|転送|전달|إعادة توجيه|הועבר|ส่งต่อ|auto"
)
# "Re[2]:", "RE^3:", "Re (4) :" count their turns; a wide colon ends East Asian prefixes
_PREFIX = re.compile(
    rf"\s*(?:{_REPLY}|{_FORWARD})\s?(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s?[:：]", re.IGNORECASE
)
_TAG = re.compile(r"\s*\[[^\[\]]{1,60}\]")  # [list-name], [EXTERNAL], [#K7Q2-9M4D]
LONGEST_SUBJECT = 500  # characters of an interaction's subject that are kept
_LONGEST = 2_000  # characters read; nobody groups by what stands after them


def normal_subject(subject: str) -> str:
    """The subject as a key to group by: without reply and forward prefixes and tags, folded, single-spaced.

    `RE: [acme-users] AW: Druckér  kaputt` gives `druckér kaputt`. NFKC and case-folding make one of the
    spellings that mean the same. A subject that is nothing but a tag keeps it; an empty one stays empty.
    Linear in the length of the subject.
    """
    text = subject[:_LONGEST]
    rest = text[_after_prefixes(text) :]
    if not rest.strip():
        rest = "" if find_references(text) else text[_after(text, _PREFIX) :]
    return " ".join(unicodedata.normalize("NFKC", rest).casefold().split())


def is_marked(subject: str) -> bool:
    """Whether the subject says that it answers or forwards something ("Re:", "AW:", "Antwort[2]:")."""
    text = subject[:_LONGEST]
    at = 0
    while match := _TAG.match(text, at):
        at = match.end()
    return _PREFIX.match(text, at) is not None


def _after_prefixes(text: str) -> int:
    """Where the subject proper begins: past any sequence of prefixes and tags."""
    at = 0
    while match := _PREFIX.match(text, at) or _TAG.match(text, at):
        at = match.end()
    return at


def _after(text: str, pattern: re.Pattern[str]) -> int:
    at = 0
    while match := pattern.match(text, at):
        at = match.end()
    return at
