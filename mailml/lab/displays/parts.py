"""What is taken for what, and for whose mail it is worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from mailml.lab.displays.display import Display, percent
from mailml.lab.report import drawings
from mailml.lab.report.figures import BAD, CALM, GOOD, MUTED, Picture, canvas, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mailml.lab.evaluation import Evaluation


@dataclass(repr=False)
class ConfusionDisplay(Display):
    """Truth in rows, decided answers in columns."""

    counts: Sequence[Sequence[int]]
    classes: Sequence[str]
    actions: Sequence[str]

    @classmethod
    def from_report(cls, report: Evaluation) -> Self:
        """From what `lab.evaluate` returns."""
        return cls(report.confusion().to_numpy().tolist(), report.classes, report.policy.actions)

    @property
    def alt(self) -> str:
        """How many are on the diagonal."""
        total = sum(map(sum, self.counts))
        right = sum(row[at] for at, row in enumerate(self.counts))
        return f"Confusion: {right:,} of {total:,} messages got the answer that is their label"

    def draw(self, axes: Axes) -> None:
        """The shade is the share of the row."""
        drawings.draw_confusion(axes, self.counts, self.classes, self.actions)

    def picture(self) -> Picture:
        """As large as the classes need."""
        size = len(self.classes)
        with canvas(1.9 + 1.05 * size, 1.1 + 0.6 * size, self.alt) as drawing:
            self.draw(drawing.axes)
        return drawing.picture


@dataclass(repr=False)
class SliceDisplay(Display):
    """Accuracy of parts of the mail with intervals, against the accuracy of all of it."""

    what: str
    names: Sequence[str]
    shares: Sequence[tuple[float, float, float, int]]  # accuracy, low, high, messages
    overall: float

    @classmethod
    def from_report(cls, report: Evaluation, what: str = "language") -> Self:
        """From what `lab.evaluate` returns: by language, length, month or sender_domain."""
        frame = report.by(what)
        columns = ["accuracy", "accuracy_low", "accuracy_high", "messages"]
        rows = [tuple(row) for row in frame[columns].itertuples(index=False)]
        return cls(what, [str(name) for name in frame.index], rows, report.accuracy.value)

    @property
    def alt(self) -> str:
        """The worst part."""
        worst = min(zip(self.shares, self.names, strict=True), default=((0.0, 0.0, 0.0, 0), "none"))
        return f"Accuracy by {self.what.replace('_', ' ')}: {self.overall:.0%} overall, worst {worst[1]}"

    def draw(self, axes: Axes) -> None:
        """A part is coloured where its whole interval lies on one side of the dashed line."""
        axes.axvline(self.overall, color=MUTED, lw=1, ls="--")
        for at, (value, low, high, count) in enumerate(reversed(self.shares)):
            colour = BAD if high < self.overall else GOOD if low > self.overall else CALM
            axes.plot([low, high], [at, at], color=colour, lw=2.2, alpha=0.45)
            axes.plot([value], [at], "o", ms=7, color=colour)
            beside: Any = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
            where: Any = {"xycoords": ("axes fraction", "data"), **beside}
            axes.annotate(f"{int(count):,}", (1.0, at), fontsize=8, color=MUTED, **where)
        axes.set_yticks(range(len(self.names)), [label(name, 26) for name in reversed(self.names)])
        axes.set_ylim(-0.6, len(self.names) - 0.4)
        axes.set_xlabel("right (95% interval; messages on the right; dashed: all mail)")
        axes.grid(visible=False, axis="y")
        percent(axes.xaxis)

    def picture(self) -> Picture:
        """As high as the parts need."""
        with canvas(7.4, 0.9 + 0.34 * max(len(self.names), 1), self.alt) as drawing:
            self.draw(drawing.axes)
        return drawing.picture
