"""Conditions on a back-test are read and judged exactly, and never pass because they cannot be judged."""

from __future__ import annotations

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailml.errors import ConfigError, InputError, NotEnoughData
from mailml.lab.gate import judge_gate, judge_gates

AFTER = {
    "misroute_rate": 0.105,
    "misroute_rate[Billing]": 0.2,
    "misroute_rate[Tech Support]": 0.05,
    "queue_changes": 40.0,
    "minutes_lost": 300.0,
}
BEFORE = {
    "misroute_rate": 0.100,
    "misroute_rate[Billing]": 0.1,
    "misroute_rate[Tech Support]": 0.05,
    "queue_changes": 0.0,
    "minutes_lost": 250.0,
}


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
        ("(queue_changes > 100 or queue_changes > 39) and misroute_rate > 10%", True),
        ("not queue_changes > 100", True),
        ("not (queue_changes > 100 or misroute_rate > 10%)", False),
        ("minutes_lost - baseline > 49", True),
        ("minutes_lost - baseline.minutes_lost > 2 * (20 + 6)", False),
        ("(minutes_lost + 100) / 2 > 199", True),
        ("misroute_rate > -1", True),
        ('misroute_rate["Billing"] > baseline + 5%', True),
        ("misroute_rate['Tech Support'] > baseline", False),
        ('baseline.misroute_rate["Billing"] == 10%', True),
    ],
)
def test_conditions(condition: str, fails: bool) -> None:
    """Percent, sums, brackets, queues, and/or/not with their usual strength."""
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
        ("", "ends where a number or a measure"),
        ("__import__('os') > 1", "'(' is no comparison"),
        ("misroute_rate > baseline.nothing", "'nothing' is no measure"),
        ("misroute_rate + 1", "ends where a comparison"),
        ("(misroute_rate > 1", "ends where ')'"),
        ("misroute_rate > (1", "ends where ')'"),
        ("1 > baseline", "needs exactly one measure on the left"),
        ("misroute_rate + minutes_lost > baseline", "needs exactly one measure on the left"),
        ('misroute_rate["Biling"] > 1%', "Did you mean 'Billing'"),
        ("misroute_rate[Billing] > 1%", "is no name of a queue"),
        ('queue_changes["Billing"] > 1%', "not counted per queue"),
        ("not", "ends where"),
        ("and > 1", "'and' is no measure"),
        ("(" * 400 + "1", "nested more than"),
        ("1 > " + "-" * 400 + "1", "nested more than"),
        ("1 > 0 and " * 60, "too long"),
    ],
)
def test_wrong_conditions_are_explained(condition: str, message: str) -> None:
    """A condition that cannot be read names the place and what is possible."""
    with pytest.raises(InputError, match=re.escape(message)):
        judge_gate(condition, AFTER, BEFORE)


def test_all_faults_of_all_conditions_come_at_once() -> None:
    """Who corrects a pipeline corrects it once: every misspelt measure of every condition is named."""
    with pytest.raises(ConfigError) as caught:
        judge_gates(
            ["misroute_rat > 1 and minuts_lost > 2", "queue_changes >", "misroute_rate > 1"], AFTER, {}
        )
    assert len(caught.value.faults) == 3
    told = str(caught.value)
    assert "Did you mean 'minutes_lost'" in told
    assert "Did you mean 'misroute_rate'" in told


def test_what_cannot_be_measured_never_passes() -> None:
    """Without a truth or a baseline the check ends in an error, not in green."""
    with pytest.raises(NotEnoughData, match="misroute_rate could not be measured"):
        judge_gate("misroute_rate > 1%", {"misroute_rate": math.nan}, {})
    with pytest.raises(NotEnoughData, match=r"baseline\.misroute_rate"):
        judge_gate("misroute_rate > baseline", {"misroute_rate": 0.1}, {})
    with pytest.raises(NotEnoughData, match="divides by zero"):
        judge_gate("minutes_lost / baseline.queue_changes > 1", AFTER, BEFORE)


def test_half_a_condition_that_cannot_be_judged_never_hides() -> None:
    """An unknown value is an error even where the other half settles the matter."""
    after = {**AFTER, "misroute_rate": math.nan}
    with pytest.raises(NotEnoughData):
        judge_gate("queue_changes > 1000 and misroute_rate > 1%", after, BEFORE)
    with pytest.raises(NotEnoughData):
        judge_gate("queue_changes > 1 or misroute_rate > 1%", after, BEFORE)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 100))
def test_the_headline_condition_means_what_it_says(after: float, before: float, percent: int) -> None:
    """For all rates: fails exactly when the candidate's is above the baseline's by more than the margin."""
    gate = judge_gate(
        f"misroute_rate > baseline + {percent}%", {"misroute_rate": after}, {"misroute_rate": before}
    )
    assert gate.fails == (after > before + percent / 100)


@given(
    st.lists(
        st.sampled_from([*"()<>+-*/%[]", "not", "and", "or", "1", "0.5%", "baseline", "minutes_lost", '"x"']),
        max_size=12,
    )
)
def test_any_heap_of_words_is_an_answer_or_an_input_error(words: list[str]) -> None:
    """Whatever order the words stand in, nothing else than our own error comes out."""
    with contextlib.suppress(InputError):
        assert isinstance(judge_gate(" ".join(words), AFTER, BEFORE).fails, bool)


@given(st.text(max_size=60))
def test_any_text_is_an_answer_or_an_input_error(text: str) -> None:
    """Whatever is typed, nothing else than our own error comes out."""
    with contextlib.suppress(InputError):
        assert isinstance(judge_gate(text, AFTER, BEFORE).fails, bool)
