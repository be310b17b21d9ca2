"""How good the model would be with fewer labels, and what more of them would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from mailml.errors import NotEnoughData
from mailml.lab.calibration import calibrate
from mailml.lab.evaluation import decided
from mailml.lab.train import Trained
from mailml.lab.vocabulary import Ints

if TYPE_CHECKING:
    import pandas as pd

_SHARES = (0.15, 0.3, 0.5, 0.75, 1.0)
_LEAST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """Out-of-fold figures of models trained on about `labels` labels."""

    labels: int
    accuracy: float
    cost: float  # per message, as decided


@dataclass(frozen=True)
class LearningCurve:
    """Figures by number of labels; `forecast` continues the cost's fall as 1/sqrt(n)."""

    points: tuple[Point, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per number of labels."""
        import pandas as pd

        return pd.DataFrame([asdict(point) for point in self.points]).set_index("labels")

    def forecast(self, more: int) -> float:
        """The cost per message to expect with `more` labels on top; a guide, not a promise."""
        limit, slope = self._fit()
        return limit + slope / float(np.sqrt(self.points[-1].labels + more))

    def sentence(self, more: int = 200) -> str:
        """What `more` labels would buy, in words."""
        now, then = self.forecast(0), self.forecast(more)
        saved = 1000 * (now - then)
        if saved < 1:
            return f"{more} more labels of this kind would hardly change the cost."
        return f"{more} more labels would save about {saved:.0f} of {1000 * now:.0f} per 1,000 messages."

    def _fit(self) -> tuple[float, float]:
        x = np.array([1 / np.sqrt(point.labels) for point in self.points])
        y = np.array([point.cost for point in self.points])
        weights = 1 / x  # the points with more labels say more of what comes next
        slope, limit = np.polyfit(x, y, 1, w=weights)
        # more labels do not make it worse, and the limit is no gift
        return (float(limit), float(slope)) if slope > 0 and limit >= 0 else _clamped(x, y, weights)


def learning_curve(trained: Trained, shares: Sequence[float] = _SHARES) -> LearningCurve:
    """Train on shares of every fold's groups and judge on its held-out ones: nothing leaks, as in training.

    Takes as long as training for each share. Raises NotEnoughData when fewer than three points can be made.
    """
    points = [_point(trained, share) for share in sorted(set(shares))]
    made = tuple(point for point in points if point is not None)
    if len(made) < _LEAST_POINTS:
        raise NotEnoughData("too few labels for a learning curve", cure="Label some 50 messages first")
    return LearningCurve(made)


def _point(trained: Trained, share: float) -> Point | None:
    truth = trained.truth
    scores = np.zeros_like(trained.scores)
    known = np.zeros(len(truth))
    sizes = []
    for fold in trained.folds:
        rows = _some(fold.train, trained.groups, share)
        if len(set(truth[rows].tolist())) < len(trained.classes):
            return None  # with so few labels a class was never met
        fitted = trained.refit(rows)
        scores[fold.test] = fitted.scores(trained.corpus, fold.test)
        known[fold.test] = fitted.known(trained.corpus, fold.test)
        sizes.append(len(rows))
    p = calibrate(scores, truth).proba(scores)
    said = decided(trained.policy, p, known, 0.0)
    cost = float(trained.policy.matrix()[truth, said].mean())
    return Point(round(float(np.mean(sizes))), float((p.argmax(axis=1) == truth).mean()), cost)


def _some(rows: Ints, groups: Ints, share: float) -> Ints:
    """A share of the rows, group by group in a fixed shuffled order."""
    if share >= 1:
        return rows
    order = np.random.default_rng(7).permutation(np.unique(groups[rows]))
    rank = {int(group): place for place, group in enumerate(order)}
    ranked = rows[np.argsort([rank[int(g)] for g in groups[rows]], kind="stable")]
    return np.sort(ranked[: max(2, round(share * len(rows)))])


def _clamped(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The better of no fall at all and a fall to nothing."""
    flat = float(np.average(y, weights=weights**2))
    slope = max(0.0, float((weights**2 * x * y).sum() / (weights**2 * x * x).sum()))
    losses = [float((weights**2 * (y - fit) ** 2).sum()) for fit in (flat, slope * x)]
    return (flat, 0.0) if losses[0] <= losses[1] else (0.0, slope)
