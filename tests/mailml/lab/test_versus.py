"""Two models on the same messages: paired tests that know chance from skill, and groups from messages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from mailml.errors import InputError, NotEnoughData
from mailml.lab.evaluate import Report, evaluate
from mailml.lab.train import train
from mailml.lab.versus import mcnemar, versus
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import frame_of, judged, store_of, trained


@pytest.mark.parametrize(
    ("one", "other"), [(0, 0), (1, 0), (5, 1), (10, 10), (3, 40), (700, 640), (4000, 4200)]
)
def test_mcnemar_is_the_exact_binomial_test(one: int, other: int) -> None:
    """Equal to SciPy's two-sided binomial test, for counts that overflow a float too."""
    expected = binomtest(one, one + other).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(expected, rel=1e-9)


def spoiled(report: Report, share: float) -> Report:
    """The same report with the probabilities of some messages turned round."""
    p, rows = report.probabilities.copy(), np.random.default_rng(3).random(len(report.examples)) < share
    p[rows] = np.roll(p[rows], 1, axis=1)
    return replace(report, probabilities=p)


def test_a_worse_model_is_worse() -> None:
    """Dearer, less right, and not by chance; the other way round it is better."""
    made = versus(judged(), spoiled(judged(), 0.3), names=("ours", "theirs"))
    assert made.verdict == "better"
    assert made.accuracy.low > 0
    assert made.log_loss.low > 0
    assert made.p_messages < 0.001
    assert made.p_groups < 0.001
    assert "ours is cheaper than theirs" in str(made)
    back = versus(spoiled(judged(), 0.3), judged())
    assert back.verdict == "worse"
    assert back.accuracy.value == pytest.approx(-made.accuracy.value)
    assert back.table[0, 1] == made.table[1, 0]


def test_the_same_model_is_not_told_apart_from_itself() -> None:
    """No difference is no difference: p is 1 and nothing is decided differently."""
    made = versus(judged(), judged())
    assert made.verdict == "not told apart"
    assert made.p_messages == made.p_groups == 1.0
    assert made.to_frame().empty
    assert (made.saved.value, made.saved.low, made.saved.high) == (0, 0, 0)
    assert made.one != made.other


def test_one_customer_does_not_decide() -> None:
    """Forty messages of one thread, all better, are one group: significant by messages, chance by groups."""
    report = judged()
    worst = replace(report, groups=np.zeros(len(report.examples), dtype=np.int64))
    made = versus(worst, spoiled(worst, 0.3))
    assert made.p_messages < 0.001
    assert made.p_groups == 1.0
    assert made.groups == 1


def test_the_changed_messages_are_listed_and_shown() -> None:
    """Each message that is decided differently has its label, both answers, and who is right."""
    made = versus(judged(), spoiled(judged(), 0.3))
    frame = made.to_frame()
    assert len(frame) == len(made.changed) > 0
    assert set(frame["right"]) <= {"one", "other", "neither"}
    assert (frame["one"] != frame["other"]).all()
    counted = made.to_dict()
    assert counted["decided_differently"] == len(frame)
    assert json.loads(json.dumps(counted)) == counted
    page = made._repr_html_()
    assert "McNemar" in page
    assert "decided differently" in page


def test_names_are_only_text() -> None:
    """A folder's name that is markup stays text."""
    made = versus(judged(), spoiled(judged(), 0.3), names=("<b onload=x>", "b"))
    assert "<b onload" not in made._repr_html_()


def test_models_are_compared_on_a_frame(tmp_path: Path) -> None:
    """Two models judged on the same fresh messages; other categories or other messages are refused."""
    fresh = tickets(80, seed=77)
    frame, store = frame_of(fresh), store_of(tmp_path, fresh)
    small = tickets(60, seed=5)
    weak = train(small.texts, small.labels, senders=small.senders, withhold=False)
    made = versus(trained(), weak, frame, store)
    assert made.messages == len(frame)
    assert made.accuracy.value >= 0
    other = evaluate(trained(), frame, store)
    with pytest.raises(NotEnoughData, match="no message in common"):
        versus(judged(), other)
    names = [f"{label}!" for label in small.labels]
    strange = train(small.texts, names, senders=small.senders, withhold=False, fallback="general!")
    with pytest.raises(InputError, match="same categories"):
        versus(judged(), evaluate(strange, control=False))
