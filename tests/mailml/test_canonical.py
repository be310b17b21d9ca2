"""JSON of a decision's values: the same value is the same bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mailml.canonical import canonical_json, plain
from mailml.verdict import Category, Context, Thread

WHEN = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def test_the_encoder_writes_what_the_plain_value_says() -> None:
    """Walking a value by the encoder's own steps gives the bytes of its plain form; bytes are left out."""
    category = Category(
        "billing", 0.8, probabilities=(("billing", 0.8), ("technical", 0.2)), words=(("bill", 1.5),)
    )
    context = Context(received_at=WHEN, now=WHEN, thread=Thread(seconds_since_ours=0.1), loop_key=b"k")
    values = {
        "category": category,
        "context": context,
        "set": frozenset({"ü", "a"}),
        "none": None,
        "no": False,
    }
    wanted = json.dumps(plain(values), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert canonical_json(values) == wanted
    assert "loop_key" not in wanted
    with pytest.raises(TypeError, match="object is nothing that JSON can say"):
        canonical_json(object())


def test_canonical_json_sorts_keys_and_sets() -> None:
    """Two equal values are the same bytes, whatever order they were built in."""
    assert canonical_json({"b": frozenset({"y", "x"}), "a": 1}) == '{"a":1,"b":["x","y"]}'
