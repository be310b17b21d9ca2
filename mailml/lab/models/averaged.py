"""The average of several models' scores, each brought to one scale: errors that differ cancel out.

An average of linear models is one linear model over the features of all, so it can be served. With a
sentence encoder among the members it runs in the workbench only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mailml.classifier import Model, Policy
from mailml.classifier.ngrams import Block
from mailml.lab.calibration import Calibration
from mailml.lab.models.corpus import Corpus
from mailml.lab.models.learner import Fitted, Learner, Lesson, Scorer
from mailml.lab.models.linear import Linear, assemble, proven
from mailml.lab.models.workbench import workbench_model
from mailml.lab.resampling import Floats
from mailml.lab.vocabulary import Ints


@dataclass(frozen=True, eq=False)
class Averaged:
    """Fitted members with the factor that brings each one's scores to one scale."""

    members: tuple[Fitted, ...]
    factors: tuple[float, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes they were shown."""
        return self.members[0].classes

    @property
    def columns(self) -> tuple[Ints, ...]:
        """The n-grams that the first member was shown."""
        return self.members[0].columns

    def scores(self, corpus: Corpus, rows: Ints) -> Floats:
        """The sum of the members' scores, centred and scaled: (rows, classes)."""
        pairs = zip(self.members, self.factors, strict=True)
        return np.asarray(sum(centred(member.scores(corpus, rows)) * factor for member, factor in pairs))

    def known(self, corpus: Corpus, rows: Ints) -> Floats:
        """The share of n-grams that the first member knows."""
        return self.members[0].known(corpus, rows)


@dataclass(frozen=True)
class AveragedLearner:
    """Several learners as one."""

    members: tuple[Learner, ...]
    name: str = "averaged"

    @property
    def servable(self) -> bool:
        """Whether every member is."""
        return all(member.servable for member in self.members)

    def fit(self, corpus: Corpus, lesson: Lesson) -> Averaged:
        """Fit every member on the same rows."""
        fitted = tuple(member.fit(corpus, lesson) for member in self.members)
        scores = [centred(member.scores(corpus, lesson.once)) for member in fitted]
        sizes = [float(np.sqrt(np.mean(of_one**2))) for of_one in scores]
        return Averaged(fitted, tuple(1.0 / max(size, 1e-9) for size in sizes))

    def scorer(self, fitted: Averaged, corpus: Corpus) -> Scorer:
        """Texts -> the sum of the members' scores."""
        each = [m.scorer(f, corpus) for m, f in zip(self.members, fitted.members, strict=True)]

        def score(texts: Sequence[str]) -> Floats:
            pairs = zip(each, fitted.factors, strict=True)
            return np.asarray(sum(centred(one(texts)) * factor for one, factor in pairs))

        return score

    def to_model(
        self, fitted: Averaged, corpus: Corpus, calibration: Calibration, policy: Policy, min_known: float
    ) -> tuple[Model, float]:
        """One linear model of them all, proven equal; or the workbench's, where one cannot be served."""
        if not self.servable:
            scorer = self.scorer(fitted, corpus)
            return workbench_model(self.name, scorer, fitted, corpus, calibration, policy, min_known), 0.0
        rows = np.arange(corpus.labelled)
        expected = calibration.proba(fitted.scores(corpus, rows))
        return proven(_joined(fitted, corpus, calibration, policy, min_known), corpus, expected)


def _joined(
    fitted: Averaged, corpus: Corpus, calibration: Calibration, policy: Policy, min_known: float
) -> Model:
    """The members' blocks side by side, their weights centred and scaled as their scores are."""
    blocks, intercept = list[Block](), np.array(calibration.shift)
    for member, factor in zip(fitted.members, fitted.factors, strict=True):
        if not isinstance(member, Linear):
            raise TypeError("only linear models can be joined into one")
        part = assemble(member, corpus, calibration, policy, min_known)
        blocks += [block.weighing(centred(block.coef) * factor) for block in part.blocks]
        own = member.layer.intercept
        intercept = intercept + (own - own.mean()) * factor
    return Model(fitted.classes, tuple(blocks), intercept, calibration.temperature, policy, min_known, "")


def centred(scores: Floats) -> Floats:
    """Scores with a mean of nothing in every row: what softmax makes of them is the same."""
    return np.asarray(scores - scores.mean(axis=1, keepdims=True))
