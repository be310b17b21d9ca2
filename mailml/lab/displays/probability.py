"""What probabilities promise, and what a threshold on them would do and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mailml.classifier import Policy
from mailml.lab import measures
from mailml.lab.displays.display import Display, percent
from mailml.lab.intervals import Share, wilson
from mailml.lab.report.figures import CALM, COLOURS, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mailml.lab.evaluation import Evaluation


@dataclass(repr=False)
class ReliabilityDisplay(Display):
    """What was promised against what came true, in tenths of probability, with Wilson intervals."""

    promised: Sequence[float]
    true: Sequence[Share]

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_prob: Any, *, classes: Sequence[Any] | None = None, n_bins: int = 10
    ) -> Self:
        """From true labels and probabilities of shape (n, classes), columns in the order of `classes`."""
        names = list(classes) if classes is not None else sorted(set(y_true))
        truth = np.array([names.index(label) for label in y_true], dtype=np.int64)
        return cls._from(truth, np.asarray(y_prob, dtype=float), n_bins)

    @classmethod
    def from_report(cls, report: Evaluation, *, n_bins: int = 10) -> Self:
        """From what `lab.evaluate` returns."""
        return cls._from(report.truth, report.probabilities, n_bins)

    @classmethod
    def _from(cls, truth: Any, probabilities: Any, n_bins: int) -> Self:
        points = measures.reliability(truth, probabilities, n_bins)
        return cls([p for p, _, _ in points], [wilson(round(t * n), n) for _, t, n in points])

    @property
    def ece(self) -> float:
        """The mean gap between promise and truth, weighted by messages."""
        total = sum(share.of for share in self.true)
        gaps = (abs(p - t.value) * t.of for p, t in zip(self.promised, self.true, strict=True))
        return sum(gaps) / max(total, 1)

    @property
    def alt(self) -> str:
        """The mean gap in words."""
        return f"Reliability: promises are off by {self.ece:.3f} on average over {len(self.true)} tenths"

    def draw(self, axes: Axes) -> None:
        """The dashed line is perfect; dots are as large as their number of messages."""
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls="--")
        biggest = max((share.of for share in self.true), default=1)
        for promised, share in zip(self.promised, self.true, strict=True):
            axes.plot([promised] * 2, [share.low, share.high], color=CALM, lw=2, alpha=0.35)
            axes.scatter([promised], [share.value], s=20 + 160 * share.of / biggest, color=CALM, zorder=3)
            below: Any = {"xytext": (0, -12), "textcoords": "offset points", "ha": "center"}
            axes.annotate(f"{share.of:,}", (promised, share.low), fontsize=8, color=MUTED, **below)
        axes.set_xlim(0, 1.03)
        axes.set_ylim(-0.04, 1.03)
        axes.set_xlabel("promised probability")
        axes.set_ylabel("share that came true (95% interval, messages)")
        percent(axes.xaxis, axes.yaxis)


@dataclass(repr=False)
class CoverageCostDisplay(Display):
    """What one threshold would do: the share answered, how right that is, and what all mail costs.

    `decided` is where the policy stands: coverage, accuracy of the answered, cost; `single` the cost of the
    best single queue for everything.
    """

    size = (6.6, 4.0)
    coverage: Sequence[float]
    accuracy: Sequence[float]
    cost: Sequence[float]
    decided: tuple[float, float, float] | None = None
    single: float | None = None

    @classmethod
    def from_predictions(cls, y_true: Any, y_prob: Any, policy: Policy) -> Self:
        """From true labels and probabilities in the policy's class order."""
        truth = np.array([policy.classes.index(label) for label in y_true], dtype=np.int64)
        probabilities, matrix = np.asarray(y_prob, dtype=float), policy.matrix()
        taken = policy.taken(np.round(probabilities, 6))
        answered = (taken != policy.actions.index(policy.fallback)) | (
            probabilities.argmax(axis=1) == policy.actions.index(policy.fallback)
        )
        return cls._from(truth, probabilities, policy, taken, answered, matrix)

    @classmethod
    def from_report(cls, report: Evaluation) -> Self:
        """From what `lab.evaluate` returns."""
        matrix = report.policy.matrix()
        return cls._from(
            report.truth, report.probabilities, report.policy, report.said, report.answered, matrix
        )

    @classmethod
    def _from(
        cls, truth: Any, probabilities: Any, policy: Policy, said: Any, answered: Any, matrix: Any
    ) -> Self:
        rows = measures.coverage_curve(truth, probabilities, policy)
        right = float((said == truth)[answered].mean()) if answered.any() else float("nan")
        here = (float(answered.mean()), right, float(matrix[truth, said].mean()))
        coverage, accuracy, cost = ([row[name] for row in rows] for name in ("coverage", "accuracy", "cost"))
        return cls(coverage, accuracy, cost, here, float(np.min(matrix[truth].mean(axis=0))))

    @property
    def alt(self) -> str:
        """Where the policy stands, in words."""
        if self.decided is None:
            return "Coverage, accuracy and cost by threshold"
        coverage, accuracy, cost = self.decided
        return f"Coverage and cost: {coverage:.0%} answered, {accuracy:.0%} of it right, {cost:.3f} a message"

    def draw(self, axes: Axes) -> None:
        """Accuracy in blue on the left scale, cost in orange on the right; stars are the policy in use."""
        right = axes.twinx()
        axes.plot(self.coverage, self.accuracy, color=CALM, lw=2)
        right.plot(self.coverage, self.cost, color=COLOURS[1], lw=2)
        if self.single is not None:
            right.axhline(self.single, color=COLOURS[1], lw=1.2, ls=":")
            right.annotate("best single queue", (0.01, self.single), (0, 3), textcoords="offset points",
                           xycoords=("axes fraction", "data"), fontsize=8, color=MUTED)  # fmt: skip
        if self.decided is not None:
            coverage, accuracy, cost = self.decided
            axes.plot([coverage], [accuracy], "*", ms=14, color=CALM, mec="white", zorder=4)
            right.plot([coverage], [cost], "*", ms=14, color=COLOURS[1], mec="white", zorder=4)
        axes.set_xlabel("share of messages answered (★ the policy in use, lines: one threshold for all)")
        axes.set_ylabel("right when answered", color=CALM)
        right.set_ylabel("cost a message", color=COLOURS[1])
        axes.set_xlim(0, 1.03)
        right.set_ylim(bottom=0)
        right.grid(visible=False)
        percent(axes.xaxis, axes.yaxis)
