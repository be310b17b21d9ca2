"""A question about text -> how it is answered for many texts: what to look for first, and what is sure.

Folding a text costs a hundred times as much as looking for a few letters in it. So every question names
*pieces*, lower-case ASCII letters of which some must stand in whatever fits, and where it can a *sure*
pattern that settles most texts as they were written. Only where both leave a doubt is a text folded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailml.flow.conditions import Ask
from mailml.flow.folding import fold_expected
from mailml.flow.patterns import needs_of
from mailml.flow.runs import Run, rarest

# What `fold` makes one blank of, wherever it stands …
_BLANKS = r"[\t-\r \x{85}\x{a0}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"
# … and what may follow a letter without being composed with it.
_APART = r"(?:[\x00-\x7f]|\z)"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one question is answered.

    `pieces`: every fitting text has one of them, once its ASCII is lower-case, or holds a letter that folds
    into an ASCII one (`letters.lettering`); () where nothing is known. `sure`: a pattern of lower-case text;
    what matches it fits, and ASCII text fits only if it does. `hint`: a pattern that lower-case text without
    a letter that changes into ASCII must match to fit. `runs` and `wider`: text as it was written has one
    of these runs, and matches one of these patterns, or holds a letter as for `pieces`. `foreign`: only text
    that is not all ASCII can fit.
    """

    ask: Ask
    expected: tuple[str, ...]  # folded, or patterns
    pieces: tuple[str, ...] = ()
    sure: str = ""
    hint: str = ""
    runs: tuple[Run, ...] = ()
    wider: tuple[tuple[str, bool], ...] = ()  # each with whether it wants lower case
    foreign: bool = False

    @property
    def as_written(self) -> bool:
        """Whether the text is searched as it was written rather than folded."""
        return self.ask.operator == "matches"


@lru_cache(maxsize=4096)
def plan_of(ask: Ask) -> Plan:
    """The plan for `is`, `contains`, `starts_with`, `ends_with` or `matches`."""
    if ask.operator == "matches":
        return _matching(ask)
    needles = tuple(fold_expected(str(value)) for value in ask.expected)
    pieces = _all([_piece(needle.strip(" ")) for needle in needles])
    plain = all(needle.isascii() for needle in needles)
    foreign = not any(needle.isascii() for needle in needles)
    if ask.operator != "contains" or not plain or any(needle != needle.strip(" ") for needle in needles):
        return Plan(ask, needles, pieces, foreign=foreign)
    sure = "|".join(_spaced(needle) + _APART for needle in needles)
    return Plan(ask, needles, pieces, sure, "|".join(map(_hint, needles)))


def _spaced(needle: str) -> str:
    return _BLANKS.join(map(re.escape, needle.split(" ")))


def _hint(needle: str) -> str:
    """The needle as it may stand in any text: `ss` may be ß, and an `s` at its edge a half of one."""
    return re.sub("ss+", _sharp, _spaced(needle.strip("s")))


def _sharp(run: re.Match[str]) -> str:
    return "(?:ss|ß|ẞ)" if len(run[0]) == 2 else "[sßẞ]+"


def _matching(ask: Ask) -> Plan:
    expected = tuple(str(value) for value in ask.expected)
    needs = [needs_of(value) for value in expected]
    pieces = (
        [_longest(piece) for one in needs for piece in one.pieces] if all(n.pieces for n in needs) else []
    )
    wider = tuple((one.wider, one.lowered) for one in needs) if all(n.wider for n in needs) else ()
    runs = tuple(one.run for one in needs) if all(rarest(one.run) is not None for one in needs) else ()
    return Plan(ask, expected, _all(pieces), runs=runs, wider=wider)


def _all(pieces: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pieces)) if all(pieces) else ()


def _piece(needle: str) -> str:
    """The longest stretch of ASCII letters and digits that folding leaves as they stand, "" if there is none.

    A stretch ends at `ss`, or an `s` at the edge of the needle: it may have been ß, or a half of it.
    """
    return _longest(re.sub("^s+|s+$|ss+", " ", needle))


def _longest(text: str) -> str:
    return max(re.findall("[a-z0-9]+", text), key=len, default="")
