"""Pictures for reports and notebooks: offline SVG by matplotlib, each with words for those who cannot see it.

Every picture is an `<img>` with the SVG inside: an image document runs no script and loads nothing, whatever
a hostile label would like to do.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailml.lab.escape import esc, plain_text
from mailml.lab.intervals import Share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID, PAPER = "#1f2937", "#6b7280", "#e5e7eb", "#ffffff"
# Okabe and Ito's colours: safe for colour-blind readers, ordered so that neighbours differ in lightness too.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8d7b00", "#7f7f7f")
GOOD, BAD, CALM = "#009e73", "#d55e00", "#0072b2"

SMALL = 5.6  # inches; scaled to the width of a phone its letters can still be read

_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: 5 x smaller than outlines
    "svg.hashsalt": "mailml",  # the same picture is the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    "font.size": 10,
    # a label such as "$\\frac" from a customer's subject must not become mathematics
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.facecolor": PAPER,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG picture and the sentence that stands for it; a `small` one is seen whole on a phone."""

    svg: str
    alt: str
    small: bool = False

    def html(self) -> str:
        """The picture as an image element that holds everything it needs."""
        data = base64.b64encode(self.svg.encode()).decode()
        kind = "picture small" if self.small else "picture"
        return f'<img class="{kind}" alt="{esc(self.alt)}" src="data:image/svg+xml;base64,{data}">'

    def _repr_html_(self) -> str:
        return self.html()


class Drawing:
    """A canvas while it is drawn on; `picture` is there once the drawing is done."""

    axes: Axes
    picture: Picture


@contextmanager
def canvas(width: float, height: float, alt: str) -> Iterator[Drawing]:
    """A canvas of so many inches in the house style; its `picture` is ready when the block ends."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    drawing = Drawing()
    # a Figure of its own, not pyplot: no global state, no display, safe in threads
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        drawing.axes = figure.add_subplot()
        yield drawing
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    drawing.picture = Picture(text[text.index("<svg") :], alt, small=width <= SMALL)


def label(value: object, limit: int = 34) -> str:
    """A stranger's word as a label: no control characters, not longer than fits."""
    return plain_text(value, limit).replace("\n", " ")


def shares(
    rows: Sequence[tuple[str, Share]],
    alt: str,
    *,
    before: Mapping[str, Share] | None = None,
    names: tuple[str, str] = ("before", "after"),
    lower_is_better: bool = True,
) -> Picture:
    """Shares as dots with their intervals, one row each; with `before`, two dots a row and what changed."""
    with canvas(SMALL, (0.95 if before else 0.75) + 0.42 * max(len(rows), 1), alt) as drawing:
        axes = drawing.axes
        for at, (name, share) in enumerate(reversed(rows)):
            lift = 0.0
            old = (before or {}).get(name)
            if old is not None:
                lift = 0.14
                _dot(axes, old, at + lift, MUTED, names[0] if at == 0 else None)
            same = old is None or share.value == old.value
            better = old is None or (share.value < old.value) == lower_is_better
            _dot(axes, share, at - lift, CALM if same else GOOD if better else BAD, None)
        axes.set_yticks(range(len(rows)), [label(name) for name, _ in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        # room on the left: a dot at 0% must not be cut in half
        axes.set_xlim(left=-0.012)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(lambda value, _at: f"{value:.0%}")
        if before:
            axes.set_xlabel(f"grey: {label(names[0])}, colour: {label(names[1])}\nlines: 95% interval")
        else:
            axes.set_xlabel("lines: 95% interval")
    return drawing.picture


def _dot(axes: Axes, share: Share, at: float, colour: str, name: str | None) -> None:
    axes.plot([share.low, share.high], [at, at], color=colour, lw=2.2, alpha=0.45, solid_capstyle="round")
    if share.of:
        axes.plot([share.value], [at], "o", ms=7, color=colour, label=name)


def stacked(columns: Sequence[str], series: Mapping[str, Sequence[float]], alt: str, ylabel: str) -> Picture:
    """Stacked bars: one bar per column (a week, a day), one colour per series."""
    with canvas(8.2, 3.1, alt) as drawing:
        axes, base = drawing.axes, [0.0] * len(columns)
        for at, (name, values) in enumerate(series.items()):
            colour = COLOURS[at % len(COLOURS)]
            axes.bar(range(len(columns)), values, bottom=base, color=colour, width=0.82, label=label(name))
            base = [low + value for low, value in zip(base, values, strict=True)]
        _thin_ticks(axes, columns)
        axes.set_ylabel(label(ylabel))
        axes.locator_params(axis="y", integer=True)
        axes.grid(visible=False, axis="x")
        _legend_above(axes, series)
    return drawing.picture


def lines(
    columns: Sequence[str],
    series: Mapping[str, Sequence[float]],
    alt: str,
    ylabel: str,
    *,
    percent: bool = False,
) -> Picture:
    """Lines over columns, one colour per series."""
    with canvas(8.2, 2.9, alt) as drawing:
        axes = drawing.axes
        for at, (name, values) in enumerate(series.items()):
            colour = COLOURS[at % len(COLOURS)]
            axes.plot(range(len(columns)), values, color=colour, lw=2, label=label(name))
        _thin_ticks(axes, columns)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(label(ylabel))
        if percent:
            axes.yaxis.set_major_formatter(lambda value, _at: f"{value:.0%}")
        if len(series) > 1:
            _legend_above(axes, series)
    return drawing.picture


def bars(rows: Sequence[tuple[str, float]], alt: str, xlabel: str, colour: str = CALM) -> Picture:
    """Horizontal bars with their numbers at the end, in the order given."""
    with canvas(8.2, 0.7 + 0.34 * max(len(rows), 1), alt) as drawing:
        axes = drawing.axes
        names, values = [label(name) for name, _ in reversed(rows)], [value for _, value in reversed(rows)]
        axes.barh(range(len(rows)), values, color=colour, height=0.68)
        for at, value in enumerate(values):
            axes.text(value, at, f" {value:,.0f}", va="center", fontsize=9, color=MUTED)
        axes.set_yticks(range(len(rows)), names)
        axes.set_xlim(0, max([*values, 1]) * 1.12)
        axes.set_xlabel(label(xlabel))
        axes.grid(visible=False, axis="y")
    return drawing.picture


def heat(matrix: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], alt: str) -> Picture:
    """A heat map: rows by columns, darker is more, the numbers stand in the table below it."""
    with canvas(8.2, 0.6 + 0.34 * len(rows), alt) as drawing:
        axes = drawing.axes
        axes.imshow(matrix, cmap="Blues", aspect="auto", vmin=0)
        axes.set_yticks(range(len(rows)), [label(name) for name in rows])
        axes.set_xticks(range(len(columns)), [label(name, 12) for name in columns], fontsize=8)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return drawing.picture


def _thin_ticks(axes: Axes, columns: Sequence[str]) -> None:
    """At most eight tick labels: more of them overlap."""
    step = max(1, -(-len(columns) // 8))
    shown = range(0, len(columns), step)
    axes.set_xticks(list(shown), [label(columns[at], 12) for at in shown])
    # centred, the first one would run into the numbers of the other axis
    for text in axes.get_xticklabels():
        text.set_horizontalalignment("left")
    axes.set_xlim(-0.6, len(columns) - 0.4)


def _legend_above(axes: Axes, names: Iterable[str]) -> None:
    """As many names side by side as fit: a legend that is too wide is cut, and squeezes the axes."""
    longest = max((len(label(name)) for name in names), default=0)
    columns = max(1, min(5, 100 // (longest + 6)))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, fontsize=9, handlelength=1.2)
