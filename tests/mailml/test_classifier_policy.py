"""The policy: least expected cost, the fallback as the price of being unsure, thresholds on top."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.classifier import Policy

CLASSES = ("billing", "general", "technical")


def simplex(k: int) -> st.SearchStrategy[list[float]]:
    """Probability vectors of length k."""
    return st.lists(st.floats(0.001, 1), min_size=k, max_size=k).map(lambda xs: [x / sum(xs) for x in xs])


def test_sure_answers_are_given_and_unsure_ones_abstain() -> None:
    """With the default costs a special queue needs more than even odds against the fallback."""
    policy = Policy(CLASSES)
    assert policy.choose([0.9, 0.05, 0.05]).label == "billing"
    unsure = policy.choose([0.4, 0.25, 0.35])
    assert unsure.label is None
    assert "billing at 0.40" in unsure.reason
    assert policy.choose([0.1, 0.8, 0.1]).label == "general"


def test_the_default_matrix() -> None:
    """Right is free, the fallback costs a hand-over, a wrong special queue two."""
    assert Policy(CLASSES).matrix().tolist() == [[0, 1, 2], [2, 0, 2], [2, 1, 0]]


def test_dear_mistakes_make_it_careful() -> None:
    """What an analyst says of a cost decides at once."""
    p = [0.7, 0.2, 0.1]
    assert Policy(CLASSES).choose(p).label == "billing"
    careful = Policy(CLASSES, costs={"general": {"billing": 10.0}})
    assert careful.choose(p).label is None


def test_a_fallback_that_is_no_class_is_an_action_of_its_own() -> None:
    """Two classes and an abstention: unsure mail goes to the fallback, which is never a label."""
    policy = Policy(("billing", "technical"))
    assert policy.actions == ("billing", "technical", "general")
    assert policy.choose([0.5, 0.5]).label is None
    assert policy.choose([0.9, 0.1]).label == "billing"
    assert policy.taken(np.array([[0.5, 0.5], [0.1, 0.9]])).tolist() == [2, 1]


def test_thresholds_are_on_top() -> None:
    """A class below its threshold abstains, and the reason names both numbers."""
    policy = Policy(CLASSES, thresholds={"billing": 0.95})
    choice = policy.choose([0.9, 0.05, 0.05])
    assert choice.label is None
    assert choice.reason == "billing at 0.90 is under its threshold of 0.95"


def test_withheld_always_abstains_with_its_sentence() -> None:
    """A model the data cannot support says so on every mail."""
    policy = Policy(CLASSES, withheld="not enough data")
    assert policy.choose([1.0, 0.0, 0.0]).reason == "not enough data"
    assert policy.taken(np.eye(3)).tolist() == [1, 1, 1]


@settings(max_examples=200, deadline=None)
@given(p=simplex(3), a=st.floats(0, 5), b=st.floats(0, 5), floor=st.floats(0, 1))
def test_one_text_and_many_decide_alike(p: list[float], a: float, b: float, floor: float) -> None:
    """`choose` and `taken` are one rule: the label, or the fallback for an abstention."""
    costs = {"billing": {"technical": a}, "general": {"billing": b}}
    policy = Policy(CLASSES, costs=costs, thresholds={"technical": floor})
    label = policy.choose(p).label
    taken = policy.actions[policy.taken(np.array([p]))[0]]
    assert taken == (label or policy.fallback)


@settings(max_examples=100, deadline=None)
@given(p=simplex(3))
def test_no_action_is_cheaper_than_the_chosen_one(p: list[float]) -> None:
    """Without thresholds the expected cost is the least there is."""
    policy = Policy(CLASSES)
    assert policy.choose(p).expected_cost == pytest.approx(policy.expected(np.array(p)).min())


def test_ties_go_to_the_fallback() -> None:
    """Equal costs never bother a specialist, in whatever order the classes stand."""
    for classes in itertools.permutations(CLASSES):
        at = dict(zip(CLASSES, (0.5, 0.0, 0.5), strict=True))
        assert Policy(classes).choose([at[name] for name in classes]).label is None


def test_round_trip() -> None:
    """to_dict and from_dict are inverse."""
    policy = Policy(CLASSES, "general", {"billing": {"technical": 3.0}}, {"billing": 0.5}, "why")
    assert Policy.from_dict(CLASSES, policy.to_dict()) == policy
