"""What every model of the lab can do: learn from rows of a corpus, and score rows of it.

A learner holds settings only; what it has learned is a `Fitted`. `servable` says whether production can run
it: then `to_model` gives the numpy model, proven equal; else it is of use in the workbench and as a teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mailml.classifier import Model, Policy
from mailml.lab.calibration import Calibration
from mailml.lab.models.corpus import Corpus
from mailml.lab.resampling import Floats
from mailml.lab.vocabulary import Ints

_UNSEEN = 10.0


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is to be learned: rows of a corpus, a label for each, and how much each weighs (1 unless given).

    A row may come twice, with another label and weight. `beside` are rows without a label that may be looked
    at as well.
    """

    rows: Ints
    labels: Sequence[str]
    weights: Floats | None = None
    beside: Ints | None = None

    @property
    def once(self) -> Ints:
        """Every row once, in ascending order."""
        return np.unique(self.rows)


Scorer = Callable[[Sequence[str]], Floats]  # texts -> raw class scores


class Fitted(Protocol):
    """A model that has learned: scores before calibration, in the order of `classes`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it was shown."""

    @property
    def columns(self) -> tuple[Ints, ...]:
        """Per block of the corpus, the n-grams it was shown."""

    def scores(self, corpus: Corpus, rows: Ints) -> Floats:
        """Raw scores (logits) of rows: (rows, classes)."""

    def known(self, corpus: Corpus, rows: Ints) -> Floats:
        """The share of each row's n-grams that it was shown in training: (rows,)."""


class Learner(Protocol):
    """A kind of model with its settings."""

    @property
    def name(self) -> str:
        """What the comparison table calls it."""

    @property
    def servable(self) -> bool:
        """Whether production, which has numpy alone, can run what it learns."""

    def fit(self, corpus: Corpus, lesson: Lesson) -> Fitted:
        """Learn from some rows."""

    def scorer(self, fitted: Any, corpus: Corpus) -> Scorer:
        """What scores fresh texts."""

    def to_model(
        self, fitted: Any, corpus: Corpus, calibration: Calibration, policy: Policy, min_known: float
    ) -> tuple[Model, float]:
        """The model that scores texts, and the largest difference of a probability from `fitted`."""


def aligned(fitted: Fitted, corpus: Corpus, rows: Ints, classes: Sequence[str]) -> Floats:
    """Scores of rows with a column for every class: one that was not in training never looks likely."""
    scores = fitted.scores(corpus, rows)
    if fitted.classes == tuple(classes):
        return scores
    full = np.full((len(rows), len(classes)), -_UNSEEN)
    full += scores.min(axis=1, keepdims=True)
    full[:, [list(classes).index(name) for name in fitted.classes]] = scores
    return full
