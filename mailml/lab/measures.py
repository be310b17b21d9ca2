"""The figures of an evaluation, from truth, probabilities and decided actions: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mailml.classifier import Policy
from mailml.lab.resampling import Bootstrap, Floats, Interval, Ints, ratio

BINS = 10


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How good the answers for one class are: `support` messages are of it, `said` were said to be."""

    label: str
    precision: Interval
    recall: Interval
    f1: Interval
    support: int
    said: int


def per_class(truth: Ints, said: Ints, classes: tuple[str, ...], bootstrap: Bootstrap) -> list[ClassFigures]:
    """Precision, recall and F1 of every class, with intervals over groups."""
    return [_figures(name, truth == k, said == k, bootstrap) for k, name in enumerate(classes)]


def macro_f1(truth: Ints, said: Ints, classes: int, bootstrap: Bootstrap) -> Interval:
    """The mean F1 over the classes that occur; a class never said counts 0."""
    columns = [(truth == k, said == k) for k in range(classes) if (truth == k).any()]
    return bootstrap.interval(lambda w: np.mean([_f1(w, t, s) for t, s in columns], axis=0))


def log_loss(truth: Ints, probabilities: Floats) -> float:
    """Mean negative log probability of the truth, in nats."""
    if not len(truth):
        return float("nan")
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(given, 1e-15, 1)).mean())


def reliability(truth: Ints, probabilities: Floats, bins: int = BINS) -> list[tuple[float, float, int]]:
    """(mean promised probability, share that came true, count) of the likeliest class, per tenth."""
    confidence, hit = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    inside = [which == b for b in range(bins)]
    return [(float(confidence[i].mean()), float(hit[i].mean()), int(i.sum())) for i in inside if i.any()]


def ece(truth: Ints, probabilities: Floats, bins: int = BINS) -> float:
    """Expected calibration error of the likeliest class, in tenths (Guo et al. 2017)."""
    points = reliability(truth, probabilities, bins)
    total = sum(count for _, _, count in points)
    return sum(abs(promised - true) * count for promised, true, count in points) / max(total, 1)


def confusion(truth: Ints, said: Ints, classes: int, actions: int) -> NDArray[np.int64]:
    """How often each truth (row) got each action (column)."""
    counts = np.bincount(truth * actions + said, minlength=classes * actions)
    return counts.reshape(classes, actions).astype(np.int64)


def coverage_curve(truth: Ints, probabilities: Floats, policy: Policy) -> list[dict[str, float]]:
    """What one threshold over all classes would do: coverage, accuracy of the covered, cost per message."""
    matrix, fallback = policy.matrix(), policy.actions.index(policy.fallback)
    best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    rows = []
    for threshold in np.round(np.arange(0.0, 1.0, 0.05), 2):
        covered = confidence >= threshold
        taken = np.where(covered, best, fallback)
        right = float((best == truth)[covered].mean()) if covered.any() else float("nan")
        cost = float(matrix[truth, taken].mean())
        rows.append(
            {
                "threshold": float(threshold),
                "coverage": float(covered.mean()),
                "accuracy": right,
                "cost": cost,
            }
        )
    return rows


def _figures(
    name: str, true: NDArray[np.bool_], said: NDArray[np.bool_], bootstrap: Bootstrap
) -> ClassFigures:
    precision, recall = bootstrap.share(true, said), bootstrap.share(said, true)
    f1 = bootstrap.interval(lambda w: _f1(w, true, said))
    return ClassFigures(name, precision, recall, f1, int(true.sum()), int(said.sum()))


def _f1(w: Floats, true: NDArray[np.bool_], said: NDArray[np.bool_]) -> Floats:
    both, either = w @ (true & said).astype(np.float32), w @ (true.astype(np.float32) + said)
    return np.nan_to_num(ratio(2 * both, either))
