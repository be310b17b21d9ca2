"""Topics: whole ones are held out, so that confidence about the unknown is learned too."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mailml.lab import calibration, topics, vocabulary
from tests.mailml.lab.tickets import tickets


def vectors(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three bundles of directions, and which is which."""
    rng = np.random.default_rng(seed)
    centres = np.eye(6)[:3]
    member = np.repeat([0, 1, 2], 20)
    rows = centres[member] + rng.normal(0, 0.1, (60, 6))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), member


@pytest.mark.parametrize("seed", range(5))
def test_clusters_find_what_is_apart(seed: int) -> None:
    """Rows of one direction come together, whatever the seed."""
    rows, member = vectors(seed)
    found = topics.clusters(rows, 3, seed)
    assert all(len(set(found[member == k])) == 1 for k in range(3))
    assert len(set(found)) == 3


def test_clusters_are_the_same_every_time() -> None:
    """The same seed, the same clusters."""
    rows, _ = vectors()
    assert np.array_equal(topics.clusters(rows, 5, 3), topics.clusters(rows, 5, 3))


def test_equal_rows_are_one_cluster() -> None:
    """Nothing to tell apart is not an error."""
    rows = np.tile([[1.0, 0.0]], (10, 1))
    assert set(topics.clusters(rows, 4, 1).tolist()) == {0}


def test_folds_hold_out_whole_groups_and_their_topics() -> None:
    """No group on both sides of a fold, every row tested once."""
    made = tickets(200)
    blocks = vocabulary.count(made.texts, words=(1, 2), chars=(3, 5), limits=(1000, 1000))
    groups, alone = np.arange(200) // 2, np.arange(200)
    folds, _ = topics.folds(blocks, (alone, alone), made.labels, groups, 4, 7)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(200))
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])


def test_too_few_or_wordless_texts_have_no_topics() -> None:
    """Then the groups alone calibrate."""
    alone = np.arange(50)
    few = vocabulary.count(["a word"] * 30, words=(1, 2), chars=(3, 5), limits=(10, 10))
    assert topics.folds(few, (alone[:30], alone[:30]), ["a", "b"] * 15, alone[:30], 5, 7)[0] == []
    silent = vocabulary.count(["!"] * 50, words=(1, 2), chars=(3, 5), limits=(10, 10))
    assert topics.folds(silent, (alone, alone), ["a", "b"] * 25, alone, 5, 7)[0] == []


def test_tempering_finds_the_temperature_of_what_it_is_shown() -> None:
    """Scores that are twice too large are halved."""
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1.5, (4000, 3))
    p = calibration.softmax(scores)
    truth = np.array([random.Random(i).choices(range(3), row)[0] for i, row in enumerate(p)])
    start = calibration.Calibration(1.0, (0.0, 0.0, 0.0))
    found = calibration.temper(start, scores * 2, truth, np.ones(4000))
    assert found.temperature == pytest.approx(2.0, rel=0.08)
