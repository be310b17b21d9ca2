"""The default estimator: TF-IDF over words and characters, multinomial logistic regression, temperature.

The regularisation (C = 10) and balanced class weights are measured: the weights gain 5 to 12 points of
macro-F1 at 300 labels. Calibration is one temperature (Guo et al., ICML 2017) and a small shift per class,
which undoes what the balancing did to the class frequencies; both fit out-of-fold scores of whole groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier import Model, Policy
from mailml.classifier.ngrams import Block
from mailml.errors import BundleError
from mailml.lab.vocabulary import Counted, Ints

Floats = NDArray[np.float64]
TOLERANCE = 1e-6  # between the estimator's probabilities and those of the exported arrays
_SHRINK = 0.05  # pull of the shifts towards none, per example of evidence


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted estimator: its columns of every block, idf transformers, and the linear layer."""

    classes: tuple[str, ...]
    columns: tuple[Ints, ...]
    transformers: tuple[Any, ...]
    coef: Floats  # (classes, terms)
    intercept: Floats

    def scores(self, blocks: Sequence[Counted], rows: Ints) -> Floats:
        """Raw class scores (logits) of the given rows: (rows, classes)."""
        matrix = _matrix(blocks, rows, self.columns, self.transformers)
        return np.asarray(matrix @ self.coef.T) + self.intercept

    def known(self, blocks: Sequence[Counted], rows: Ints) -> Floats:
        """The share of each row's n-grams that this estimator knows."""
        pairs = [block.known(rows, cols) for block, cols in zip(blocks, self.columns, strict=True)]
        held, total = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
        return np.asarray(held / np.maximum(total, 1.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores -> probabilities: softmax((scores + shift) / temperature)."""

    temperature: float
    shift: tuple[float, ...]

    def proba(self, scores: Floats) -> Floats:
        """(n, classes) -> (n, classes)."""
        return softmax((scores + np.array(self.shift)) / self.temperature)


def fit(
    blocks: Sequence[Counted],
    rows: Ints,
    labels: Sequence[str],
    owners: tuple[Ints, Ints],
    settings: Mapping[str, Any],
) -> Fitted:
    """Fit on some rows; `labels` are theirs, `owners` the (sender, thread) numbers of all rows."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    columns = tuple(block.kept(rows, *owners) for block in blocks)
    transformers = tuple(
        TfidfTransformer(sublinear_tf=True).fit(block.counts[rows][:, cols]) if len(cols) else None
        for block, cols in zip(blocks, columns, strict=True)
    )
    matrix = _matrix(blocks, rows, columns, transformers)
    layer = LogisticRegression(C=settings["C"], class_weight=settings["class_weight"], max_iter=300, tol=1e-3)
    # sparse products gain nothing from threads, which wait by spinning: one took a fifth of the CPU time of
    # two on a busy machine, and its sums are the same on every machine
    with threadpool_limits(1):
        layer.fit(matrix, np.asarray(labels))
    coef, intercept = layer.coef_, layer.intercept_
    if len(layer.classes_) == 2:  # one row of scores becomes two, symmetric around zero
        coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    return Fitted(tuple(map(str, layer.classes_)), columns, transformers, coef, intercept)


def calibrate(scores: Floats, truth: Ints) -> Calibration:
    """The temperature and the shifts that make out-of-fold scores most likely, shifts shrunk towards none."""
    from scipy.optimize import minimize

    n, k = scores.shape
    rows = np.arange(n)

    def loss(x: Floats) -> float:
        z = scores * np.exp(x[0]) + x[1:]
        z = z - z.max(axis=1, keepdims=True)
        likelihood = z[rows, truth] - np.log(np.exp(z).sum(axis=1))
        return float(-likelihood.mean() + _SHRINK * (x[1:] @ x[1:]) * k / max(n, 1) + 1e-3 * x[0] ** 2)

    best = minimize(loss, np.zeros(k + 1), method="L-BFGS-B", bounds=[(-4, 4)] + [(-3, 3)] * k).x
    temperature = float(np.exp(-best[0]))
    return Calibration(temperature, tuple(float(b) * temperature for b in best[1:]))


def temper(calibration: Calibration, scores: Floats, truth: Ints, weights: Floats) -> Calibration:
    """The same shifts with the temperature that makes these weighted scores most likely."""
    from scipy.optimize import minimize_scalar

    shifted, rows = scores + np.array(calibration.shift), np.arange(len(truth))

    def loss(x: float) -> float:
        z = shifted * np.exp(x)
        z = z - z.max(axis=1, keepdims=True)
        likelihood = z[rows, truth] - np.log(np.exp(z).sum(axis=1))
        return float(-(likelihood * weights).sum() / weights.sum() + 1e-3 * x**2)

    best = minimize_scalar(loss, bounds=(-4, 4), method="bounded").x
    return Calibration(float(np.exp(-best)), calibration.shift)


def to_model(
    fitted: Fitted,
    blocks: Sequence[Counted],
    calibration: Calibration,
    policy: Policy,
    min_known: float,
    texts: Sequence[str],
) -> tuple[Model, float]:
    """The served model, proven equal to the estimator on `texts` (the first rows of the blocks).

    Returns the model and the largest difference of a probability. Raises BundleError above 1e-6.
    """
    rows = np.arange(len(texts))
    expected = calibration.proba(fitted.scores(blocks, rows))
    made = _assemble(fitted, blocks, calibration, policy, min_known)
    gap = np.inf
    for dtype in (np.float32, np.float64):  # half the size where that is exact enough
        meta, arrays = made.to_arrays()
        narrowed = {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in arrays.items()}
        model = Model.from_arrays(meta, narrowed)
        gap = float(np.abs(model.probas(texts) - expected).max(initial=0.0))
        if gap <= TOLERANCE:
            return model, gap
    raise BundleError(
        f"the exported arrays differ from the trained estimator by {gap:.1e}",
        cure="This is a defect of mailml: please report it with the versions of numpy and scikit-learn",
    )


def softmax(z: Floats) -> Floats:
    """Row-wise softmax, safe for large scores."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True), dtype=np.float64)


def _assemble(
    fitted: Fitted, blocks: Sequence[Counted], calibration: Calibration, policy: Policy, min_known: float
) -> Model:
    made, start = [], 0
    for block, columns, transformer in zip(blocks, fitted.columns, fitted.transformers, strict=True):
        end = start + len(columns)
        idf = np.asarray(transformer.idf_) if transformer is not None else np.empty(0)
        terms = [str(term) for term in block.terms[columns]]
        made.append(Block(block.name, block.analyzer, block.ngrams, terms, idf, fitted.coef[:, start:end].T))
        start = end
    intercept = fitted.intercept + np.array(calibration.shift)
    return Model(fitted.classes, tuple(made), intercept, calibration.temperature, policy, min_known, "")


def _matrix(
    blocks: Sequence[Counted], rows: Ints, columns: Sequence[Ints], transformers: Sequence[Any]
) -> Any:
    from scipy.sparse import csr_matrix, hstack

    parts = [
        transformer.transform(block.counts[rows][:, cols])
        if transformer is not None
        else csr_matrix((len(rows), 0))
        for block, cols, transformer in zip(blocks, columns, transformers, strict=True)
    ]
    return hstack(parts, format="csr")
