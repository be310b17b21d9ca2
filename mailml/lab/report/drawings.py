"""Pictures with a shape of their own: flows between queues, confusion, calibration, waiting times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mailml.lab.report.figures import BAD, CALM, COLOURS, GOOD, GRID, INK, MUTED, Picture, canvas, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def transfers(moves: Mapping[tuple[str, str], int], alt: str, heads: tuple[str, str]) -> Picture:
    """Bands from the queues on the left to the queues on the right, as wide as the messages that took them.

    `moves` counts messages per (from, to). Bands that stay in their queue are pale, so that the eye goes to
    those that do not.
    """
    names = sorted({name for pair in moves for name in pair})
    colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
    total = max(sum(moves.values()), 1)
    gap = total * 0.035
    with canvas(8.2, 1.2 + 0.55 * max(len(names), 1), alt) as drawing:
        axes = drawing.axes
        left = _column(axes, moves, names, colours, 0, gap)
        right = _column(axes, moves, names, colours, 1, gap)
        for (source, target), count in sorted(moves.items()):
            _band(axes, left[source], right[target], count, colours[source], moved=source != target)
            left[source] -= count
            right[target] -= count
        axes.text(0, gap * 1.2, label(heads[0]), ha="center", va="bottom", color=MUTED, fontsize=9)
        axes.text(1, gap * 1.2, label(heads[1]), ha="center", va="bottom", color=MUTED, fontsize=9)
        axes.set_xlim(-0.42, 1.42)
        axes.axis("off")
    return drawing.picture


def _column(
    axes: Axes,
    moves: Mapping[tuple[str, str], int],
    names: Sequence[str],
    colours: Mapping[str, str],
    side: int,
    gap: float,
) -> dict[str, float]:
    """Draw the blocks of one side from the top down; where each begins."""
    top, starts = 0.0, {}
    for name in names:
        size = sum(count for pair, count in moves.items() if pair[side] == name)
        starts[name] = top
        if not size:
            continue
        x = -0.02 if side == 0 else 1.0
        axes.bar(x, -size, width=0.02, bottom=top, color=colours[name], align="edge")
        text, where = f"{label(name, 22)}  {size:,}", -0.04 if side == 0 else 1.04
        axes.text(where, top - size / 2, text, ha="right" if side == 0 else "left", va="center", fontsize=9)
        top -= size + gap
    return starts


def _band(axes: Axes, left: float, right: float, count: int, colour: str, *, moved: bool) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    curve = [Path.CURVE4] * 3
    points = [(0, left), (0.5, left), (0.5, right), (1, right), (1, right - count)]
    points += [(0.5, right - count), (0.5, left - count), (0, left - count), (0, left)]
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    alpha = 0.62 if moved else 0.16
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, alpha=alpha, lw=0))


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], alt: str) -> Picture:
    """Truth in rows, the classifier's answer in columns; the shade is the share of its row."""
    size = len(classes)
    with canvas(1.9 + 1.05 * size, 1.1 + 0.6 * size, alt) as drawing:
        draw_confusion(drawing.axes, counts, classes, classes)
    return drawing.picture


def draw_confusion(
    axes: Axes, counts: Sequence[Sequence[int]], classes: Sequence[str], actions: Sequence[str]
) -> None:
    """The same on axes that are there, with answers that may be more than the classes."""
    shade = [[value / max(sum(row), 1) for value in row] for row in counts]
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(counts):
        for x, value in enumerate(row):
            colour = "white" if shade[y][x] > 0.55 else INK
            told = f"{value:,}\n{shade[y][x]:.0%}"
            axes.text(x, y, told, ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(actions)), [label(name, 16) for name in actions])
    axes.set_yticks(range(len(classes)), [label(name, 16) for name in classes])
    axes.set_xlabel("the classifier says")
    axes.set_ylabel("truth")
    axes.grid(visible=False)


def calibration(points: Sequence[tuple[float, float, int]], alt: str) -> Picture:
    """What the classifier promised (x) against what came true (y); dots as large as their number of cases."""
    biggest = max((count for _, _, count in points), default=1)
    with canvas(4.4, 3.9, alt) as drawing:
        axes = drawing.axes
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls="--")
        axes.plot([p for p, _, _ in points], [y for _, y, _ in points], color=CALM, lw=1.4, alpha=0.6)
        sizes = [24 + 190 * count / biggest for _, _, count in points]
        axes.scatter([p for p, _, _ in points], [y for _, y, _ in points], s=sizes, color=CALM, alpha=0.85)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("promised probability")
        axes.set_ylabel("share that came true")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _at: f"{value:.0%}")
    return drawing.picture


def waiting(hours: Mapping[str, Sequence[float]], target_hours: float, alt: str, limit: float = 0) -> Picture:
    """For each queue the share answered within so many business hours; the target is the vertical line."""
    with canvas(8.2, 3.3, alt) as drawing:
        axes = drawing.axes
        limit = limit or max(target_hours * 3, 1.0)
        for at, (name, values) in enumerate(hours.items()):
            ordered = sorted(values)
            if not ordered:
                continue
            up = [(n + 1) / len(ordered) for n in range(len(ordered))]
            colour = COLOURS[at % len(COLOURS)]
            axes.step([0.0, *ordered], [0.0, *up], where="post", color=colour, lw=2, label=label(name, 24))
        axes.axvspan(0, target_hours, color=GOOD, alpha=0.07, lw=0)
        axes.axvline(target_hours, color=BAD, lw=1.4)
        axes.set_xlim(0, limit)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("business hours until the first human answer")
        axes.yaxis.set_major_formatter(lambda value, _at: f"{value:.0%}")
        axes.legend(loc="lower right", fontsize=9)
        axes.spines["left"].set_color(GRID)
    return drawing.picture
