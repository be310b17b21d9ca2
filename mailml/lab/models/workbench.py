"""A classifier that only the workbench can run: it decides and explains its costs like a served one.

Production has numpy alone, so what needs a sentence encoder is never put into a bundle. Its use is to teach
the linear model (`teacher=`), which costs nothing to serve.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from mailml.classifier import Model, Policy
from mailml.classifier.ngrams import Block, Counts
from mailml.errors import BundleError
from mailml.lab.calibration import Calibration
from mailml.lab.models.corpus import Corpus
from mailml.lab.models.learner import Fitted, Scorer
from mailml.lab.resampling import Floats
from mailml.verdict import canonical_json


@dataclass(frozen=True, eq=False)
class WorkbenchModel(Model):
    """A `Model` whose scores come from a function; its blocks only tell which words it was shown."""

    scorer: Scorer
    calibration: Calibration
    kind: str

    def probas(self, texts: Sequence[str]) -> Floats:
        """The calibrated probabilities of many texts: (texts, classes)."""
        if not len(texts):
            return np.empty((0, len(self.classes)))
        return self.calibration.proba(self.scorer(texts))

    def proba(self, text: str) -> Floats:
        """The calibrated probability of every class: (classes,)."""
        return np.asarray(self.probas([text])[0])

    def named(self) -> WorkbenchModel:
        """The same with the id that its settings give it."""
        named = _id(self.kind, self.calibration, self.policy, self.min_known, self.min_words)
        return replace(self, id=named)

    def to_arrays(self) -> NoReturn:
        """Never: raises BundleError, since production could not run it."""
        raise BundleError(
            f"the {self.kind} model runs in the workbench only: a bundle carries no sentence encoder",
            cure="Let it teach the linear model: train with model=linear and it as the teacher",
        )

    def _score(self, folded: str) -> tuple[Floats, list[Counts]]:
        return self.proba(folded), self._count(folded)


def workbench_model(
    kind: str,
    scorer: Scorer,
    fitted: Fitted,
    corpus: Corpus,
    calibration: Calibration,
    policy: Policy,
    min_known: float,
) -> WorkbenchModel:
    """The model of a scoring function; the n-grams it was shown are kept for the language guard."""
    classes, blocks = fitted.classes, list[Block]()
    for block, cols in zip(corpus.blocks, fitted.columns, strict=True):
        terms = [str(term) for term in block.terms[cols]]
        idf, coef = np.ones(len(terms)), np.zeros((len(terms), len(classes)))
        blocks.append(Block(block.name, block.analyzer, block.ngrams, terms, idf, coef))
    intercept, temperature = np.zeros(len(classes)), calibration.temperature
    made = WorkbenchModel(
        classes, tuple(blocks), intercept, temperature, policy, min_known, "", scorer, calibration, kind
    )
    return made.named()


def without_scorer(kind: str) -> Scorer:
    """A scorer for a model that was read back from its folder: that holds evidence, and no encoder."""

    def refuse(texts: Sequence[str]) -> Floats:
        cure = "Train it again, or judge it on the labels it was trained with"
        raise BundleError(f"a {kind} model that was read from a folder scores no new text", cure=cure)

    return refuse


def _id(kind: str, calibration: Calibration, policy: Policy, min_known: float, min_words: float) -> str:
    told = {"kind": kind, "temperature": calibration.temperature, "shift": list(calibration.shift)}
    told |= {"policy": policy.to_dict(), "min_known": min_known, "min_words": min_words}
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()[:12]
