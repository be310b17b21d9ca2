"""How time grows with the input: a law that holds on any machine, however busy."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ROUNDS = 3
CLEAR = 6.0  # no need to measure again


def growth(function: Callable[[Any], object], text: Any) -> float:
    """CPU time on four times the input over that on the input: near 4 if linear, near 16 if quadratic.

    The best of three rounds each; the input must be big enough to take a millisecond.
    """
    measured = []
    for _ in range(ROUNDS):
        measured.append(cpu(function, text * 4) / max(cpu(function, text), 1e-4))
        if measured[-1] < CLEAR:
            break
    # a neighbour can only add time: what is quadratic stays near 16 in every measurement
    return min(measured)


def cpu(function: Callable[[Any], object], value: Any) -> float:
    """The least CPU seconds of three calls."""
    best = float("inf")
    with undisturbed():
        for _ in range(ROUNDS):
            start = time.thread_time()
            function(value)
            best = min(best, time.thread_time() - start)
    return best


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block without the tracer of coverage and without the collector.

    A collection walks everything that the process holds, which says nothing about what is measured.
    """
    tracer = sys.gettrace()
    sys.settrace(None)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sys.settrace(tracer)
