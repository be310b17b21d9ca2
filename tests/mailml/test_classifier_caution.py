"""Caution about mail of a new kind: what it changes, what it never changes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailml.classifier import Caution, Policy

CLASSES = ("billing", "general", "technical")
WARY = Caution(offset=1.0, slope=2.0, power=0.5, trust=0.3, base=(0.2, 0.6, 0.2))
shares = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), shares)
def test_what_is_believed_are_probabilities(weights: list[float], known: float) -> None:
    """They sum to one within rounding, whatever the text knows."""
    p = np.array(weights) / sum(weights)
    believed = WARY.believed(p[None, :], np.array([known]))
    assert believed.sum() == pytest.approx(1, abs=3e-6)
    assert (believed >= 0).all()


def test_the_less_is_known_the_less_is_believed() -> None:
    """A text of known words is believed; of unknown ones, the classes' frequencies are."""
    p, known = np.tile([0.9, 0.05, 0.05], (5, 1)), np.array([1.0, 0.9, 0.7, 0.4, 0.0])
    believed = WARY.believed(p, known)[:, 0]
    assert (np.diff(believed) < 0).all()
    assert (np.diff(WARY.new(known)) > 0).all()
    assert believed[0] == pytest.approx(0.9, abs=0.01)


def test_a_sure_answer_about_unknown_words_becomes_an_abstention() -> None:
    """The same probabilities are answered where the words are known, and cost too much where they are not."""
    policy = Policy(CLASSES, caution=WARY)
    p = [0.7, 0.15, 0.15]
    assert policy.choose(p, 1.0).label == "billing"
    unsure = policy.choose(p, 0.2)
    assert unsure.label is None
    assert unsure.reason.startswith("not sure enough")
    assert policy.choose(p).label == "billing"  # nothing is said about the words
    assert Policy(CLASSES).choose(p, 0.2).label == "billing"


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), shares)
def test_one_text_and_many_are_one_rule(weights: list[float], known: float) -> None:
    """`choose` and `taken` take the same action, caution included."""
    p = np.round(np.array(weights) / sum(weights), 6)
    policy = Policy(CLASSES, caution=WARY)
    label = policy.choose(p.tolist(), known).label
    taken = policy.actions[policy.taken(p[None, :], np.array([known]))[0]]
    assert taken == (label or "general")


def test_it_is_written_and_read_back() -> None:
    """A policy with caution survives JSON values; one without has no key for it."""
    policy = Policy(CLASSES, caution=WARY)
    assert Policy.from_dict(CLASSES, policy.to_dict()) == policy
    assert "caution" not in Policy(CLASSES).to_dict()
    assert WARY.warier(0.5).offset == 1.5


@pytest.mark.parametrize(
    "change",
    [
        {"base": [0.5, 0.5]},
        {"base": [2.0, 0.0, 0.0]},
        {"trust": 1.5},
        {"power": 0.0},
        {"power": 100.0},
        {"offset": float("nan")},
        {"slope": float("inf")},
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any]) -> None:
    """Numbers out of range never become a policy."""
    with pytest.raises(ValueError, match="caution"):
        Policy.from_dict(CLASSES, {"caution": {**WARY.to_dict(), **change}})


@pytest.mark.parametrize("broken", [{}, {"offset": "x"}, "nonsense"])
def test_what_is_no_caution_is_refused(broken: Any) -> None:
    """A missing or odd entry is an error that a bundle turns into its sentence."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        Policy.from_dict(CLASSES, {"caution": broken})
