"""Every question of a chunk of messages: text by `scanning`, numbers and flags by comparing columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from mailml.flow.batch.bitmaps import Bits
from mailml.flow.batch.closer import compared
from mailml.flow.batch.plans import plan_of
from mailml.flow.batch.scanning import answers
from mailml.flow.batch.texts import Texts, bits_of, folded
from mailml.flow.conditions import Ask, spec_of
from mailml.flow.questions import name_of

_FEW = ("kind", "category", "language", "weekday")  # types with few different values: each is folded once


def columns_for(ask: Ask) -> tuple[str, ...]:
    """The columns that a question reads."""
    if ask.field == "category" and ask.operator in ("at_least", "at_most"):
        return ("category", "probability")
    return (name_of(ask),)


def answered(chunk: pa.RecordBatch, name: str, asks: Sequence[Ask]) -> dict[Ask, Bits]:
    """The answers of a chunk to questions whose first column is `name`."""
    found: dict[Ask, Bits] = {}
    texts: list[Ask] = []
    column = chunk.column(name)
    for ask in asks:
        spec = spec_of(ask.field)
        kind = spec.type if spec else ""
        if ask.operator == "exists":
            found[ask] = _exists(column, expected=bool(ask.expected[0]))
        elif kind == "category" and ask.operator != "is":
            there = bits_of(pl.Series(column).is_not_null())
            found[ask] = numbers(pl.Series(chunk.column("probability")), ask) & there
        elif kind in ("flag", "number"):
            found[ask] = numbers(pl.Series(column), ask)
        elif kind in _FEW:
            found[ask] = _few(pl.Series(column), ask)
        else:
            texts.append(ask)
    return found | (_texts(column, texts) if texts else {})


def _texts(column: pa.Array, asks: Sequence[Ask]) -> dict[Ask, Bits]:
    """Questions about a text field: of its one value, or of each value that a message has."""
    plans = [plan_of(ask) for ask in asks]
    if not pa.types.is_list(column.type) and not pa.types.is_large_list(column.type):
        return answers(Texts(column), plans)
    owners = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    found: dict[Ask, Bits] = {}
    for ask, fits in answers(Texts(column.flatten()), plans).items():
        found[ask] = np.zeros(len(column), np.bool_)
        found[ask][owners[fits]] = True
    return found


def _exists(column: pa.Array, *, expected: bool) -> Bits:
    series = pl.Series(column)
    there = bits_of(series.list.len() > 0 if series.dtype == pl.List else series.is_not_null())
    return there if expected else ~there


def _few(column: pl.Series, ask: Ask) -> Bits:
    plan, values = plan_of(ask), column.drop_nulls().unique()
    fitting = values.filter(pl.Series(compared(folded(values), plan), dtype=pl.Boolean))
    return bits_of(column.is_in(fitting.to_list()))


def numbers(column: pl.Series, ask: Ask) -> Bits:
    """Numbers and flags compared with what is expected; a missing one fits nothing."""
    first = ask.expected[0]
    if ask.operator == "at_least":
        return bits_of(column >= first)
    if ask.operator == "at_most":
        return bits_of(column <= first)
    return bits_of(column.is_in(list(ask.expected)))


__all__ = ["answered", "columns_for", "numbers"]
