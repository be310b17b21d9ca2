"""Every model in one table, beside what it must beat."""

from __future__ import annotations

import json

import pytest

from mailml.errors import InputError
from mailml.lab.contest import Contest, compare, contest
from mailml.lab.train import train
from tests.mailml.lab.tickets import tickets

RULES = {"billing": ["invoice", "refund", "receipt"], "technical": ["error", "log in", "screen"]}


@pytest.fixture(scope="module")
def table() -> Contest:
    """Two models and a taught one on the same tickets."""
    part = tickets(120)
    return compare(
        part.texts, part.labels, senders=part.senders, models=("linear", "hashing"), teacher="self",
        unlabelled=tickets(120, seed=9).texts, rules=RULES,
    )  # fmt: skip


def test_models_and_what_they_must_beat_stand_together(table: Contest) -> None:
    """Models first, then the likeliest class, one queue for all, keywords, rules, and the control."""
    names = [row.name for row in table.rows]
    assert names[:3] == ["linear", "hashing", "linear, taught by self"]
    assert {"likeliest class", "all to general", "keyword list", "rules", "shuffled labels (control)"} <= set(
        names
    )
    rows = {row.name: row for row in table.rows}
    assert rows["linear"].cost.value < rows["all to general"].cost.value
    assert rows["shuffled labels (control)"].cost.value >= 0.9 * rows["all to general"].cost.value
    assert rows["rules"].accuracy.value > rows["all to general"].accuracy.value


def test_savings_are_paired_against_the_first(table: Contest) -> None:
    """The first saves nothing against itself; one queue for all costs clearly more."""
    rows = {row.name: row for row in table.rows}
    assert rows["linear"].saved.value == rows["linear"].saved.high == 0
    assert rows["all to general"].saved.high < 0


def test_it_shows_itself_and_gives_json_and_a_frame(table: Contest) -> None:
    """Text, HTML, JSON without NaN, and a frame with intervals as columns."""
    assert "shuffled labels" in str(table)
    assert "<table" in table._repr_html_()
    told = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert told["rows"][0]["served"] is True
    assert {"cost", "cost_low", "cost_high", "saved"} <= set(table.to_frame().columns)
    assert set(table.trained) == {"linear", "hashing", "linear, taught by self"}


def test_nothing_or_different_labels_cannot_be_compared() -> None:
    """Models of different labels are no contest; neither are rules for a category that is none."""
    one, other = tickets(60), tickets(60, seed=8)
    a, b = train(one.texts, one.labels), train(other.texts, other.labels)
    with pytest.raises(InputError, match="different labels"):
        contest({"a": a, "b": b})
    with pytest.raises(InputError, match="no model"):
        contest({})
    with pytest.raises(InputError, match="rules for sales"):
        contest({"a": a}, rules={"sales": ["buy"]})
