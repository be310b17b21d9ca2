"""The simulation of ageing as a page: who waits how long, which promises break, who is busy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mailml.lab.report.figures import BAD, CALM, GOOD, MUTED, Picture, canvas, label
from mailml.lab.report.page import Page, Section, Table, Tile, table
from mailml.lab.resampling import Interval
from mailml.lab.simulated import minutes, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mailml.lab.simulated import Simulated

Row = dict[str, Any]
_ONES = ("before", "after", "change")


def ageing_page(made: Simulated) -> Page:
    """The page: tiles, waiting time and broken promises per queue with pictures, how busy the teams are."""
    rows: list[Row] = [{str(k): v for k, v in row.items()} for row in made.by_queue().to_dict("records")]
    lead = (
        f"Candidate {made.candidate} (after) against {made.baseline} (before): same mail, people and hard "
        f"cases. Simulated over {made.seeds} draws of how long answers take. {made.note}"
    ).strip()
    return Page(
        "Who waits how long",
        lead,
        made.source,
        made.until,
        _tiles(rows[-1]),
        (
            _section(rows, "wait", "Waiting time", "Minutes of open time until somebody begins the answer."),
            _section(
                rows,
                "breach_rate",
                "Broken promises",
                "Share of first answers that come too late.",
            ),
            _occupied(made),
        ),
    )


def _tiles(row: Row) -> tuple[Tile, ...]:
    wait, late, ended = row["wait_change"], row["breach_rate_change"], row["breaches_change"]
    waited = f"was {_number(row['wait_before'])}; {minutes(wait, change=True)}"
    rates = [percent(row[f"breach_rate_{side}"]).split(" ")[0] for side in ("before", "after")]
    span = f"{ended.low:+,.0f} to {ended.high:+,.0f}"
    return (
        Tile("mean wait after", _number(row["wait_after"]), waited, _mood(wait)),
        Tile("late after", rates[1], f"was {rates[0]}; {percent(late, change=True)}", _mood(late)),
        Tile("broken promises", f"{ended.value:+,.0f}", span, _mood(ended)),
    )


def _section(rows: Sequence[Row], name: str, title: str, lead: str) -> Section:
    tell = minutes if name == "wait" else percent
    columns = ("queue", "messages", "before", "after", "change")
    cells = [
        (
            row["queue"],
            row["messages_after"],
            tell(row[f"{name}_before"]),
            tell(row[f"{name}_after"]),
            minutes(row[f"{name}_change"], change=True)
            if name == "wait"
            else percent(row[f"{name}_change"], change=True),
        )
        for row in rows
    ]
    tables: list[Table] = [table(columns, cells)]
    if name == "wait":
        slow = [
            (row["queue"], *(minutes(row[f"p90_{one}"], change=one == "change") for one in _ONES))
            for row in rows
        ]
        tables.append(table(("queue", *_ONES), slow, "Nine of ten wait at most"))
    told = f"{lead} Lines are 95% intervals over the draws."
    return Section(title, told, picture(rows, name), tuple(tables))


def picture(rows: Sequence[Row], name: str) -> Picture:
    """Two dots a queue with their intervals: grey before, coloured after."""
    alt = f"{name.replace('_', ' ')} per queue, before and after, with intervals; numbers in the table."
    with canvas(8.2, 0.75 + 0.42 * max(len(rows), 1), alt) as drawing:
        axes = drawing.axes
        for at, row in enumerate(reversed(rows)):
            colour = {"good": GOOD, "bad": BAD, "": CALM}[_mood(row[f"{name}_change"])]
            _dot(axes, row[f"{name}_before"], at + 0.14, MUTED)
            _dot(axes, row[f"{name}_after"], at - 0.14, colour)
        axes.set_yticks(range(len(rows)), [label(row["queue"]) for row in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("grey: before, colour: after" + (", minutes" if name == "wait" else ""))
        if name != "wait":
            axes.xaxis.set_major_formatter(lambda value, _at: f"{value:.0%}")
    return drawing.picture


def _dot(axes: Axes, value: Interval, at: float, colour: str) -> None:
    if not math.isfinite(value.value):
        return
    axes.plot([value.low, value.high], [at, at], color=colour, lw=2.2, alpha=0.45, solid_capstyle="round")
    axes.plot([value.value], [at], "o", ms=7, color=colour, clip_on=False)


def _occupied(made: Simulated) -> Section:
    rows = made.occupied()
    cells = [(row.team, f"{row.before:.0%}", f"{row.after:.0%}") for row in rows.itertuples(index=False)]
    lead = "Share of its time that each team works. Above 85% a queue runs away on every busy day."
    return Section("How busy the teams are", lead, None, (table(("team", "before", "after"), cells),))


def _number(value: Interval) -> str:
    return f"{value.value:,.1f} min" if math.isfinite(value.value) else "–"


def _mood(change: Interval) -> str:
    """Coloured only where the interval says that it is no accident of the draws."""
    return "good" if change.high < 0 else "bad" if change.low > 0 else ""
