"""Characters that stand side by side wherever a pattern matches: two capitals and two digits, six digits.

A pattern without literal text still needs those, and bytes are compared a thousand at a time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import log2

Run = tuple[str, ...]  # for each place the characters that may stand there
LONGEST = 12
_FREQUENT = 20  # a small letter or a blank stands in text that many times as often as another character
_RARE = 40


class Side:
    """What stands side by side in a sequence, part after part."""

    def __init__(self) -> None:
        self._now: Run = ()
        self._best: Run = ()
        self._one_length = True

    def add(self, fixed: Run | None, edge: Run, inside: Run) -> None:
        """The next part: its characters where it is of one length, else those at both its ends."""
        if fixed is not None and len(self._now) < LONGEST:
            self._now += fixed
            return
        self._one_length = False
        self._best = rarer(rarer(self._best, self._now + edge), inside)
        self._now = fixed if fixed is not None else edge

    @property
    def fixed(self) -> Run | None:
        """All of its characters, where it is of one length."""
        return self._now if self._one_length else None

    @property
    def best(self) -> Run:
        """The rarest run in it."""
        return rarer(self._best, self._now)


@lru_cache(maxsize=256)
def members(pattern: str) -> str:
    """The ASCII characters that a plain class matches, which Python's `re` reads as RE2 does."""
    return "".join(letter for letter in map(chr, range(128)) if re.fullmatch(pattern, letter))


def rarer(one: Run, other: Run) -> Run:
    """The run that stands in fewer texts."""
    return one if _rareness(one) >= _rareness(other) else other


def rarest(run: Run) -> int | None:
    """The place of a run to look for first; None where all its characters stand in every text."""
    places = sorted(range(len(run)), key=lambda place: _frequency(run[place]))
    return places[0] if places and _frequency(run[places[0]]) <= _RARE else None


def _rareness(run: Run) -> float:
    """How rarely such characters stand side by side, in bits."""
    return sum(max(0.0, 7 - log2(_frequency(one))) for one in run)


def _frequency(one_of: str) -> float:
    return 1 + sum(_FREQUENT if letter.islower() or letter in " \n" else 1 for letter in one_of)
