"""Costs and thresholds: what the panel says is what the data says, and too little data is told as such."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mailml.errors import InputError
from mailml.lab.panels import Minutes, Tuning, tune
from mailml.lab.panels.thresholds import picture, told
from mailml.lab.panels.tuning import LEAST, NEVER
from tests.mailml.lab.trained import trained


@pytest.fixture(scope="module")
def tuning() -> Tuning:
    """The made-up tickets under the default costs."""
    return Tuning(trained())


def by_hand(tuning: Tuning) -> float:
    """Minutes per message, added up message by message with the model's own decision."""
    total, names = 0.0, tuning.trained.classes
    for row, truth in enumerate(tuning.trained.truth):
        p = tuning.trained.probabilities[row]
        knows = tuning.trained.known[row] >= tuning.trained.model.min_known
        shown, known = [round(float(x), 6) for x in p], float(tuning.trained.known[row])
        choice = tuning.policy.choose(shown, known) if knows else None
        said = (choice.label if choice else None) or tuning.policy.fallback
        right = said == names[truth]
        triage = tuning.minutes.triage
        total += 0 if right else triage if said == tuning.policy.fallback else tuning.minutes.misroute
    return total / len(tuning.trained.truth)


def test_the_cost_is_the_sum_over_messages(tuning: Tuning) -> None:
    """The minutes of a policy are those of its single decisions; so are those of the general queue."""
    assert tuning.cost.value == pytest.approx(by_hand(tuning), abs=1e-6)
    special = np.array(tuning.trained.examples.labels) != tuning.policy.fallback
    assert tuning.baseline.value == pytest.approx(4.0 * special.mean(), abs=1e-6)
    assert tuning.saved.value == pytest.approx(tuning.baseline.value - tuning.cost.value, abs=1e-6)


def test_intervals_hold_their_figures(tuning: Tuning) -> None:
    """No figure lies outside its interval, and 100 % right of a few messages is not certain."""
    curve = tuning.curve()
    for name in ("coverage", "accuracy", "cost"):
        rows = curve.dropna(subset=[name])
        assert (rows[f"{name}_low"] <= rows[name] + 1e-9).all()
        assert (rows[name] <= rows[f"{name}_high"] + 1e-9).all()
    sure = curve[curve["accuracy"] == 1.0]
    assert (sure["accuracy_low"] < 1.0).all()


def test_a_dear_misroute_raises_the_bar(tuning: Tuning) -> None:
    """The more a wrong queue costs, the less is sent to special queues; free sorting sends nothing there."""
    fallback = tuning.policy.actions.index(tuning.policy.fallback)
    sent = [int(np.sum(tuning.at(misroute=cost).said != fallback)) for cost in (4.0, 20.0, 200.0)]
    assert sent[0] >= sent[1] >= sent[2]
    assert sent[0] > sent[2]
    assert not np.any(tuning.at(triage=0.0, misroute=1.0).said != fallback)


def test_solved_thresholds_do_not_cost_more(tuning: Tuning) -> None:
    """The solved thresholds are at most as dear as none, on the messages they were solved on."""
    dear = tuning.at(misroute=20.0)
    assert dear.best().cost.value <= dear.cost.value + 1e-9


def test_urgent_mail_raises_the_price_of_its_category() -> None:
    """Only the category with urgent messages gets dearer, by the share of them."""
    one = trained()
    billing = [
        m for m, label in zip(one.examples.messages, one.examples.labels, strict=True) if label == "billing"
    ]
    tuning = Tuning(one, urgent=billing[: len(billing) // 2])
    share = (len(billing) // 2) / len(billing)
    assert tuning.urgent_share["billing"] == pytest.approx(share)
    costs = tuning.policy.costs
    assert costs["billing"]["technical"] == pytest.approx(8 + 60 * share)
    assert costs["technical"]["billing"] == pytest.approx(8)


def test_few_messages_are_not_enough() -> None:
    """With a handful of labels no threshold is praised, and everything stays in the general queue."""
    few = trained(48)
    tuning = Tuning(few)
    assert all(not s.enough for s in tuning.solved if s.right.of < LEAST)
    assert any("not enough data" in s.verdict for s in tuning.solved)
    best = tuning.best()
    unsupported = [s.name for s in tuning.solved if not s.enough]
    assert all(best.thresholds[name] == NEVER for name in unsupported)


def test_chance_is_never_worth_it(tuning: Tuning) -> None:
    """A classifier whose probabilities mean nothing gets no "use it" for any queue."""
    rng = np.random.default_rng(1)
    noise = rng.dirichlet(np.ones(len(tuning.trained.classes)), len(tuning.trained.truth))
    lucky = Tuning(replace(tuning.trained, probabilities=noise))
    assert not any(s.enough for s in lucky.solved)
    assert not lucky.verdict.startswith("It saves")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (lambda t: t.at(misroute=-1.0), "misroute of -1 minutes"),
        (lambda t: t.at(triage=float("nan")), "triage of nan minutes"),
        (lambda t: t.at(missed_urgent=1e9), "missed_urgent of 1e\\+09 minutes"),
        (lambda t: t.with_thresholds({"biling": 0.5}), "'biling' is no category"),
        (lambda t: t.with_thresholds({"billing": 1.5}), "1.5 for billing"),
    ],
)
def test_nonsense_is_refused(tuning: Tuning, bad: Any, says: str) -> None:
    """Costs and thresholds that mean nothing are named with what would do."""
    with pytest.raises(InputError, match=says):
        bad(tuning)


def test_use_is_the_model_that_decides_so(tuning: Tuning) -> None:
    """What the panel shows is what gets exported: the policy of the model is the panel's."""
    best = tuning.at(misroute=12.0).best()
    used = best.use()
    assert dict(used.policy.thresholds) == dict(best.thresholds)
    assert used.policy.costs["billing"]["technical"] == 12.0


class TestPanel:
    def test_slider_and_box_say_the_same(self) -> None:
        """Moving either moves the other, the costs and what is told."""
        panel = tune(trained())
        before = panel._told.value
        pair = panel._minutes["misroute"]
        pair._slider.value = 30.0
        assert pair._box.value == 30.0
        assert panel.tuning.minutes.misroute == 30.0
        assert panel._told.value != before
        pair._box.value = 3.0
        assert pair._slider.value == 3.0
        assert panel.tuning.cost.value == Tuning(trained(), Minutes(misroute=3.0)).cost.value

    def test_solve_sets_the_thresholds(self) -> None:
        """The button puts the solved thresholds into the sliders and into the policy."""
        panel = tune(trained(), Minutes(misroute=20.0))
        panel._solve()
        wanted = Tuning(trained(), Minutes(misroute=20.0)).best().thresholds
        assert {name: pair.value for name, pair in panel._floors.items()} == pytest.approx(wanted)
        assert panel.tuning.thresholds == wanted

    def test_names_are_escaped(self) -> None:
        """A category with markup in its name stays text."""
        tuning = Tuning(trained())
        evil = replace(tuning.solved[0], name="<img src=x onerror=alert(1)>")
        tuning.__dict__["solved"] = (evil,)
        assert "<img" not in told(tuning)

    def test_the_picture_speaks(self, tuning: Tuning) -> None:
        """The curves have a sentence for those who cannot see them."""
        assert "alt=" in picture(tuning.curve()).html()
