"""Plain text -> what was written now, what was quoted, and the signature.

Every line is looked at a fixed number of times and only its first characters meet a regular expression, so
time is linear on any input; four of the known reply parsers hang for seconds on 100 KB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailml.text import phrases
from mailml.text.html import ATTRIBUTION, QUOTED
from mailml.text.signature import split_signature

LIMIT = 256 * 1024  # characters that are looked at
_LINE = 300  # characters of a line that meet a pattern
_ATTRIBUTION_LINES = 4


@dataclass(frozen=True, slots=True)
class Text:
    """What a customer wrote now (`own`), and everything else, still there.

    `everything` is the whole readable text; `truncated` tells that it was longer than what was looked at.
    """

    own: str
    everything: str
    quoted: str = ""
    signature: str = ""
    truncated: bool = False


def _any(words: str) -> str:
    """An alternation of literal phrases."""
    return "(?:" + "|".join(re.escape(word) for word in words.split("|")) + ")"


_QUOTE = re.compile(r"[ \t]{0,8}+[>›»]")
_WROTE = re.compile(rf"(?<!\w){_any(phrases.WROTE)}(?!\w)", re.IGNORECASE)
_DATED = re.compile(r"\d{4}|\d{1,2}[:.h]\d\d|\d{1,2}[./]\d{1,2}")
_MAILBOX = re.compile(
    r"<[^<>\s]{1,200}+@[^<>\s]{1,200}+>|[\w.+-]{1,64}+@[\w-]{1,64}+\.|\[mailto:", re.IGNORECASE
)
_COLON = (":", "：", ":*", ":_")
_ORIGINAL = re.compile(
    rf"[ \t>]{{0,8}}[-_=*\s]{{2,40}}+{_any(phrases.ORIGINAL)}\s*+[-_=*:\s]{{0,40}}$", re.IGNORECASE
)
_FORWARD = re.compile(
    rf"[ \t>]{{0,8}}(?:[-_=*\s]{{2,40}}+{_any(phrases.FORWARDED)}[-_=*:\s]{{0,40}}|{_any(phrases.FORWARDED)}\s*+[:：])\s*+$",
    re.IGNORECASE,
)
_FIELDS = tuple(
    re.compile(rf"[ \t>*_]{{0,8}}{_any(words)}[ \t]?[*_]{{0,2}}[ \t]?[:：]", re.IGNORECASE)
    for words in (phrases.FROM, phrases.SENT, phrases.TO, phrases.SUBJECT)
)
_RULE = re.compile(r"[ \t]*+[_\-=*]{5,}+[ \t]*+$")


def split_reply(plain: str) -> Text:
    """Own words, quoted history and signature of a plain text body."""
    everything = plain.replace("\r\n", "\n").replace("\r", "\n") if "\r" in plain else plain
    truncated = len(everything) > LIMIT
    lines = everything[:LIMIT].split("\n")
    own, quoted = _parted(lines)
    words, signature = split_signature(own)
    text = "\n".join(words).strip()
    everything = everything.replace(ATTRIBUTION, "").replace(QUOTED, "").strip()
    quote = "\n".join(quoted).replace(ATTRIBUTION, "").replace(QUOTED, "").strip("\n")
    return Text(text, everything, quote, "\n".join(signature).strip(), truncated)


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines written now and lines quoted, each in order."""
    own: list[str] = []
    quoted: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _QUOTE.match(line):
            quoted.append(line)
            at += 1
            continue
        cut = _cut(lines, at)
        if cut is None:
            own.append(line)
            at += 1
            continue
        until, hard = cut
        if hard and any(piece.strip() for piece in own):
            return own, quoted + lines[at:]
        if hard:  # nothing was written above: what was forwarded is all there is to read
            return lines[until:], quoted + lines[at:]
        quoted.extend(lines[at:until])
        at = until
    return own, quoted


def _cut(lines: list[str], at: int) -> tuple[int, bool] | None:
    """Whether quoted history begins here: where its heading ends, and whether all that follows is quoted."""
    line = lines[at][:_LINE]
    bare = line.strip()
    if not bare:
        return None
    if bare.startswith(QUOTED):
        return _heading(lines, at + 1), True
    if bare.startswith(ATTRIBUTION):
        return _attribution(lines, at) or (at + 1, False)
    if (bare[0] in "-_=*" and _ORIGINAL.match(line)) or _FORWARD.match(line):
        return _heading(lines, at + 1), True
    if _RULE.match(line) and _is_heading(lines, at + 1):
        return _heading(lines, at + 1), True
    if _FIELDS[0].match(line) and _is_heading(lines, at):
        return _heading(lines, at), True
    return _attribution(lines, at)


def _is_heading(lines: list[str], at: int) -> bool:
    """Whether a block of From/Sent/To/Subject lines stands here, in any language, in any order."""
    kinds: set[int] = set()
    blank = 0
    for line in lines[at : at + 8]:
        if not line.strip():
            blank += 1
            if kinds or blank > 2:
                break
            continue
        found = next((kind for kind, field in enumerate(_FIELDS) if field.match(line[:_LINE])), None)
        if found is None and not kinds:
            return False
        kinds |= {found} if found is not None else set()
    return (0 in kinds and len(kinds) >= 3) or {0, 3} <= kinds


def _heading(lines: list[str], at: int) -> int:
    """The line behind a block of header fields, if one stands here."""
    while at < len(lines) and not lines[at].strip(" \t\ue000\ue001_-"):
        at += 1
    if not _is_heading(lines, at):
        return at
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _attribution(lines: list[str], at: int) -> tuple[int, bool] | None:
    """ "On … wrote:" over up to four lines; the quote behind it has ">" or it is all the rest."""
    joined = ""
    for end in range(at, min(at + _ATTRIBUTION_LINES, len(lines))):
        piece = lines[end][:_LINE].strip()
        if not piece or _QUOTE.match(piece):
            return None
        joined = f"{joined} {piece}"
        if not piece.endswith(_COLON):
            continue
        spoken = _WROTE.search(joined) is not None
        followed = _next(lines, end + 1)
        quotes = bool(followed) and _QUOTE.match(followed) is not None
        marks = (_DATED.search(joined) is not None) + (_MAILBOX.search(joined) is not None)
        if (spoken and marks) or (quotes and (spoken or marks)) or lines[at].strip().startswith(ATTRIBUTION):
            return end + 1, not quotes
        return None
    return None


def _next(lines: list[str], at: int) -> str:
    """The next line with something on it, looked for a few lines ahead."""
    return next((line for line in lines[at : at + 4] if line.strip()), "")
