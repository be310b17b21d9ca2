"""What subjects say of automatic mail in many languages; the words are data in subjects.toml."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

LONGEST_SUBJECT = 400  # what is compared of a subject; the longest localised phrase has 60 characters


class Echo(NamedTuple):
    """A subject that starts as automatic replies do: the phrase, its language, and what stood before it."""

    phrase: str
    language: str
    mark: str  # "", "re" or "fwd": a reply or forward mark stands before the phrase
    sure: bool  # False for words such as "Urlaub:", which people use as a topic
    echoed: bool  # the rest is our own subject, echoed
    dated: bool = False  # "Out of office until Monday": no colon, a time follows; people type it too


@dataclass(frozen=True)
class Phrases:
    """Folded phrases with their language, by their first two characters."""

    by_start: dict[str, list[tuple[str, str]]]

    def match(self, folded: str, *, whole: bool) -> tuple[str, str] | None:
        """The longest phrase the text starts with; `whole` asks for a colon or the end after it."""
        for key in (folded[:2], folded[:1]):
            for phrase, language in self.by_start.get(key, ()):
                if folded.startswith(phrase) and (not whole or _ends_here(folded, len(phrase))):
                    return phrase, language
        return None


@cache
def vocabulary() -> dict[str, Phrases]:
    """The phrases of subjects.toml by section, as its head describes them."""
    return {name: _indexed(by_language) for name, by_language in written().items()}


def written() -> dict[str, dict[str, dict[str, str]]]:
    """subjects.toml as it stands: section -> language -> phrase -> where the phrase comes from."""
    return {name: section for name, section in _read().items() if name not in ("sources", "times")}


def sources() -> dict[str, str]:
    """The documents that phrases are taken from, by the key that stands at each phrase."""
    return dict(_read()["sources"])


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(files("mailml.autoreply").joinpath("subjects.toml").read_text("utf-8"))


def languages() -> frozenset[str]:
    """The languages with at least one automatic-reply phrase (ISO 639-1)."""
    entries = vocabulary()["replies"].by_start.values()
    return frozenset(language for bucket in entries for _, language in bucket)


def fold(text: str) -> str:
    """The text as phrases are compared: NFKC, case-folded, no accents, no marks of direction, single spaces.

    Capitals lose their accents in Greek and gain a dot in Turkish, and many people type none at all.
    """
    if text.isascii():
        return " ".join(text[:LONGEST_SUBJECT].lower().split())
    flat = (
        unicodedata.normalize("NFKC", text[:LONGEST_SUBJECT]).replace("’", "'").casefold().replace("ı", "i")
    )
    apart = unicodedata.normalize("NFD", flat)
    # only the accents of Latin, Greek and Cyrillic: elsewhere marks are letters
    visible = (
        char for char in apart if not "\u0300" <= char <= "\u036f" and unicodedata.category(char) != "Cf"
    )
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split())


@lru_cache(maxsize=32)
def strip_tags(subject: str) -> str:
    """The subject without leading [list] and ***SPAM*** tags. Linear."""
    rest = subject[:LONGEST_SUBJECT].strip()
    for _ in range(5):
        shorter = _TAG.sub("", rest, count=1)
        if shorter == rest:
            break
        rest = shorter
    return rest


def reply_echo(subject: str) -> Echo | None:
    """The automatic-reply phrase the subject starts with, after tags and reply marks, or None."""
    tagged = _tag_echo(subject)
    if tagged:
        return tagged
    mark, rest = _unmarked(subject)
    for section in ("replies", "topics"):
        found = vocabulary()[section].match(rest, whole=True)
        if found:
            echoed = ":" in rest[len(found[0]) :].replace("：", ":")
            return Echo(*found, mark, sure=section == "replies", echoed=echoed)
    begins = vocabulary()["replies"].match(rest, whole=False)
    if begins and _is_time(rest[len(begins[0]) :]):
        return Echo(*begins, mark, sure=True, echoed=False, dated=True)
    away = _AWAY.fullmatch(rest) if len(rest) <= 160 and " o" in rest else None
    dated = rest.startswith(("i ", "i'm ", "we ", "we're "))
    return Echo(away[0], "en", mark, sure=True, echoed=False, dated=dated) if away else None


def _tag_echo(subject: str) -> Echo | None:
    """The phrase inside a leading tag: "[Auto-Reply] Invoice", "【自動返信】請求書"."""
    inside = _ECHO_TAG.match(subject[:LONGEST_SUBJECT])
    found = vocabulary()["replies"].match(fold(inside[1]), whole=True) if inside else None
    return Echo(*found, "", sure=True, echoed=True) if found else None


def bounce_phrase(subject: str, *, forwarded: bool = False) -> str:
    """The phrase of a delivery report the subject starts with, or "". A Re or Fwd before it is a person's.

    `forwarded` asks for exactly those: the phrase behind a forward mark.
    """
    if forwarded:
        mark, folded = _unmarked(subject)
        if mark != "fwd":
            return ""
    else:
        folded = fold(strip_tags(subject))
    found = vocabulary()["bounces"].match(folded, whole=False)
    return found[0] if found else ""


def receipt_phrase(subject: str) -> str:
    """The phrase of a read receipt the subject starts with ("Read: ..."), or ""."""
    found = vocabulary()["receipts"].match(fold(strip_tags(subject)), whole=True)
    return found[0] if found else ""


def is_forward_or_reply(subject: str) -> bool:
    """Whether the subject starts with a reply or forward mark of any of the languages."""
    return _unmarked(subject)[0] != ""


@lru_cache(maxsize=32)
def _unmarked(subject: str) -> tuple[str, str]:
    """The outermost mark ("", "re", "fwd") and the folded rest after tags and all marks."""
    rest, mark = fold(strip_tags(subject)), ""
    for _ in range(6):
        found = _mark(rest)
        if not found:
            break
        kind, length = found
        mark = mark or kind
        rest = fold(strip_tags(rest[length:]))
    return mark, rest


def _mark(folded: str) -> tuple[str, int] | None:
    head = _MARK.match(folded)
    if not head:
        return None
    words = vocabulary()
    for kind, section in (("re", "reply_marks"), ("fwd", "forward_marks")):
        if words[section].match(head[1] + ":", whole=True):
            return kind, head.end()
    return None


def _ends_here(folded: str, length: int) -> bool:
    # "Out of office settings do not work" is prose; a colon, the end or "Re: ..." makes a prefix of it.
    rest = folded[length:].strip(" .!。-")
    return not rest or rest[0] in ":：" or (folded[length] in " -" and rest.startswith(_ECHOED_MARKS))


def _is_time(rest: str) -> bool:
    """Whether a time and nothing else follows: "until Monday", "bis 25. September", "16. - 27. 9. Re: x"."""
    head = _ECHOED.split(rest, maxsplit=1)[0]
    words = head.strip(" ,.()-–").split()
    if rest[:1] not in (" ", ",") or not 1 <= len(words) <= 8 or any(char in head for char in "?!:："):
        return False
    times = _times()
    if words[0] in times["until"]:
        return 1 < len(words) <= 6
    if words[0] in times["from"]:
        words = words[1:]
    # "Out of office 2019 server broken" is prose: each word has a digit, follows one, or joins two
    near = zip(["", *words], words, strict=False)
    return bool(words) and all(
        _dates(word) or _dates(before) or word in times["joins"] for before, word in near
    )


@cache
def _times() -> dict[str, frozenset[str]]:
    return {name: frozenset(map(fold, words)) for name, words in _read()["times"].items()}


def _dates(word: str) -> bool:
    return any(char.isdigit() for char in word)


def _indexed(by_language: Mapping[str, Iterable[str]]) -> Phrases:
    index: dict[str, list[tuple[str, str]]] = {}
    for phrase, language in _longest_first(by_language):
        index.setdefault(phrase[:2], []).append((phrase, language))
    return Phrases(index)


def _longest_first(by_language: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, str]]:
    pairs = {(fold(phrase), language) for language, phrases in by_language.items() for phrase in phrases}
    return sorted(pairs, key=lambda pair: (-len(pair[0]), pair))


_TAG = re.compile(r"^\s*(?:\[[^\[\]]{1,60}\]|\*{2,5}[^*]{1,30}\*{2,5}|\{[^{}]{1,30}\})\s*")
_ECHO_TAG = re.compile(r"\s*[\[【(（<*]{1,3}([^\]】)）>*]{2,40})[\]】)）>*]{1,3}")
_ECHOED_MARKS = ("re:", "aw:", "fw:", "fwd:", "sv:", "wg:", "rv:", "tr:", "antw:", "odp:", "r:")
_ECHOED = re.compile(r" (?:re|aw|fwd?|sv|wg|rv|tr|antw|odp): ?")
_MARK = re.compile(r"^([^\s:：\[\]]{1,16})(?: ?\[\d{1,3}\]|\(\d{1,3}\))? ?[:：] *")
# Lotus Notes: "Jane Doe/Dublin/Acme is out of the office (returning 05/06/2024)"; a name, not a clause.
_AWAY = re.compile(
    r"(?!(?:who|what|when|while|if|how|why|where|whom|since|because|our|my|your|the|no|is|are|does)\b)"
    r"(?:[^\s:?]{1,60}(?: [^\s:?]{1,60}){0,4} (?:is|will be)|i am|i'm|we are|we're) (?:currently )?"
    r"(?:out of (?:the )?office|on (?:vacation|annual leave))"
    r"(?: (?:until|till|from|returning|back|and|on)\b[^?]{0,80}| ?\([^)?]{0,60}\))?[.!]?"
)
