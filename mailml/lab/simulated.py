"""What a simulation of waiting found: figures per queue, before and after, with intervals over its seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.lab.resampling import Interval
from mailml.lab.staffing import Staffing
from mailml.lab.workload import SIDES, joined

if TYPE_CHECKING:
    import pandas as pd

ALL = "all queues"
FIGURES = ("wait", "p90", "breach_rate", "breaches")


@dataclass(frozen=True, eq=False)
class Simulated:
    """Waiting times and broken promises per queue, before and after, over the seeds.

    `runs` has one row per seed, side (before, after) and queue (the one that answers): messages, wait and p90
    (minutes of open time until the answer is begun: mean and 90th percentile), promised, breaches,
    breach_rate and unanswered. `occupancy` has seed, side, team and the share of its time that it worked.
    """

    runs: pd.DataFrame
    occupancy: pd.DataFrame
    staffing: Staffing
    candidate: str
    baseline: str
    source: str
    note: str = ""
    until: str = ""  # the day of the last message

    @property
    def seeds(self) -> int:
        """How many times chance was drawn."""
        return int(self.runs["seed"].nunique())

    @cached_property
    def _table(self) -> pd.DataFrame:
        import pandas as pd

        parts = [(str(queue), part) for queue, part in self.runs.groupby("queue", sort=True)]
        return pd.DataFrame([_row(queue, part) for queue, part in [*parts, (ALL, joined(self.runs))]])

    def by_queue(self) -> pd.DataFrame:
        """Per queue and over all: each figure before, after and their paired change, with intervals.

        Intervals are 95% over the seeds: how far chance in the length of answers moves the mean.
        """
        return self._table.copy()

    def occupied(self) -> pd.DataFrame:
        """Per team: the share of its time that it works, before and after; above 85% queues run away."""
        table = self.occupancy.groupby(["team", "side"])["occupied"].mean().unstack("side")
        return table.reindex(columns=list(SIDES)).rename_axis(columns=None).reset_index()

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "candidate": self.candidate,
            "baseline": self.baseline,
            "seeds": self.seeds,
            "queues": [_plain(row) for row in self._table.to_dict("records")],
            "occupied": self.occupied().to_dict("records"),
            "note": self.note,
        }

    def __str__(self) -> str:
        head = ("queue", "waits before, min", "waits after, min", "late before", "late after")
        lines = [f"{self.candidate} against {self.baseline}, {self.seeds} seeds", _line(head)]
        for row in self._table.to_dict("records"):
            waits = [minutes(row[f"wait_{side}"]) for side in SIDES]
            late = [percent(row[f"breach_rate_{side}"]) for side in SIDES]
            lines.append(_line((row["queue"], *waits, *late)))
        return "\n".join([*lines, *filter(None, [self.note])])

    __repr__ = __str__


def over_seeds(values: Mapping[Any, float]) -> Interval:
    """The mean over seeds with its 95% interval (Student's t)."""
    from scipy.stats import t

    known = np.array([value for value in values.values() if math.isfinite(value)], dtype=float)
    if not len(known):
        return Interval(math.nan, math.nan, math.nan)
    mean = float(known.mean())
    if len(known) < 2:
        return Interval(mean, math.nan, math.nan)
    reach = float(t.ppf(0.975, len(known) - 1)) * float(known.std(ddof=1)) / math.sqrt(len(known))
    return Interval(mean, mean - reach, mean + reach)


def minutes(interval: Interval, *, change: bool = False) -> str:
    """`12.0 (10.1 to 15.2)`; a change with its sign."""
    parts = (interval.value, interval.low, interval.high)
    if not all(map(math.isfinite, parts)):
        return "–"
    # 0 is added so that no "-0" is shown
    form = "+,.1f" if change else ",.1f"
    value, low, high = (f"{round(part, 1) + 0.0:{form}}" for part in parts)
    return f"{value} ({low} to {high})"


def percent(interval: Interval, *, change: bool = False) -> str:
    """`12.0% (10.1% to 13.9%)`; a change with its sign, in points."""
    parts = (interval.value, interval.low, interval.high)
    if not all(map(math.isfinite, parts)):
        return "–"
    if change:
        value, low, high = (f"{100 * part + 0.0:+.1f}" for part in parts)
        return f"{value} points ({low} to {high})"
    value, low, high = (f"{min(max(part, 0.0), 1.0):.1%}" for part in parts)
    return f"{value} ({low} to {high})"


def _row(queue: str, runs: pd.DataFrame) -> dict[str, Any]:
    """One queue's figures: both sides seed by seed, so that the change is paired."""
    sides = {side: runs[runs["side"].eq(side)].set_index("seed") for side in SIDES}
    row: dict[str, Any] = {"queue": queue}
    for side, table in sides.items():
        row[f"messages_{side}"] = int(table["messages"].iloc[0]) if len(table) else 0
    for name in FIGURES:
        before, after = (table[name].to_dict() for table in sides.values())
        row[f"{name}_before"], row[f"{name}_after"] = over_seeds(before), over_seeds(after)
        row[f"{name}_change"] = over_seeds({s: after[s] - before[s] for s in before if s in after})
    return row


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): value.to_dict() if isinstance(value, Interval) else value for name, value in row.items()
    }


def _line(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<22}" + "".join(f"{cell:>25}" for cell in cells[1:])
