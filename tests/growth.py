"""How time grows with the input: a law that holds on any machine, however busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

ROUNDS = 3


def growth(function: Callable[[Any], object], text: Any) -> float:
    """CPU time on four times the input over that on the input: near 4 if linear, near 16 if quadratic.

    The best of three rounds each; the input must be big enough to take a millisecond.
    """
    return cpu(function, text * 4) / max(cpu(function, text), 1e-4)


def cpu(function: Callable[[Any], object], value: Any) -> float:
    """The least CPU seconds of three calls."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        function(value)
        best = min(best, time.process_time() - start)
    return best
