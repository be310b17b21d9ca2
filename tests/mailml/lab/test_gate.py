"""Conditions on a back-test are read and judged exactly, and never pass because they cannot be judged."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailml.errors import InputError, NotEnoughData
from mailml.lab.gate import judge_gate

AFTER = {"misroute_rate": 0.105, "queue_changes": 40.0, "minutes_lost": 300.0}
BEFORE = {"misroute_rate": 0.100, "queue_changes": 0.0, "minutes_lost": 250.0}


@pytest.mark.parametrize(
    ("condition", "fails"),
    [
        ("misroute_rate > baseline + 0.5%", False),
        ("misroute_rate > baseline + 0.4%", True),
        ("misroute_rate>=0.105", True),
        ("misroute_rate > 10%", True),
        ("queue_changes > 39 and misroute_rate < 50%", True),
        ("queue_changes > 100 or minutes_lost > baseline * 1.1", True),
        ("minutes_lost > 1.1 * baseline + 30", False),
        ("misroute_rate > baseline.misroute_rate - 1%", True),
        ("queue_changes == 40", True),
        ("queue_changes != 40", False),
        ("queue_changes > 100 or queue_changes > 39 and misroute_rate > 90%", False),
    ],
)
def test_conditions(condition: str, fails: bool) -> None:
    """Percent, sums, products, and/or with their usual strength."""
    assert judge_gate(condition, AFTER, BEFORE).fails is fails


def test_the_answer_shows_its_numbers() -> None:
    """Who reads the log sees both values, not only the outcome."""
    text = str(judge_gate("misroute_rate > baseline", AFTER, BEFORE))
    assert text == "FAILED: misroute_rate > baseline  (misroute_rate = 0.105, baseline.misroute_rate = 0.1)"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("misroute_rat > 1", "Did you mean 'misroute_rate'"),
        ("misroute_rate", "ends where a comparison"),
        ("misroute_rate >", "ends where a number"),
        ("misroute_rate > 1 2", "nothing more is expected"),
        ("misroute_rate ~ 1", "cannot be read"),
        ("", "ends where a measure"),
        ("__import__('os') > 1", "cannot be read"),
        ("misroute_rate > baseline.nothing", "'nothing' is no measure"),
        ("misroute_rate + 1 > 2", "is no comparison"),
    ],
)
def test_wrong_conditions_are_explained(condition: str, message: str) -> None:
    """A condition that cannot be read names the place and what is possible."""
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        judge_gate(condition, AFTER, BEFORE)


def test_what_cannot_be_measured_never_passes() -> None:
    """Without a truth or a baseline the check ends in an error, not in green."""
    with pytest.raises(NotEnoughData, match="misroute_rate could not be measured"):
        judge_gate("misroute_rate > 1%", {"misroute_rate": math.nan}, {})
    with pytest.raises(NotEnoughData, match=r"baseline\.misroute_rate"):
        judge_gate("misroute_rate > baseline", {"misroute_rate": 0.1}, {})


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 100))
def test_the_headline_condition_means_what_it_says(after: float, before: float, percent: int) -> None:
    """For all rates: fails exactly when the candidate's is above the baseline's by more than the margin."""
    gate = judge_gate(
        f"misroute_rate > baseline + {percent}%", {"misroute_rate": after}, {"misroute_rate": before}
    )
    assert gate.fails == (after > before + percent / 100)


@given(st.text(max_size=60))
def test_any_text_is_an_answer_or_an_input_error(text: str) -> None:
    """Whatever is typed, nothing else than our own error comes out."""
    with contextlib.suppress(InputError):
        assert judge_gate(text, AFTER, BEFORE).why
