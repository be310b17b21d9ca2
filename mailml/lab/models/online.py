"""Softmax regression that learns from one batch after the other, for archives that fit into no memory.

Steps are AdaGrad's (Duchi, Hazan and Singer, JMLR 2011): a feature that was seen often moves little, a rare
one much, which does for word counts what inverse document frequencies do.
"""
# ruff: noqa: N803, N806 - X and C are what scikit-learn calls them

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from mailml.lab.calibration import softmax
from mailml.lab.resampling import Floats


class OnlineSoftmax(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multinomial logistic regression by AdaGrad over mini-batches.

    Parameters
    ----------
    rate : float
        The size of a step.
    rounds : int
        How often `fit` goes over the data; `partial_fit` goes over it once.
    batch : int
        Rows per step.
    balanced : bool
        Whether rows weigh by the inverse of how frequent their class has been so far.
    decay : float
        Pull of the weights towards nothing, per step and learning rate.
    random_state : int
        Of the order of rows in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
    coef_ : ndarray of shape (classes, features)
    intercept_ : ndarray of shape (classes,)
    """

    def __init__(
        self,
        rate: float = 0.3,
        rounds: int = 20,
        batch: int = 64,
        balanced: bool = True,
        decay: float = 1e-5,
        random_state: int = 7,
    ) -> None:
        self.rate = rate
        self.rounds = rounds
        self.batch = batch
        self.balanced = balanced
        self.decay = decay
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from the beginning, going over the data `rounds` times."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(y)
        self._begin(unique_labels(y), X.shape[1])
        order = np.random.default_rng(self.random_state)
        for _ in range(self.rounds):
            self._learn(X, y, order.permutation(len(y)))
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Go on learning from one more batch; the first call needs all `classes`."""
        first = not hasattr(self, "classes_")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, reset=first)
        check_classification_targets(y)
        if first:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit")
            self._begin(unique_labels(classes), X.shape[1])
        strange = sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist()), key=str)
        if strange:
            raise ValueError(f"y holds classes that the first call did not name: {strange}")
        self._learn(X, y, np.arange(len(y)))
        return self

    def decision_function(self, X: Any) -> Floats:
        """The score of every class; of two classes, one score: above 0 is the second."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Any) -> Floats:
        """The probability of every class (not yet calibrated): (rows, classes)."""
        return softmax(self._scores(X))

    def predict(self, X: Any) -> Any:
        """The likeliest class of every row."""
        scores = self._scores(X)  # first, so that an estimator that learned nothing says so
        return self.classes_[scores.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _begin(self, classes: Any, features: int) -> None:
        self.classes_ = classes
        self.coef_ = np.zeros((len(classes), features))
        self.intercept_ = np.zeros(len(classes))
        self._seen = np.ones(len(classes))
        self._squares = np.full((len(classes), features), 1e-6)
        self._bias_squares = np.full(len(classes), 1e-6)

    def _learn(self, X: Any, y: Any, order: Any) -> None:
        truth = np.searchsorted(self.classes_, y)
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            part, wanted = X[rows], truth[rows]
            self._seen += np.bincount(wanted, minlength=len(self.classes_))
            error = softmax(np.asarray(part @ self.coef_.T) + self.intercept_)
            error[np.arange(len(rows)), wanted] -= 1.0
            if self.balanced:
                weight = self._seen.sum() / (len(self.classes_) * self._seen)
                error *= weight[wanted][:, None]
            error /= len(rows)
            gradient = np.asarray((part.T @ error).T) + self.decay * self.coef_
            self._squares += gradient**2
            self.coef_ -= self.rate * gradient / np.sqrt(self._squares)
            self._bias_squares += error.sum(axis=0) ** 2
            self.intercept_ -= self.rate * error.sum(axis=0) / np.sqrt(self._bias_squares)

    def _scores(self, X: Any) -> Floats:
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return np.asarray(X @ self.coef_.T) + self.intercept_
