"""Scores become probabilities that mean what they say, also for topics that were held out."""

from __future__ import annotations

import numpy as np
import pytest

from mailml.lab import measures
from mailml.lab.calibration import calibrate
from mailml.lab.resampling import Floats, Ints

RNG = np.random.default_rng(3)


def sampled(logits: Floats) -> Ints:
    """Truths drawn from the probabilities that these logits stand for."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return np.array([RNG.choice(3, p=row) for row in p], dtype=np.int64)


def test_a_temperature_that_was_lost_is_found_again() -> None:
    """Scores that were shrunk to a quarter get their size back, and the promises come true."""
    logits = RNG.normal(0, 2, (3000, 3))
    truth = sampled(logits)
    found = calibrate(logits / 4, truth)
    assert found.temperature == pytest.approx(0.25, rel=0.1)
    assert measures.ece(truth, found.proba(logits / 4)) < 0.03


def test_shifts_that_held_out_topics_bear_out_are_kept() -> None:
    """What balanced weights took from a class is given back where unseen topics need it as well."""
    logits = RNG.normal(0, 2, (600, 3)) + np.array([0.0, 1.5, 0.0])
    truth, scores = sampled(logits), logits - np.array([0.0, 1.5, 0.0])
    found = calibrate(scores, truth, scores + RNG.normal(0, 0.1, scores.shape))
    assert found.shift[1] - found.shift[0] == pytest.approx(1.5 * found.temperature, rel=0.2)


def test_shifts_that_only_known_topics_ask_for_are_shrunk() -> None:
    """A handful of messages cannot move a border that mail about something new is decided by."""
    logits = RNG.normal(0, 2, (600, 3)) + np.array([0.0, 1.5, 0.0])
    truth, scores = sampled(logits), logits - np.array([0.0, 1.5, 0.0])
    level = RNG.normal(0, 1, scores.shape)
    level[np.arange(600), truth] += 1.5  # on held-out topics no class is preferred
    level[truth == 1, 1] -= 1.0
    level[:, 1] += 0.5
    wide, tight = calibrate(scores, truth, scores), calibrate(scores, truth, level)
    assert np.ptp(tight.shift) < 0.5 * np.ptp(wide.shift)
    given = [measures.log_loss(truth, one.proba(level)) for one in (wide, tight)]
    assert given[1] < given[0]


def test_without_topics_shifts_are_shrunk_a_little() -> None:
    """Few rows: the shift is there, and smaller than what the rows alone would ask for."""
    logits = np.zeros((40, 3))
    truth = np.repeat([0, 1, 2], [4, 32, 4]).astype(np.int64)
    found = calibrate(logits, truth)
    asked = float(np.log(32 / 4))
    assert 0 < (found.shift[1] - found.shift[0]) / found.temperature < asked
