"""Intervals by the bootstrap over whole groups: messages of one thread are not independent evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return "unknown"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def group_weights(groups: Ints, rounds: int = ROUNDS, seed: int = 7) -> Floats:
    """How often each row counts in each bootstrap round of whole groups: (rounds, rows)."""
    _, number = np.unique(groups, return_inverse=True)
    k = int(number.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(k, np.full(k, 1 / k), size=rounds) if k else np.zeros((rounds, 0))
    return np.asarray(drawn[:, number], dtype=np.float64)


def interval(
    figure: Callable[[Floats], Floats], groups: Ints, rounds: int = ROUNDS, seed: int = 7
) -> Interval:
    """The 95 % percentile interval of a weighted figure; it maps weights (rounds, rows) to (rounds,)."""
    weights = group_weights(groups, rounds, seed)
    value = float(figure(np.ones((1, len(groups))))[0])
    drawn = figure(weights)
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def mean(values: Floats, groups: Ints) -> Interval:
    """The mean of a column with its interval."""
    return interval(lambda w: _ratio(w @ values, w.sum(axis=1)), groups)


def paired_difference(one: Floats, other: Floats, groups: Ints) -> Interval:
    """The mean of `one - other`, row by row, with its interval: a paired test when it excludes 0."""
    return mean(np.asarray(one, dtype=np.float64) - other, groups)


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.asarray(np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0), dtype=float)
