"""Thresholds and costs tried out on out-of-fold predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mailml.lab import thresholds
from tests.mailml.lab.trained import judged, trained


def test_the_policy_in_use_can_be_changed_piece_by_piece() -> None:
    """What is not named stays; nothing is withheld in a trial."""
    made = thresholds.policy(trained(), thresholds={"billing": 0.9})
    assert made.thresholds == {"billing": 0.9}
    assert made.costs == trained().policy.costs
    assert made.withheld == ""
    assert thresholds.policy(trained(), fallback="technical").fallback == "technical"


def test_the_cost_of_the_present_policy_is_the_reports() -> None:
    """One figure, wherever it is asked for."""
    now = thresholds.policy(trained())
    assert thresholds.cost(trained(), now) == judged().cost


def test_a_promise_of_precision_is_kept_out_of_fold() -> None:
    """Whatever is said above the threshold is right at least that often, with Wilson's bound to spare."""
    made = trained()
    found = thresholds.for_precision(made, 0.8)
    assert set(found) == {"billing", "technical"}
    best = made.probabilities.argmax(axis=1)
    for name, floor in found.items():
        k = made.classes.index(name)
        said = (best == k) & (made.probabilities[:, k] >= floor)
        assert said.any()
        assert (made.truth[said] == k).mean() >= 0.8


def test_a_promise_nobody_can_keep_is_a_class_never_said() -> None:
    """A twentieth of the labels is wrong: 0.9999 cannot be promised."""
    found = thresholds.for_precision(trained(), 0.9999)
    assert set(found.values()) == {1.0}
    silent = thresholds.policy(trained(), thresholds=found)
    fallback = silent.actions.index("general")
    assert (silent.taken(np.minimum(trained().probabilities, 0.999)) == fallback).all()


def test_policies_are_compared_at_the_same_prices() -> None:
    """The first policy's costs price every row, so that one column means one thing."""
    now = thresholds.policy(trained())
    reckless = thresholds.policy(trained(), costs={c: {"general": 99.0} for c in ("billing", "technical")})
    shy = thresholds.policy(trained(), thresholds={"billing": 0.999, "technical": 0.999})
    frame = thresholds.compare(trained(), {"now": now, "reckless": reckless, "shy": shy})
    assert list(frame.index) == ["now", "reckless", "shy"]
    assert frame.loc["now", "cost"] == pytest.approx(thresholds.cost(trained(), now).value)
    assert frame.loc["now", "cost"] <= frame["cost"].min() + 0.02
    assert frame.loc["shy", "to_special_queues"] < frame.loc["now", "to_special_queues"]
    assert frame.loc["reckless", "to_special_queues"] > frame.loc["now", "to_special_queues"]


def test_every_policy_is_priced_by_its_own_decisions() -> None:
    """Answers differ, so costs differ; one cost matrix prices them all."""
    now = replace(trained().policy, withheld="")
    silent = replace(now, thresholds={"billing": 1.01, "technical": 1.01})
    table = thresholds.compare(trained(), {"as it is": now, "silent": silent})
    assert table.loc["silent", "to_special_queues"] == 0
    assert table.loc["silent", "cost"] > table.loc["as it is", "cost"]
