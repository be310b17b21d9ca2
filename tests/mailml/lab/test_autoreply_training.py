"""The training sample of row 13 and the model made of it: seeded, grouped by sentence, and no real mail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mailml.autoreply import TextModel
from mailml.lab.autoreply_sample import Example, phrases, sample
from mailml.lab.autoreply_training import score_all, train, write


@pytest.fixture(scope="module")
def small() -> list[Example]:
    """A small sample of all languages."""
    return sample(seed=3, per_language=5)


@pytest.fixture(scope="module")
def model(small: list[Example]) -> TextModel:
    """A model of the small sample."""
    return train(small)


def test_the_sample_speaks_at_least_twenty_languages() -> None:
    """Every language has words of responders and of people, adversarial ones included."""
    assert len(phrases()) >= 20
    for language, said in phrases().items():
        for kind in ("subjects", "away", "back", "contact", "acks", "human", "about"):
            assert said[kind], f"{language} lacks {kind}"


def test_the_sample_is_the_same_for_the_same_seed() -> None:
    """Nothing but the arguments decides it."""
    assert sample(seed=3, per_language=2) == sample(seed=3, per_language=2)
    assert sample(seed=3, per_language=2) != sample(seed=4, per_language=2)


def test_the_sample_leaves_no_slot_unfilled(small: list[Example]) -> None:
    """No brace or choice of the phrase file is left in a subject or a text."""
    for one in small:
        for text in (one.subject, one.text):
            assert not any(mark in text for mark in ("{date}", "{name}", "{mail}", "{n}", "{topic}"))
            assert "|" not in text


def test_people_and_machines_share_every_outward_sign(small: list[Example]) -> None:
    """Being an answer, or quick, or without a subject is not what tells them apart."""
    for automated in (True, False):
        some = [one for one in small if one.automated is automated]
        assert 0.3 < np.mean([one.answers_ours for one in some]) < 0.8
        assert any(one.seconds_since_ours is None for one in some)
        assert len({one.sender for one in some}) > 5


def test_a_model_tells_its_sample_apart(small: list[Example], model: TextModel) -> None:
    """Calibrated towards its threshold, which at most one person in two hundred passes."""
    assert model.threshold >= 0.5
    scores = score_all(model, small)
    truth = np.array([one.automated for one in small])
    assert np.mean(scores[truth]) > 0.7
    assert np.mean(scores[~truth]) < 0.3
    assert np.mean(scores[~truth] >= model.threshold) <= 0.005


def test_training_again_writes_the_same_bytes(small: list[Example], model: TextModel, tmp_path: Path) -> None:
    """Deterministic, and equal after writing and reading."""
    write(model, tmp_path)
    first = (tmp_path / "text_model.npz").read_bytes()
    write(train(small), tmp_path)
    assert (tmp_path / "text_model.npz").read_bytes() == first
    with np.load(tmp_path / "text_model.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["weights"], model.weights)


def test_numpy_scores_as_scikit_learn_does(small: list[Example], model: TextModel) -> None:
    """The shipped arithmetic is the estimator's, but for weights rounded to three places."""
    from sklearn.linear_model import LogisticRegression

    from mailml.lab.autoreply_training import _matrix

    truth = [one.automated for one in small]
    estimator = LogisticRegression(C=10.0, solver="liblinear", random_state=7).fit(_matrix(small), truth)
    logits = estimator.decision_function(_matrix(small))
    expected = 1 / (1 + np.exp(-np.clip(model.scale * logits + model.shift, -30, 30)))
    assert np.abs(expected - score_all(model, small)).max() < 0.01


def test_the_shipped_model_fits_fresh_mail_of_the_sample() -> None:
    """Of people in a new sample, at most one in a hundred loses an answer; nine in ten machines are known."""
    fresh = sample(seed=99, per_language=8)
    model = TextModel.shipped()
    scores = score_all(model, fresh)
    truth = np.array([one.automated for one in fresh])
    assert np.mean(scores[~truth] >= model.threshold) <= 0.01
    assert np.mean(scores[truth] >= model.threshold) >= 0.9
