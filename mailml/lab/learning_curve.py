"""How good the model would be with fewer labels, and what more of them would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mailml.errors import NotEnoughData
from mailml.lab.calibration import calibrate
from mailml.lab.evaluation import decided
from mailml.lab.resampling import Bootstrap, Floats, Interval
from mailml.lab.train import Trained
from mailml.lab.vocabulary import Ints

if TYPE_CHECKING:
    import pandas as pd

_SHARES = (0.15, 0.3, 0.5, 0.75, 1.0)
_LEAST_POINTS = 3
_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Point:
    """Out-of-fold figures of models trained on about `labels` labels."""

    labels: int
    accuracy: float
    cost: float  # per message, as decided
    cost_low: float = float("nan")  # its 95% interval, over whole groups
    cost_high: float = float("nan")


@dataclass(frozen=True)
class LearningCurve:
    """Figures by number of labels; the forecast continues the cost's fall as 1/sqrt(n).

    `redrawn` are the costs of the same points with the groups drawn again, (rounds, points): the interval of
    a forecast is that of its law fitted to every round. Which labels were drawn into a share is not in it.
    """

    points: tuple[Point, ...]
    redrawn: Floats | None = field(default=None, repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per number of labels: accuracy, cost and its interval."""
        import pandas as pd

        return pd.DataFrame([asdict(point) for point in self.points]).set_index("labels")

    def forecast(self, more: int) -> float:
        """The cost per message to expect with `more` labels on top; a guide, not a promise."""
        return self._at([point.cost for point in self.points], more)

    def expected(self, more: int) -> Interval:
        """The same with its 95% interval (unknown where no groups were drawn again)."""
        value = self.forecast(more)
        if self.redrawn is None:
            return Interval(value, float("nan"), float("nan"))
        low, high = np.quantile([self._at(row, more) for row in self.redrawn], [0.025, 0.975])
        return Interval(value, float(low), float(high))

    def saving(self, more: int = 200) -> Interval:
        """What `more` labels save per message; an interval that reaches 0 promises nothing."""
        value = self.forecast(0) - self.forecast(more)
        if self.redrawn is None:
            return Interval(value, float("nan"), float("nan"))
        drawn = [self._at(row, 0) - self._at(row, more) for row in self.redrawn]
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Interval(value, float(low), float(high))

    def sentence(self, more: int = 200) -> str:
        """What `more` labels would buy, in words."""
        saved, now = self.saving(more), 1000 * self.forecast(0)
        if 1000 * saved.value < 1:
            return f"{more:,} more labels of this kind would hardly change the cost."
        span = f" ({1000 * saved.low:.0f} to {1000 * saved.high:.0f})" if np.isfinite(saved.low) else ""
        told = f"{more:,} more labels would save about {1000 * saved.value:.0f}{span} of {now:.0f}"
        told += " per 1,000 messages"
        if more > 2 * self.points[-1].labels:
            return f"{told}; that is far beyond the {self.points[-1].labels:,} measured."
        return f"{told}."

    def _at(self, costs: Sequence[float] | Floats, more: int) -> float:
        limit, slope = _law(np.array([point.labels for point in self.points]), np.asarray(costs, dtype=float))
        return limit + slope / float(np.sqrt(self.points[-1].labels + more))

    def _repr_html_(self) -> str:
        from mailml.lab.displays import LearningCurveDisplay
        from mailml.lab.report.page import Page, Section, from_frame

        picture = LearningCurveDisplay(self).picture()
        table = from_frame(self.to_frame(), "measured, out-of-fold", folded=True, index=True)
        section = Section("Cost by number of labels", self.sentence(), picture, (table,))
        return Page("Learning curve", "", "", "", (), (section,))._repr_html_()


def learning_curve(trained: Trained, shares: Sequence[float] = _SHARES) -> LearningCurve:
    """Train on shares of every fold's groups and judge on its held-out ones: nothing leaks, as in training.

    Takes as long as training for each share. Raises NotEnoughData when fewer than three points can be made.
    """
    truth, matrix = trained.truth, trained.policy.matrix()
    made = [one for one in (_judged(trained, share) for share in sorted(set(shares))) if one is not None]
    if len(made) < _LEAST_POINTS:
        raise NotEnoughData("too few labels for a learning curve", cure="Label some 50 messages first")
    bootstrap = Bootstrap(trained.groups, rounds=_ROUNDS)
    points, redrawn = [], []
    for size, likeliest, said in made:
        costs = np.asarray(matrix[truth, said], dtype=np.float64)
        cost = bootstrap.mean(costs)
        points.append(
            Point(size, float((likeliest == truth).mean()), float(costs.mean()), cost.low, cost.high)
        )
        redrawn.append(bootstrap.means(costs))
    return LearningCurve(tuple(points), np.stack(redrawn, axis=1))


def _judged(trained: Trained, share: float) -> tuple[int, Ints, Ints] | None:
    """With a share of the labels: how many those are, each row's likeliest class and decided action."""
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
    return round(float(np.mean(sizes))), p.argmax(axis=1), decided(trained.policy, p, known, 0.0)


def _some(rows: Ints, groups: Ints, share: float) -> Ints:
    """A share of the rows, group by group in a fixed shuffled order."""
    if share >= 1:
        return rows
    order = np.random.default_rng(7).permutation(np.unique(groups[rows]))
    rank = {int(group): place for place, group in enumerate(order)}
    ranked = rows[np.argsort([rank[int(g)] for g in groups[rows]], kind="stable")]
    return np.sort(ranked[: max(2, round(share * len(rows)))])


def _law(labels: Ints, costs: Floats) -> tuple[float, float]:
    """(limit, slope) of cost = limit + slope / sqrt(labels), fitted with the larger sizes weighing more."""
    x = 1 / np.sqrt(labels)
    weights = 1 / x  # the points with more labels say more of what comes next
    slope, limit = np.polyfit(x, costs, 1, w=weights)
    # more labels do not make it worse, and the limit is no gift
    return (float(limit), float(slope)) if slope > 0 and limit >= 0 else _clamped(x, costs, weights)


def _clamped(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The better of no fall at all and a fall to nothing."""
    flat = float(np.average(y, weights=weights**2))
    slope = max(0.0, float((weights**2 * x * y).sum() / (weights**2 * x * x).sum()))
    losses = [float((weights**2 * (y - fit) ** 2).sum()) for fit in (flat, slope * x)]
    return (flat, 0.0) if losses[0] <= losses[1] else (0.0, slope)
