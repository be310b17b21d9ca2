"""Shares come with an interval that is honest at small numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailml.lab.intervals import wilson


def test_known_value() -> None:
    """8 of 10 gives the interval that textbooks print for Wilson: 0.490 to 0.943."""
    share = wilson(8, 10)
    assert (round(share.low, 3), round(share.high, 3)) == (0.490, 0.943)


def test_no_cases_know_nothing() -> None:
    """Without cases the interval is everything and the value is not a number."""
    share = wilson(0, 0)
    assert math.isnan(share.value)
    assert (share.low, share.high) == (0.0, 1.0)
    assert str(share) == "no cases"


def test_few_cases_say_so() -> None:
    """A share of a handful of cases is printed with the warning beside it."""
    assert str(wilson(1, 3)).endswith("n=3): few")
    assert str(wilson(10, 300)).endswith("n=300)")


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_in_bounds(case: tuple[int, int]) -> None:
    """Low <= share <= high, all within 0 and 1."""
    hits, of = case
    share = wilson(hits, of)
    assert 0.0 <= share.low <= share.high <= 1.0
    if of:
        assert share.low - 1e-12 <= share.value <= share.high + 1e-12


def test_more_hits_than_cases_is_refused() -> None:
    """A share above one is a mistake of the caller, said at once."""
    with pytest.raises(ValueError, match="5 of 3"):
        wilson(5, 3)
