"""What an RE2 pattern cannot match without: literal pieces, runs of characters, and a wider pattern.

Over an archive a pattern is searched only where these stand, which is cheaper to see. All are conservative:
what is not understood says "anything may match".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mailml.flow.runs import LONGEST, Run, Side, members, rarer

_CLASSES = {"d": "[0-9]", "w": "[0-9A-Za-z_]", "s": "[\\t\\n\\f\\r ]"}
_BLANKS = {"t": "\\t", "n": "\\n", "f": "\\f", "r": "\\r", "v": "\\x0b", "a": "\\x07"}
_REPEAT = re.compile(r"\*|\+|\?|\{(\d+)(,(\d*))?\}")
_FLAGS = re.compile(r"\?([imsU]*)(-[imsU]+)?([:)])")
_NAMED = re.compile(r"\?P?<\w+>")
# a positive class of which both engines think the same: letters, digits, harmless signs, ranges of letters
_PLAIN_CLASS = re.compile(
    r"\[(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[a-zA-Z0-9]|[ _.,:/@%=!?#'\"]|\\[dws.\-/])+\]"
)
_ANY_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\p\{[^}]*\}|\\.|[^\]\\])*\]", re.DOTALL)
_SHORTEST = 2  # letters: a single one stands in every mail


@dataclass(frozen=True, slots=True)
class Needs:
    """`pieces`: lower-case ASCII texts of which one stands wherever the pattern matches; () if none is known.

    `run` are classes of ASCII characters that stand side by side wherever it matches, () if none is known.
    `wider` is a pattern of Rust's `regex` that matches wherever RE2's does, "" if none is known; with
    `lowered` it wants the text with its ASCII in lower case.
    """

    pieces: tuple[str, ...] = ()
    run: Run = ()
    wider: str = ""
    lowered: bool = False


class _UnknownError(Exception):
    """The pattern uses something that is not understood here."""


@dataclass(frozen=True, slots=True)
class _Part:
    exact: str | None = None  # the one text it matches, in lower case
    pieces: frozenset[str] | None = None
    wider: str | None = None
    fixed: Run | None = None  # the characters it matches, where it is of one length
    edge: Run = ()  # the characters that it begins with, and those that it ends with
    run: Run = ()  # the best run somewhere inside

    @property
    def needed(self) -> frozenset[str] | None:
        """The texts of which one stands wherever it matches."""
        return self.pieces if self.exact is None else frozenset([self.exact])


_NOTHING = _Part("", None, "", ())  # \b, ^, $


@lru_cache(maxsize=4096)
def needs_of(pattern: str) -> Needs:
    """What a valid RE2 pattern needs; nothing where it is not understood."""
    reader = _Reader(pattern)
    try:
        part = reader.alternatives()
    except (_UnknownError, RecursionError):
        return Needs()
    if reader.at < len(pattern):
        return Needs()
    pieces, wider, run = part.needed, part.wider or "", rarer(part.run, part.fixed or ())
    if pieces is not None and min(map(len, pieces)) < _SHORTEST:
        pieces = None
    if reader.ignores_case:
        # a pattern in lower case is searched ten times as fast as one that ignores case
        wider, run = wider.lower(), tuple(one.lower() + one.upper() for one in run)
    return Needs(tuple(sorted(pieces or ())), run, wider, reader.ignores_case)


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
        known = [part.needed for part in parts if part.needed is not None]
        wider = [part.wider for part in parts if part.wider is not None]
        return _Part(
            pieces=frozenset().union(*known) if len(known) == len(parts) else None,
            wider=f"(?:{'|'.join(wider)})" if len(wider) == len(parts) else None,
        )

    def _sequence(self) -> _Part:
        text, best, side, parts = "", None, Side(), list[_Part]()
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._repeated(self._atom())
            parts.append(part)
            side.add(part.fixed, part.edge, part.run)
            if part.exact is not None:
                text += part.exact
                continue
            best, text = _better(best, text), ""
            best = part.pieces if part.pieces and _worth(part.pieces) > _worth(best) else best
        exact = all(part.exact is not None for part in parts)
        wider = [part.wider for part in parts if part.wider is not None]
        return _Part(
            exact=text if exact else None,
            pieces=None if exact else _better(best, text),
            wider="".join(wider) if len(wider) == len(parts) else None,
            fixed=side.fixed,
            run=side.best,
        )

    def _repeated(self, part: _Part) -> _Part:
        while repeat := _REPEAT.match(self.pattern, self.at):
            self.at = repeat.end()
            least = int(repeat[1]) if repeat[1] else int(repeat[0] == "+")
            once = repeat[1] is not None and repeat[2] is None
            edge = part.fixed * min(least, LONGEST) if part.fixed else ()
            part = _Part(
                pieces=part.needed if least else None,
                wider=None if part.wider is None else f"(?:{part.wider}){repeat[0]}",
                fixed=edge if once and part.fixed is not None and least <= LONGEST else None,
                edge=edge,
                run=rarer(part.run, edge) if least else (),
            )
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
            return _NOTHING
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
                return _NOTHING
        elif self.pattern.startswith("?", self.at):
            raise _UnknownError
        part = self.alternatives()
        if not self.pattern.startswith(")", self.at):
            raise _UnknownError
        self.at += 1
        return replace(part, wider=None if part.wider is None else f"(?:{part.wider})")

    def _class(self) -> _Part:
        plain = _PLAIN_CLASS.match(self.pattern, self.at)
        found = plain or _ANY_CLASS.match(self.pattern, self.at)
        if found is None:
            raise _UnknownError
        self.at = found.end()
        if plain is None:
            return _Part()
        inner = re.sub(r"\\([dws])", lambda escape: _CLASSES[escape[1]][1:-1], plain[0][1:-1])
        return _one_of(f"[{inner}]")

    def _escape(self) -> _Part:
        letter = self.pattern[self.at : self.at + 1]
        self.at += 1
        if known := _CLASSES.get(letter) or _BLANKS.get(letter):
            return _one_of(known)
        if letter in ("b", "B", "A", "z"):
            return _NOTHING
        if letter in ("D", "W", "S"):
            return _Part()
        if letter.isascii() and letter and not letter.isalnum():
            return _letter(letter)
        raise _UnknownError  # \Q, \pN, \x41, \123, \C


def _letter(letter: str) -> _Part:
    if not letter.isascii():
        return _Part()
    if letter in ";`":  # they may come of another letter when the text is composed
        return _Part(letter)
    wider = re.escape(letter) if letter > " " else f"\\x{ord(letter):02x}"
    return _Part(letter.lower(), None, wider, (letter,))


def _one_of(pattern: str) -> _Part:
    return _Part(wider=pattern, fixed=(members(pattern),))


def _better(best: frozenset[str] | None, text: str) -> frozenset[str] | None:
    found = frozenset([text]) if text else None
    return found if found and _worth(found) > _worth(best) else best


def _worth(pieces: frozenset[str] | None) -> tuple[int, int]:
    """Long pieces stand in few mails; of equally long ones, few."""
    return (min(map(len, pieces)), -len(pieces)) if pieces else (0, 0)
