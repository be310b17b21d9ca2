"""The facts of many messages as columns: what a `Batch` reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from mailml.flow.conditions import Facts
from mailml.flow.reading import Reading

LISTS = ("to", "cc", "attachment_name")
SINGLE = ("subject", "text", "text/everything", "from_address", "from_domain", "language", "kind", "mailbox")
FLAGS = ("has_attachment", "is_reply", "authenticated")


def schema(headers: Iterable[str] = ()) -> dict[str, Any]:
    """The columns and their types; each header field is one more."""
    found: dict[str, Any] = dict.fromkeys((*SINGLE, "category", "received.weekday"), pl.String)
    found |= dict.fromkeys((*LISTS, *(f"header.{name}" for name in headers)), pl.List(pl.String))
    found |= dict.fromkeys(FLAGS, pl.Boolean)
    return found | {"size": pl.Int64, "received.hour": pl.Int64, "probability": pl.Float64}


def frame(facts: Iterable[Facts], *, headers: Iterable[str] = ()) -> pl.DataFrame:
    """The columns that a `Batch` reads, from the facts of many messages.

    Columns bear the fields' names; `text/everything` is the text with its quoted history, `category` and
    `probability` the classifier's answer. A value that a message lacks is null, or an empty list.
    """
    columns = schema(headers)
    lists = [name for name, kind in columns.items() if isinstance(kind, pl.List)]
    return pl.DataFrame([_row(one, lists) for one in facts], schema=columns)


def _row(facts: Facts, lists: Iterable[str]) -> dict[str, object]:
    reading, category = Reading(facts), facts.category()
    row: dict[str, object] = {name: list(map(_storable, reading.values(name))) for name in lists}
    for name in (*SINGLE, "received.weekday"):
        value = next(iter(reading.values(name)), None)
        row[name] = None if value is None else _storable(value)
    for name in FLAGS:
        row[name] = reading.flag(name)
    row |= {"size": reading.number("size"), "received.hour": reading.number("received.hour")}
    row["category"] = category.label if category else None
    row["probability"] = category.probability if category else None
    return row


def _storable(text: str) -> str:
    # a lone surrogate is no text that a column could hold; patterns see it as "?" too
    return text.encode("utf-8", "replace").decode()
