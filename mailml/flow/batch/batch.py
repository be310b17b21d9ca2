"""A whole archive's columns and every bitmap that was ever made of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from mailml.errors import InputError
from mailml.flow.batch.bitmaps import Bits, Growing, Packed, count, full, unpack
from mailml.flow.batch.columns import columns_of
from mailml.flow.batch.fields import answered, columns_for
from mailml.flow.batch.ways import Outcomes, walk
from mailml.flow.conditions import All, Ask, Condition, Not, asks_of
from mailml.flow.flow import Flow

Source = pl.DataFrame | str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


class Batch:
    """Messages in columns, and one bitmap for each distinct question that was asked of them.

    Only a question that was never asked before reads its column. So reordering rules recombines bitmaps, and
    a changed condition reads one column.
    """

    def __init__(self, messages: Source) -> None:
        """A frame as `frame` makes it, or Parquet files of such columns, which are read chunk by chunk.

        Only the columns that somebody asks for need to be there; a missing one raises InputError then.
        """
        self._columns = columns_of(messages)
        self._spelled: Mapping[str, str] = {name.lower(): name for name in self._columns.names}
        self._bitmaps: dict[Ask, Packed] = {}
        self.asked = 0  # questions that had to look at a column

    def __len__(self) -> int:
        return self._columns.height

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns.names)

    def prepare(self, asks: Iterable[Ask]) -> None:
        """Answer questions that are not answered yet, all in one reading of the columns they need."""
        new = [ask for ask in dict.fromkeys(asks) if ask not in self._bitmaps]
        if not new:
            return
        spelled = {ask: tuple(map(self._column, columns_for(ask))) for ask in new}
        names = list(dict.fromkeys(name for found in spelled.values() for name in found))
        groups: dict[str, list[Ask]] = {}
        for ask in new:
            groups.setdefault(spelled[ask][0], []).append(ask)
        growing = {ask: Growing() for ask in new}
        for chunk in self._columns.chunks(names):
            for name, group in groups.items():
                for ask, bits in answered(chunk, name, group).items():
                    growing[ask].add(bits)
        self._bitmaps |= {ask: one.packed() for ask, one in growing.items()}
        self.asked += len(new)

    def matches(self, condition: Condition) -> Bits:
        """One answer per message, in order."""
        return unpack(self.packed(condition), len(self))

    fits = matches

    def count(self, condition: Condition) -> int:
        """How many messages fit."""
        return count(self.packed(condition))

    def rows(self, condition: Condition, most: int | None = None, *, seed: int | None = None) -> list[int]:
        """Row numbers of fitting messages in order: the first `most`, or with `seed` as many at random."""
        found = np.flatnonzero(self.matches(condition))
        if most is not None and seed is not None and len(found) > most:
            found = np.sort(np.random.default_rng(seed).choice(found, most, replace=False))
        return [int(row) for row in found[:most]]

    def sample(
        self,
        condition: Condition,
        most: int = 10,
        columns: Sequence[str] = ("from_address", "subject"),
        *,
        seed: int | None = None,
    ) -> pl.DataFrame:
        """Some fitting messages: `row`, their number, and these columns."""
        rows = self.rows(condition, most, seed=seed)
        found = self._columns.take(np.array(rows, np.int64), [self._column(name) for name in columns])
        return found.insert_column(0, pl.Series("row", rows, dtype=pl.Int64))

    def hits(self, flow: Flow) -> dict[str, Bits]:
        """For each rule by name, which messages its condition fits, whatever stands before it."""
        self.prepare(ask for rule in flow.rules for ask in rule.asks())
        return {rule.name: self.matches(rule.when) for rule in flow.rules}

    def outcomes(self, flow: Flow) -> Outcomes:
        """The outcome of every message; a million of them are a megabyte."""
        self.prepare(ask for rule in flow.rules for ask in rule.asks())
        return walk(flow, len(self), lambda rule: self.packed(rule.when))

    def run(self, flow: Flow) -> pl.DataFrame:
        """The outcome of every message, in order: a column for each field of `Outcome` but the trace."""
        return self.outcomes(flow).table()

    def packed(self, condition: Condition) -> Packed:
        """The answers as bits, eight messages a byte; the bits behind the last message are zero."""
        if isinstance(condition, Ask):
            self.prepare([condition])
            return self._bitmaps[condition]
        if isinstance(condition, Not):
            return self.packed(condition.of) ^ full(len(self))
        self.prepare(asks_of(condition))
        everything = isinstance(condition, All)
        found = full(len(self)) if everything else np.zeros((len(self) + 7) // 8, np.uint8)
        for part in condition.of:
            found = found & self.packed(part) if everything else found | self.packed(part)
        return found

    def _column(self, name: str) -> str:
        spelled = self._spelled.get(name.lower())
        if spelled is None:
            raise InputError(f"the archive's columns lack {name!r}, which the flow asks for")
        return spelled


def run_archive(flow: Flow, messages: Source | Batch) -> Outcomes:
    """The flow over a whole archive: what `flow.run` says of each message, but for its trace.

    `messages` are columns as `frame` makes them, in memory or in Parquet files, or a `Batch`, which keeps its
    bitmaps for the next flow.
    """
    return (messages if isinstance(messages, Batch) else Batch(messages)).outcomes(flow)
