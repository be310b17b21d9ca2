"""Bitmaps -> outcomes: which rules hit a message in order, its *way*, is all that its outcome depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mailml.flow.batch.bitmaps import Bits, Packed, count, full, unpack
from mailml.flow.flow import Flow, Rule
from mailml.verdict import Outcome

Numbers = npt.NDArray[np.integer[Any]]
Way = tuple[int, ...]
_MOST_SETS = 128  # ways kept as sets of messages; beyond, a number per message is quicker
_SCHEMA: Mapping[str, Any] = {
    "queue": pl.String,
    "priority": pl.Int64,
    "tags": pl.List(pl.String),
    "ack": pl.Boolean,
    "ack_template": pl.String,
    "sla": pl.String,
    "file": pl.String,
    "rule": pl.String,
}


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The outcome of every message, in order, as one small number each.

    `different` are the outcomes there are, without traces; message n has `different[number[n]]`.
    """

    different: tuple[Outcome, ...]
    number: Numbers

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, row: int) -> Outcome:
        return self.different[int(self.number[row])]

    @cached_property
    def frequencies(self) -> npt.NDArray[np.int64]:
        """How many messages have each of the different outcomes."""
        return np.bincount(self.number, minlength=len(self.different))

    def counts(self, name: str = "queue") -> dict[Any, int]:
        """Messages per queue, rule, file, priority, …: the most frequent first."""
        found: dict[Any, int] = {}
        for outcome, many in zip(self.different, self.frequencies.tolist(), strict=True):
            value = getattr(outcome, name)
            found[value] = found.get(value, 0) + many
        return dict(sorted(((v, n) for v, n in found.items() if n), key=lambda pair: -pair[1]))

    def where(self, holds: Callable[[Outcome], bool]) -> Bits:
        """Which messages have an outcome of which this holds."""
        return np.array([holds(one) for one in self.different], np.bool_)[self.number]

    def table(self) -> pl.DataFrame:
        """One row per message: a column for each field of `Outcome` but the trace."""
        rows = [
            {name: getattr(one, name) for name in _SCHEMA} | {"tags": list(one.tags)}
            for one in self.different
        ]
        return pl.DataFrame(rows, schema=dict(_SCHEMA))[self.number]


def walk(flow: Flow, rows: int, fits: Callable[[Rule], Packed]) -> Outcomes:
    """Walk the rules for all messages at once."""
    found = _by_sets(flow, rows, fits)
    ways, number = _by_numbers(flow, rows, fits) if found is None else found
    return Outcomes(tuple(flow.outcome([flow.rules[n] for n in way]) for way in ways), number)


def _by_sets(flow: Flow, rows: int, fits: Callable[[Rule], Packed]) -> tuple[list[Way], Numbers] | None:
    """Each way with the set of its messages; None when there are too many ways."""
    walking: dict[Way, Packed] = {(): full(rows)}
    ended: list[tuple[Way, Packed]] = []
    for n, rule in enumerate(flow.rules):
        answers = fits(rule)
        for way, messages in list(walking.items()):
            hit = messages & answers
            if not hit.any():
                continue
            walking[way] = messages & ~answers
            if rule.continue_:
                walking[(*way, n)] = hit
            else:
                ended.append(((*way, n), hit))
        if len(walking) + len(ended) > _MOST_SETS + len(flow.rules):
            return None
    sets = [*ended, *((way, messages) for way, messages in walking.items() if messages.any())]
    return [way for way, _ in sets], _numbered([messages for _, messages in sets], rows)


def _numbered(sets: Sequence[Packed], rows: int) -> Numbers:
    """For each message the number of the one set that it is in, put together bit by bit."""
    number: Numbers = np.zeros(rows, np.uint8 if len(sets) <= 256 else np.uint16)
    for bit in range(max(len(sets) - 1, 0).bit_length()):
        plane = np.zeros((rows + 7) // 8, np.uint8)
        for n, messages in enumerate(sets):
            if n >> bit & 1:
                plane |= messages
        # on the right side of the equation, so that a plane is widened before it is shifted
        number = number | unpack(plane, rows).astype(number.dtype) << bit
    return number


def _by_numbers(flow: Flow, rows: int, fits: Callable[[Rule], Packed]) -> tuple[list[Way], Numbers]:
    """For each message the number of its way so far, renamed wherever a rule hits."""
    number, walking = np.zeros(rows, np.uint32), np.ones(rows, np.bool_)
    ways: list[Way] = [()]
    for n, rule in enumerate(flow.rules):
        answers = fits(rule)
        if not count(answers):
            continue
        hit = walking & unpack(answers, rows)
        before = number[hit]
        renamed = np.zeros(len(ways), np.uint32)
        for old in np.flatnonzero(np.bincount(before, minlength=len(ways))).tolist():
            renamed[old] = len(ways)
            ways.append((*ways[old], n))
        number[hit] = renamed[before]
        if not rule.continue_:
            walking &= ~hit
    used, back = np.unique(number, return_inverse=True)
    return [ways[n] for n in used.tolist()], back.astype(np.uint32)
