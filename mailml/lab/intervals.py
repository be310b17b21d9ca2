"""Shares with honest intervals: a rate from eleven messages must not look like one from eleven thousand."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Below this many cases a share is reported as "not enough data" beside its interval.
ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with its Wilson interval `low`..`high` (fractions of 1)."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself; NaN when there are no cases."""
        return self.hits / self.of if self.of else math.nan

    @property
    def enough(self) -> bool:
        """Whether there are enough cases to say anything."""
        return self.of >= ENOUGH

    def __str__(self) -> str:
        if not self.of:
            return "no cases"
        text = f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, n={self.of:,})"
        return text if self.enough else f"{text}: few"


def wilson(hits: int, of: int, z: float = 1.959964) -> Share:
    """The share `hits / of` with its Wilson score interval (Wilson 1927), 95% unless `z` says otherwise.

    Unlike the textbook interval it stays inside 0..1 and is honest at 0 and 100%. Without cases the interval
    is everything: 0..1.
    """
    if of < 0 or hits < 0 or hits > of:
        raise ValueError(f"{hits} of {of} is not a share")
    if not of:
        return Share(0, 0, 0.0, 1.0)
    p, squared = hits / of, z * z
    centre = p + squared / (2 * of)
    spread = z * math.sqrt(p * (1 - p) / of + squared / (4 * of * of))
    scale = 1 + squared / of
    low = 0.0 if hits == 0 else (centre - spread) / scale
    high = 1.0 if hits == of else (centre + spread) / scale
    return Share(hits, of, low, high)
