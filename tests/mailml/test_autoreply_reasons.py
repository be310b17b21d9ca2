"""Reasons and rows in words: none is missing."""

from __future__ import annotations

from mailml.autoreply.reasons import REASONS, row_in_words
from mailml.autoreply.table import HUMAN, TABLE, TEXT_MODEL
from mailml.verdict import Reason, Verdict


def test_every_reason_has_its_words() -> None:
    """Each reason there is can be told to a person, and no words are left over."""
    assert set(REASONS) == {reason.value for reason in Reason}
    assert all(REASONS.values())


def test_every_row_is_found_again() -> None:
    """A verdict leads back to the sentence of the very row that made it."""
    for row in (*TABLE, TEXT_MODEL, HUMAN):
        verdict = Verdict(row.kind, row.number, row.disposition, row.reason)
        assert row_in_words(verdict) == row.says
    assert row_in_words(Verdict(HUMAN.kind, "99", HUMAN.disposition, None)) == ""
