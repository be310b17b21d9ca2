"""What an RE2 pattern cannot match without: literal pieces of text, and a wider pattern that is cheap.

Over an archive a pattern is searched only where its pieces stand, or where the wider pattern matches. Both
are conservative: what is not understood says "anything may match".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_CLASSES = {"d": "[0-9]", "w": "[0-9A-Za-z_]", "s": "[\\t\\n\\f\\r ]"}
_BLANKS = {"t": "\\t", "n": "\\n", "f": "\\f", "r": "\\r", "v": "\\x0b", "a": "\\x07"}
_REPEAT = re.compile(r"\*|\+|\?|\{(\d+)(,(\d*))?\}")
_FLAGS = re.compile(r"\?([imsU]*)(-[imsU]+)?([:)])")
_NAMED = re.compile(r"\?P?<\w+>")
# a positive class of which both engines think the same: letters, digits, harmless signs, ranges of letters
_PLAIN_CLASS = re.compile(r"\[(?:[a-zA-Z0-9](?:-[a-zA-Z0-9])?|[ _.,:/@%=!?#'\"]|\\[dws.\-/])+\]")
_ANY_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\p\{[^}]*\}|\\.|[^\]\\])*\]", re.DOTALL)
_SHORTEST = 2  # letters: a single one stands in every mail


@dataclass(frozen=True, slots=True)
class Needs:
    """`pieces`: lower-case ASCII texts of which one stands wherever the pattern matches; () if none is known.

    `wider` is a pattern of Rust's `regex` that matches wherever RE2's does, "" if none is known.
    """

    pieces: tuple[str, ...] = ()
    wider: str = ""


class _UnknownError(Exception):
    """The pattern uses something that is not understood here."""


@dataclass(slots=True)
class _Part:
    exact: str | None = None  # the one text it matches
    pieces: frozenset[str] | None = None
    wider: str | None = None


@lru_cache(maxsize=4096)
def needs_of(pattern: str) -> Needs:
    """What a valid RE2 pattern needs; nothing where it is not understood."""
    try:
        reader = _Reader(pattern)
        part = reader.alternatives()
        if reader.at < len(pattern):
            return Needs()
    except (_UnknownError, RecursionError):
        return Needs()
    pieces = part.pieces if part.exact is None else frozenset([part.exact])
    if pieces is not None and min(map(len, pieces)) < _SHORTEST:
        pieces = None
    wider = "" if part.wider is None else ("(?i)" if reader.ignores_case else "") + part.wider
    return Needs(tuple(sorted(pieces or ())), wider)


class _Reader:
    """Walks a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at, self.ignores_case = pattern, 0, False

    def alternatives(self) -> _Part:
        parts = [self._sequence()]
        while self.pattern.startswith("|", self.at):
            self.at += 1
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        needed = [part.pieces if part.exact is None else frozenset([part.exact]) for part in parts]
        wider = [part.wider for part in parts]
        known = [one for one in needed if one is not None]
        return _Part(
            pieces=frozenset().union(*known) if len(known) == len(parts) else None,
            wider=None if None in wider else f"(?:{'|'.join(one or '' for one in wider)})",
        )

    def _sequence(self) -> _Part:
        run, best, exact, wider = "", None, True, list[str | None]()
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._repeated(self._atom())
            wider.append(part.wider)
            if part.exact is not None:
                run += part.exact
                continue
            exact, best, run = False, _better(best, run), ""
            best = part.pieces if part.pieces and _worth(part.pieces) > _worth(best) else best
        best = _better(best, run)
        known = None if None in wider else "".join(one or "" for one in wider)
        return _Part(run, None, known) if exact else _Part(None, best, known)

    def _repeated(self, part: _Part) -> _Part:
        while repeat := _REPEAT.match(self.pattern, self.at):
            self.at = repeat.end()
            wider = None if part.wider is None else f"(?:{part.wider}){repeat[0]}"
            least = int(repeat[1]) if repeat[1] else int(repeat[0] == "+")
            pieces = part.pieces if part.exact is None else frozenset([part.exact])
            part = _Part(None, pieces if least else None, wider)
            if self.pattern.startswith("?", self.at):  # as few as possible: the same texts match
                self.at += 1
        return part

    def _atom(self) -> _Part:
        letter = self.pattern[self.at]
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        self.at += 1
        if letter == "\\":
            return self._escape()
        if letter in "^$":
            return _Part("", None, "")
        if letter == ".":
            return _Part()
        if letter in "*+?":
            raise _UnknownError
        return _letter(letter)

    def _group(self) -> _Part:
        self.at += 1
        if named := _NAMED.match(self.pattern, self.at):
            self.at = named.end()
        elif flags := _FLAGS.match(self.pattern, self.at):
            self.at = flags.end()
            self.ignores_case |= "i" in flags[1]
            if flags[3] == ")":
                return _Part("", None, "")
        elif self.pattern.startswith("?", self.at):
            raise _UnknownError
        part = self.alternatives()
        if not self.pattern.startswith(")", self.at):
            raise _UnknownError
        self.at += 1
        return _Part(part.exact, part.pieces, None if part.wider is None else f"(?:{part.wider})")

    def _class(self) -> _Part:
        plain = _PLAIN_CLASS.match(self.pattern, self.at)
        found = plain or _ANY_CLASS.match(self.pattern, self.at)
        if found is None:
            raise _UnknownError
        self.at = found.end()
        if plain is None:
            return _Part()
        inner = re.sub(r"\\([dws])", lambda escape: _CLASSES[escape[1]][1:-1], plain[0][1:-1])
        return _Part(None, None, f"[{inner}]")

    def _escape(self) -> _Part:
        letter = self.pattern[self.at] if self.at < len(self.pattern) else ""
        self.at += 1
        if letter in _CLASSES and letter:
            return _Part(None, None, _CLASSES[letter])
        if letter in _BLANKS and letter:
            return _Part(None, None, _BLANKS[letter])
        if letter in "bBAz" and letter:
            return _Part("", None, "")
        if letter in "DWS" and letter:
            return _Part()
        if letter.isascii() and letter and not letter.isalnum():
            return _letter(letter)
        raise _UnknownError  # \Q, \pN, \x41, \123, \C


def _letter(letter: str) -> _Part:
    if not letter.isascii():
        return _Part()
    # ; and ` may come of another letter when the text is composed
    wider = None if letter in ";`" else re.escape(letter) if letter > " " else f"\\x{ord(letter):02x}"
    return _Part(letter.lower(), None, wider)


def _better(best: frozenset[str] | None, run: str) -> frozenset[str] | None:
    found = frozenset([run]) if run else None
    return found if found and _worth(found) > _worth(best) else best


def _worth(pieces: frozenset[str] | None) -> tuple[int, int]:
    """Long pieces stand in few mails; of equally long ones, few."""
    return (min(map(len, pieces)), -len(pieces)) if pieces else (0, 0)
