"""Cost by number of labels, measured and continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from mailml.lab.displays.display import Display
from mailml.lab.report.figures import BAD, CALM
from mailml.lab.resampling import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Curve(Protocol):
    """What is asked of a `lab.learning_curve`."""

    @property
    def points(self) -> Sequence[Any]:
        """Measured: labels, cost and its interval."""

    def expected(self, more: int) -> Interval:
        """The cost with more labels."""

    def sentence(self, more: int) -> str:
        """What they would buy."""


@dataclass(repr=False)
class LearningCurveDisplay(Display):
    """Cost by number of labels, and where it goes on: the band is the 95% interval."""

    size = (6.6, 3.8)
    curve: Curve
    more: int = 200

    @classmethod
    def from_curve(cls, curve: Curve, *, more: int = 200) -> Self:
        """From what `lab.learning_curve` returns, continued by `more` labels."""
        return cls(curve, more)

    @property
    def alt(self) -> str:
        """What more labels would buy."""
        return self.curve.sentence(self.more)

    def draw(self, axes: Axes) -> None:
        """Dots are measured, the line goes on as 1/sqrt(labels)."""
        points, last = self.curve.points, self.curve.points[-1].labels
        for point in points:
            axes.plot([point.labels] * 2, [point.cost_low, point.cost_high], color=CALM, lw=2, alpha=0.35)
        axes.plot(
            [point.labels for point in points], [point.cost for point in points], "o-", color=CALM, lw=1.6
        )
        steps = np.linspace(0, self.more, 12)
        ahead = [self.curve.expected(int(step)) for step in steps]
        axes.plot(last + steps, [one.value for one in ahead], color=BAD, lw=1.6, ls="--")
        if np.isfinite(ahead[-1].low):
            axes.fill_between(
                last + steps, [a.low for a in ahead], [a.high for a in ahead], color=BAD, alpha=0.12
            )
        axes.annotate(f"+{self.more:,} labels", (last + self.more, ahead[-1].value), (0, 8), ha="right",
                      textcoords="offset points", fontsize=9, color=BAD)  # fmt: skip
        axes.set_xlabel("labelled messages")
        axes.set_ylabel("cost a message")
        axes.set_ylim(bottom=0)
