"""Intervals by the bootstrap over whole groups: messages of one thread are not independent evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDS = 300
_WIDTH = 3.92  # standard errors that a 95% interval spans
_MOST_CELLS = 30_000_000  # of the weight matrix; larger sets need fewer rounds for the same interval


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return "unknown"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def above_nothing(self, errors: float) -> bool:
        """Whether the value lies more than so many standard errors above 0."""
        return self.value > errors * (self.high - self.low) / _WIDTH

    def to_dict(self) -> dict[str, float | None]:
        """Value, low and high, rounded to 6 places; None where they are unknown."""
        named = {"value": self.value, "low": self.low, "high": self.high}
        return {name: round(float(v), 6) if np.isfinite(v) else None for name, v in named.items()}


class Bootstrap:
    """Resampling of whole groups with a fixed seed: the same rounds for every figure, so that they pair."""

    def __init__(self, groups: Ints, rounds: int = ROUNDS, seed: int = 7) -> None:
        _, number = np.unique(groups, return_inverse=True)
        k = int(np.max(number, initial=-1)) + 1
        rounds = max(50, min(rounds, _MOST_CELLS // max(len(number), 1)))
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(k, np.full(k, 1 / k), size=rounds) if k else np.zeros((rounds, 0))
        self._weights: Any = np.asarray(drawn[:, number], dtype=np.float32)
        self._ones: Any = np.ones((1, len(number)), dtype=np.float32)

    def interval(self, figure: Callable[[Floats], Floats]) -> Interval:
        """The 95% percentile interval of a weighted figure; it maps weights (rounds, rows) to (rounds,)."""
        value = float(figure(self._ones)[0])
        drawn = figure(self._weights)
        drawn = drawn[np.isfinite(drawn)]
        if not len(drawn) or not np.isfinite(value):
            return Interval(value, float("nan"), float("nan"))
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Interval(value, float(low), float(high))

    def mean(self, values: Floats | NDArray[np.bool_]) -> Interval:
        """The mean of a column."""
        column = np.asarray(values, dtype=np.float32)
        return self.interval(lambda w: ratio(w @ column, w.sum(axis=1)))

    def means(self, values: Floats) -> Floats:
        """The mean of a column in every round: (rounds,)."""
        column = np.asarray(values, dtype=np.float32)
        return ratio(self._weights @ column, self._weights.sum(axis=1))

    def share(self, hits: NDArray[np.bool_], of: NDArray[np.bool_]) -> Interval:
        """How many of the rows `of` are `hits`; unknown where there are none."""
        over, under = (hits & of).astype(np.float32), of.astype(np.float32)
        return self.interval(lambda w: ratio(w @ over, w @ under))


def paired_difference(one: Floats, other: Floats, groups: Ints) -> Interval:
    """The mean of `one - other`, row by row: a paired test when the interval excludes 0."""
    return Bootstrap(groups).mean(np.asarray(one, dtype=np.float64) - other)


def ratio(over: Floats, under: Floats) -> Floats:
    """Element by element, NaN where there is nothing to divide by."""
    return np.asarray(
        np.divide(over, under, out=np.full(np.shape(over), np.nan), where=under > 0), dtype=float
    )
