"""How many messages reach each queue in each hour, before and after: who needs to be there when?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

BUSY = 0.95  # the quantile of days that staffing is made for


def load_per_hour(rows: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Per queue and hour of the desk's clock: messages a day before and after, on the mean and on busy days.

    Columns: queue, hour, before, after, busy_before, busy_after. Days on which nothing came at all (holidays,
    weekends) do not count; busy is the 95th percentile over the days.
    """
    import pandas as pd

    local = rows["at"].dt.tz_convert(zone)
    days = pd.Index(sorted(local.dt.date.unique()))
    sides = {side: _counted(rows[f"queue_{side}"], local, days) for side in ("before", "after")}
    queues = sorted({queue for side in sides.values() for queue, _ in side})
    made = [
        (queue, hour, *_figures([sides[side].get((queue, hour)) for side in ("before", "after")]))
        for queue in queues
        for hour in range(24)
    ]
    return pd.DataFrame(made, columns=["queue", "hour", "before", "after", "busy_before", "busy_after"])


def busiest(load: pd.DataFrame) -> pd.DataFrame:
    """Per queue: messages a day and its busiest hour, before and after."""
    import pandas as pd

    made = []
    for queue, part in load.groupby("queue", sort=True):
        row: list[Any] = [queue]
        for side in ("before", "after"):
            peak = int(part["hour"].iloc[int(part[side].to_numpy().argmax())])
            row += [
                float(part[side].sum()),
                f"{peak:02d}:00",
                float(part[f"busy_{side}"].max()),
            ]
        made.append(row)
    names = [f"{what}_{side}" for side in ("before", "after") for what in ("a_day", "peak", "busy_hour")]
    table = pd.DataFrame(made, columns=["queue", *names])
    return table[["queue", *(f"{what}_{side}" for what in ("a_day", "peak", "busy_hour")
                             for side in ("before", "after"))]]  # fmt: skip


def _counted(
    queues: pd.Series[Any], local: pd.Series[Any], days: pd.Index[Any]
) -> dict[tuple[str, int], pd.Series[Any]]:
    """(queue, hour) -> messages on each of the days."""
    placed = queues.ne("")
    counts = queues[placed].groupby([queues[placed], local[placed].dt.hour, local[placed].dt.date]).size()
    table = counts.unstack(fill_value=0).reindex(columns=days, fill_value=0)
    return {
        (str(key[0]), int(key[1])): row
        for key, row in zip(map(tuple, table.index), _rows(table), strict=True)
    }


def _rows(table: pd.DataFrame) -> list[pd.Series[Any]]:
    return [table.iloc[at] for at in range(len(table))]


def _figures(sides: list[pd.Series[Any] | None]) -> list[float]:
    means = [float(part.mean()) if part is not None else 0.0 for part in sides]
    return means + [float(part.quantile(BUSY)) if part is not None else 0.0 for part in sides]
