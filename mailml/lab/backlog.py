"""What waited at the end of every day, how much of it was overdue, and how old it was."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from mailml.lab.open_time import NEVER, OpenTime, micros
from mailml.sla import Calendar

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("opened", "answered", "waiting", "overdue", "median_age_hours", "oldest_age_hours")


def backlog(interactions: pd.DataFrame, calendar: Calendar, as_of: datetime) -> pd.DataFrame:
    """Per local day: interactions opened, answered for the first time, waiting and overdue at its end.

    Ages are business hours since the interaction was opened; the last day ends with the history. The loop is
    over days: in one step for all, a desk that answers nothing would need gigabytes.
    """
    import pandas as pd

    zone = calendar.zone
    opened = interactions["opened"].dt.tz_convert(zone)
    answered = interactions["answered_at"].dt.tz_convert(zone)
    last = pd.Timestamp(as_of).tz_convert(zone)
    days = pd.date_range(opened.min().normalize(), last, freq="D")
    table = pd.DataFrame(
        {
            "opened": opened.dt.normalize().value_counts().reindex(days, fill_value=0),
            "answered": answered.dropna().dt.normalize().value_counts().reindex(days, fill_value=0),
        }
    )
    ends = micros(days + pd.DateOffset(days=1))
    ends[-1] = max(int(micros([last])[0]), int(micros(days)[-1]))
    since, until = micros(interactions["opened"]), micros(interactions["answered_at"])
    until = np.where(until == NEVER, np.iinfo(np.int64).max, until)
    due = micros(interactions["due"])
    clock = OpenTime(calendar, int(np.min(since)), int(np.max(ends)))
    begun, now = clock.passed(since), clock.passed(ends)
    ends[-1] += 1  # what happened in the very last moment has happened
    found = []
    for at, open_now in zip(ends, now, strict=True):
        waits = (since < at) & (until >= at)
        ages = (open_now - begun[waits]) / 3.6e9
        oldest, median = (float(np.max(ages)), float(np.median(ages))) if len(ages) else (0.0, 0.0)
        found.append((int(waits.sum()), int((due[waits] < at).sum()), median, oldest))
    table[list(COLUMNS[2:])] = found
    return table.astype(dict.fromkeys(COLUMNS[:4], "int64")).rename_axis("day")
