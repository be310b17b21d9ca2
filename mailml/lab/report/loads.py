"""The load per queue and hour, before and after: one strip per queue, as high as its busiest hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.lab.loads import busiest
from mailml.lab.report.figures import CALM, INK, MUTED, Picture, canvas, label
from mailml.lab.report.page import Section, from_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def load_section(load: pd.DataFrame, zone: str) -> Section:
    """The picture, the busiest hours, and every hour's numbers on demand."""
    lead = (
        f"Messages a day in each hour ({zone}), over the days on which mail came. Grey before, blue after; "
        "each strip is as high as its own busiest hour. Busy days are the 95th percentile."
    )
    tables = (
        from_frame(busiest(load), "Per day, and the busiest hour"),
        from_frame(load, "Every hour", folded=True),
    )
    return Section("Load per queue and hour", lead, load_picture(load), tables)


def load_picture(load: pd.DataFrame) -> Picture:
    """Steps over 24 hours, queue under queue."""
    queues = list(dict.fromkeys(load["queue"]))
    alt = "Messages per hour of the day and queue, before and after; the numbers stand in the tables."
    with canvas(8.2, 0.9 + 0.62 * max(len(queues), 1), alt) as drawing:
        axes = drawing.axes
        for at, queue in enumerate(reversed(queues)):
            _strip(axes, load[load["queue"].eq(queue)], at)
        axes.set_yticks(
            [at + 0.3 for at in range(len(queues))], [label(name, 24) for name in reversed(queues)]
        )
        axes.set_xlim(0, 24)
        axes.set_ylim(-0.05, max(len(queues), 1) + 0.05)
        axes.set_xticks(range(0, 25, 3), [f"{hour:02d}" for hour in range(0, 25, 3)])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
    return drawing.picture


def _strip(axes: Axes, rows: pd.DataFrame, at: int) -> None:
    top = max(float(rows["before"].max()), float(rows["after"].max()))
    scale = 0.8 / top if top else 0.0
    edges = list(range(25))
    before, after = ([at + scale * value for value in rows[side]] for side in ("before", "after"))
    axes.stairs(before, edges, baseline=at, fill=True, color=MUTED, alpha=0.28, lw=0)
    axes.stairs(after, edges, baseline=None, color=CALM, lw=1.8)
    axes.axhline(at, color=MUTED, lw=0.6)
    axes.text(23.9, at + 0.62, f"peak {top:.2g}", ha="right", va="center", color=INK, fontsize=8)
