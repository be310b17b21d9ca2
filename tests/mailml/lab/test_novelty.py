"""How careful a model must be is learned from topics that were held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mailml.classifier import Policy
from mailml.lab.calibration import Calibration
from mailml.lab.novelty import cautious
from mailml.lab.resampling import Floats, Ints
from mailml.lab.train import train
from tests.mailml.lab.tickets import tickets

CLASSES = ("billing", "general", "technical")
CALM = Calibration(1.0, (0.0, 0.0, 0.0))


def made(right: float, n: int = 300, seed: int = 1) -> tuple[Floats, Ints]:
    """Confident scores of which a share is right, and the truth (three in ten are general)."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.35, 0.3, 0.35])
    said = np.where(rng.random(n) < right, truth, (truth + 1 + rng.integers(0, 2, n)) % 3)
    scores = np.zeros((n, 3))
    scores[np.arange(n), said] = 3.0
    return scores, truth


def tried(strange_right: float, n: int = 300) -> tuple[Policy, bool]:
    """The policy for a model that is right on known topics, and so often on strange ones."""
    (seen, truth), (strange, _) = made(0.95, n), made(strange_right, n)
    known = np.linspace(0.9, 1.0, n), np.linspace(0.5, 0.9, n)
    return cautious(Policy(CLASSES), CALM, (seen, known[0]), (strange, known[1]), truth, 1 / 3)


def test_the_worse_on_strange_topics_the_more_careful() -> None:
    """Where held-out topics go well a third is taken to be new; where they go badly, more is."""
    good, bad = tried(0.85)[0].caution, tried(0.3)[0].caution
    assert good is not None
    assert bad is not None
    assert bad.power < good.power
    known = np.array([0.97, 0.8])
    assert (good.new(known) < bad.new(known) + 1e-9).all()
    assert good.new(known)[0] < good.new(known)[1]


def test_held_out_topics_never_cost_more_than_one_queue() -> None:
    """Whatever share is right there: no dearer than everything to general, or it says no."""
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        policy, holds = tried(share)
        strange, truth = made(share)
        said = policy.taken(np.round(CALM.proba(strange), 6), np.linspace(0.5, 0.9, 300))
        paid, general = policy.matrix()[truth, said].mean(), policy.matrix()[truth, 1].mean()
        assert paid <= general + 1e-9 or not holds


def test_known_topics_never_cost_more_than_by_the_likeliest_class() -> None:
    """Where words are no sign of what is new, caution would cost on known topics: it gives way."""
    n = 300
    (seen, truth), (strange, _) = made(0.7, n), made(0.68, n)
    seen[:, 1] -= 1.0  # the model is right to prefer the special queues
    known = np.full(n, 0.8)
    given = (Policy(CLASSES), CALM, (seen, known), (strange, known), truth)
    paid = [_paid(cautious(*given, novelty)[0], seen, known, truth) for novelty in (0.02, 1 / 3, 0.9)]
    likeliest = Policy(CLASSES).matrix()[truth, seen.argmax(axis=1)].mean()
    assert max(paid) <= likeliest + 1e-9
    wary = cautious(*given, 0.9)[0].caution
    assert wary is not None
    bold = replace(Policy(CLASSES), caution=wary.warier(2.0))
    assert _paid(bold, seen, known, truth) > likeliest  # so it was the bound that held it back


def _paid(policy: Policy, scores: Floats, known: Floats, truth: Ints) -> float:
    return float(policy.matrix()[truth, policy.taken(np.round(CALM.proba(scores), 6), known)].mean())


def test_no_novelty_is_no_caution() -> None:
    """0 trusts every probability."""
    scores, truth = made(0.9)
    known = np.ones(300)
    policy, holds = cautious(Policy(CLASSES), CALM, (scores, known), (scores, known), truth, 0.0)
    assert policy.caution is None
    assert holds


def test_caution_is_trained_exported_and_kept_with_another_policy() -> None:
    """It is in the model, its probabilities are those of a model without it, and new costs leave it alone."""
    part = tickets(200)
    wary = train(part.texts, part.labels, senders=part.senders)
    bold = train(part.texts, part.labels, senders=part.senders, novelty=0.0)
    assert wary.policy.caution is not None
    assert bold.policy.caution is None
    assert np.array_equal(wary.probabilities, bold.probabilities)
    assert wary.calibration == bold.calibration
    dear = wary.with_policy(Policy(wary.classes, thresholds={"billing": 0.9}))
    assert dear.policy.caution == wary.policy.caution
    assert dear.policy.thresholds == {"billing": 0.9}


@pytest.mark.parametrize("text", ["the invoice for the planner shows the wrong amount"])
def test_a_known_topic_is_answered_all_the_same(text: str) -> None:
    """Caution costs nothing where every word is known."""
    part = tickets(200)
    assert train(part.texts, part.labels, senders=part.senders).model.categorize(text).label == "billing"
