"""The linear layer on top of any features: one row of weights per class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from mailml.lab.models.learner import Lesson
from mailml.lab.resampling import Floats
from mailml.lab.settings import Settings
from mailml.lab.vocabulary import Ints


@dataclass(frozen=True, eq=False)
class Layer:
    """Weights (classes, features) and intercepts (classes,)."""

    classes: tuple[str, ...]
    coef: Floats
    intercept: Floats

    def scores(self, matrix: Any) -> Floats:
        """Raw class scores: (rows, classes)."""
        return np.asarray(matrix @ self.coef.T) + self.intercept


@dataclass(frozen=True, eq=False)
class Layered:
    """A fitted model that is one layer over some features, and the n-grams per block that it was shown."""

    columns: tuple[Ints, ...]
    layer: Layer

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it was shown."""
        return self.layer.classes


def fit_layer(matrix: Any, lesson: Lesson, settings: Settings) -> Layer:
    """Fit on features, dense or sparse, a row for each of the lesson: one against the rest, squared hinge.

    On five draws of unseen intents it was right up to three points more often than logistic regression, on
    known ones as often, and it trains ten to forty times faster; the temperature makes it probabilities.
    """
    from sklearn.svm import LinearSVC
    from threadpoolctl import threadpool_limits

    layer = LinearSVC(C=settings.C, class_weight=settings.class_weight, random_state=settings.seed)
    with threadpool_limits(1), warnings.catch_warnings():
        # few, nearly equal texts may not converge to the last digit; what is exported is what was judged
        warnings.simplefilter("ignore", category=_convergence())
        layer.fit(matrix, np.asarray(lesson.labels), sample_weight=lesson.weights)
    coef, intercept = layer.coef_, np.atleast_1d(layer.intercept_)
    if len(layer.classes_) == 2:  # one row of scores becomes two, symmetric around zero
        coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    return Layer(tuple(map(str, layer.classes_)), coef, intercept)


def _convergence() -> type[Warning]:
    from sklearn.exceptions import ConvergenceWarning

    warning: type[Warning] = ConvergenceWarning
    return warning
