"""What became of each promise: kept, broken, or still open, and by how much, over whole columns."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.lab.open_time import NEVER, Micros, OpenTime, micros, times
from mailml.sla import Calendar, due, in_words, parse_target

if TYPE_CHECKING:
    import pandas as pd

ANSWERED, OPEN, NEVER_ANSWERED = "answered", "open", "not answered"


def judge(rows: pd.DataFrame, calendar: Calendar, as_of: datetime) -> pd.DataFrame:
    """The rows (opened, target, answered_at, …) with due, due_sum, minutes, state, within and late.

    Due times that stand in the rows are kept, with their sums: production promised them. Raises InputError
    for a target that is none, or a desk that never opens again.
    """
    opened, answered = micros(rows["opened"]), micros(rows["answered_at"])
    end = int(micros([as_of])[0])
    clock = OpenTime(calendar, int(np.min(opened)), max(int(np.max(opened)), int(np.max(answered)), end))
    promised = _due(rows, opened, clock)
    known = answered != NEVER
    in_time = known & (answered <= promised)
    still_open = ~known & (promised >= end)
    within = in_time.astype(object)
    within[still_open] = None
    over = np.where(known, answered, end)
    late = np.where(in_time | still_open, 0.0, clock.elapsed(promised, over))
    return rows.assign(
        due=times(promised),
        due_sum=rows["due_sum"].fillna("") if "due_sum" in rows else "",
        minutes=clock.elapsed(opened, answered),
        state=np.select([known, still_open], [ANSWERED, OPEN], NEVER_ANSWERED),
        within=within,
        late=late,
    )


def _due(rows: pd.DataFrame, opened: Micros, clock: OpenTime) -> Micros:
    promised = micros(rows["due"]) if "due" in rows else np.full(len(rows), NEVER)
    missing, targets = promised == NEVER, rows["target"].to_numpy()
    made = promised.copy()
    for target in set(targets[missing].tolist()):
        here = missing & (targets == target)
        made[here] = clock.due(opened[here], parse_target(target))
    return made


def sums(rows: pd.DataFrame, calendar: Calendar) -> list[str]:
    """The sum behind each due time in words: the one that stands there, else done again."""
    return [row["due_sum"] or _sum(row, calendar) for row in rows.to_dict("records")]


def _sum(row: dict[Any, Any], calendar: Calendar) -> str:
    return in_words(due(row["opened"].to_pydatetime(), parse_target(row["target"]), calendar))
