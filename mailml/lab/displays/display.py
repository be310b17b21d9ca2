"""What all displays share: drawn on any axes, or shown as a picture with words for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from mailml.lab.report.figures import Picture, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Display(ABC):
    """A subclass says what it looks like in `draw` and in words in `alt`; `size` is in inches."""

    size = (5.4, 4.0)
    ax_: Axes
    figure_: Any

    @abstractmethod
    def draw(self, axes: Axes) -> None:
        """Draw on these axes."""

    @property
    @abstractmethod
    def alt(self) -> str:
        """The sentence that stands for the picture."""

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on `ax`, or on a new figure; returns the display."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(figsize=self.size, layout="constrained").add_subplot()
        self.draw(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def picture(self) -> Picture:
        """The display as an SVG in the house style."""
        with canvas(*self.size, self.alt) as drawing:
            self.draw(drawing.axes)
        return drawing.picture

    def _repr_html_(self) -> str:
        return self.picture().html()


def percent(*scales: Any) -> None:
    """Label axes in per cent."""
    for scale in scales:
        scale.set_major_formatter(lambda value, _at: f"{value:.0%}")
