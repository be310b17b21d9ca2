"""scikit-learn's own checks hold for our estimators, and texts go in like any other feature."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks as checks

from mailml.errors import InputError, NotEnoughData
from mailml.lab.estimators import (
    AveragedClassifier,
    EmbeddingClassifier,
    HashingClassifier,
    LinearClassifier,
)
from mailml.lab.models.online import OnlineSoftmax
from tests.mailml.lab.tickets import tickets

TEXT = (LinearClassifier(), HashingClassifier(), AveragedClassifier(), EmbeddingClassifier())
# scikit-learn leaves out whatever hands in numbers where an estimator wants texts; these need no data
WITHOUT_DATA = (
    checks.check_estimator_cloneable,
    checks.check_estimator_tags_renamed,
    checks.check_valid_tag_types,
    checks.check_estimator_repr,
    checks.check_no_attributes_set_in_init,
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_mixin_order,
    checks.check_parameters_default_constructible,
    checks.check_get_params_invariance,
    checks.check_set_params,
)
CLASSES = ("billing", "general", "technical")


def complaint(check: Any, *given: Any) -> str:
    """What one of scikit-learn's checks has against an estimator; nothing when it passes."""
    try:
        check(*given)
    except AssertionError as error:
        return str(error) or "it does not hold"
    return ""


@checks.parametrize_with_checks([OnlineSoftmax(), OnlineSoftmax(balanced=False, rounds=30)])
def test_the_layer_is_a_scikit_learn_estimator(estimator: Any, check: Any) -> None:
    """Every check of scikit-learn's own suite."""
    assert complaint(check, estimator) == ""


@pytest.mark.parametrize("estimator", TEXT, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("check", WITHOUT_DATA, ids=lambda c: c.__name__)
def test_text_estimators_keep_the_rules_that_need_no_numbers(estimator: Any, check: Any) -> None:
    """Parameters, tags, clones and representations are as scikit-learn wants them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=FutureWarning)
        assert complaint(check, type(estimator).__name__, clone(estimator)) == ""


def test_learns_scores_and_keeps_its_evidence() -> None:
    """fit, predict, predict_proba, decision_function and score agree; `trained_` is what is exported."""
    part, fresh = tickets(120), tickets(60, seed=33, noise=0)
    made = LinearClassifier().fit(part.texts, part.labels, senders=part.senders)
    p = made.predict_proba(fresh.texts)
    assert made.classes_.tolist() == list(CLASSES)
    assert p.shape == (60, 3)
    assert (made.classes_[p.argmax(axis=1)] == made.predict(fresh.texts)).all()
    assert (made.decision_function(fresh.texts).argmax(axis=1) == p.argmax(axis=1)).all()
    assert made.score(fresh.texts, fresh.labels) > 0.85
    assert made.trained_.gap <= 1e-6


def test_labels_keep_their_type() -> None:
    """Numbers stay numbers; of two classes the decision is one column."""
    part = tickets(120)
    rows = [i for i, label in enumerate(part.labels) if label != "general"]
    y = [int(part.labels[i] == "billing") for i in rows]
    made = LinearClassifier().fit([part.texts[i] for i in rows], y)
    assert made.classes_.tolist() == [0, 1]
    given = [part.texts[i] for i in rows[:10]]
    assert ((made.decision_function(given) > 0) == (made.predict(given) == 1)).all()


def test_it_fits_into_pipelines_and_cross_validation() -> None:
    """A step before it, and folds around it."""
    part = tickets(90)
    louder = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    pipe = make_pipeline(louder, LinearClassifier(folds=2))
    scores = cross_val_score(pipe, np.array(part.texts, dtype=object), part.labels, cv=2)
    assert (scores > 0.6).all()


def test_too_few_texts_and_a_single_text_are_refused() -> None:
    """A sentence of ours in both cases."""
    with pytest.raises(NotEnoughData, match="at least two categories"):
        LinearClassifier().fit(["a b c"] * 4, ["x"] * 4)
    with pytest.raises(InputError, match="one text is no list"):
        LinearClassifier().fit("a text", ["x"])  # type: ignore[arg-type]


def streamed(batch: int = 60, **told: Any) -> HashingClassifier:
    """A stream of tickets, batch by batch."""
    made, part = HashingClassifier(buckets=2**14), tickets(600)
    for start in range(0, 600, batch):
        rows = slice(start, start + batch)
        senders = part.senders[rows] if told.get("senders") else None
        made.partial_fit(part.texts[rows], part.labels[rows], classes=CLASSES, senders=senders)
    return made


def test_a_stream_teaches_as_well() -> None:
    """Ten batches, each seen once, and the numpy model gives the stream's own scores, calibrated."""
    made, fresh = streamed(), tickets(100, seed=44, noise=0)
    assert made.score(fresh.texts, fresh.labels) > 0.9
    p = made.predict_proba(fresh.texts)
    confident, right = p.max(axis=1).mean(), (p.argmax(axis=1) == np.searchsorted(CLASSES, fresh.labels))
    assert abs(confident - right.mean()) < 0.1
    model = made.to_model()
    assert model.categorize("I was charged twice, please refund the invoice").label == "billing"


def test_a_stream_forgets_what_one_sender_wrote() -> None:
    """With senders, buckets that only one of them filled are not in the model."""
    made = HashingClassifier(buckets=2**14)
    part = tickets(200)
    marked = [f"{text} zyxomma" if sender == part.senders[3] else text
              for text, sender in zip(part.texts, part.senders, strict=True)]  # fmt: skip
    for rows in (slice(0, 100), slice(100, 200)):
        made.partial_fit(marked[rows], part.labels[rows], classes=CLASSES, senders=part.senders[rows])
    words = dict(made.to_model().explain(f"{marked[3]}", n=500).words)
    against = dict(made.to_model().explain(f"{marked[3]}", n=500).against)
    assert "zyxomma" not in {**words, **against}
    assert "invoice" in dict(made.to_model().explain("the invoice", "billing", n=50).words)


def test_a_stream_says_what_it_needs() -> None:
    """Classes on the first call, two batches before it can be calibrated, and no class out of nowhere."""
    part = tickets(60)
    with pytest.raises(ValueError, match="first call"):
        HashingClassifier().partial_fit(part.texts, part.labels)
    made = HashingClassifier(buckets=2**10).partial_fit(part.texts, part.labels, classes=CLASSES)
    with pytest.raises(InputError, match="too short to calibrate"):
        made.to_model()
    with pytest.raises(ValueError, match="did not name"):
        OnlineSoftmax().partial_fit([[1.0], [2.0]], [0, 1], classes=[0, 1]).partial_fit([[1.0]], [7])
