"""Two sides over the same messages: differences with paired intervals, whole interactions drawn together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mailml.lab.intervals import Share, wilson
from mailml.lab.resampling import Bootstrap, Interval

if TYPE_CHECKING:
    import pandas as pd


def saving(rows: pd.DataFrame) -> Interval:
    """Minutes saved over all rows, with the paired interval."""
    if rows.empty:
        return Interval(0.0, 0.0, 0.0)
    mean = _bootstrap(rows).mean((rows["cost_before"] - rows["cost_after"]).to_numpy(dtype=float))
    return Interval(*(len(rows) * part for part in (mean.value, mean.low, mean.high)))


def signed(interval: Interval, *, points: bool = False) -> str:
    """A difference with its sign and interval: in percentage points, or as it is."""
    if not math.isfinite(interval.value):
        return "unknown"
    if not (interval.value or interval.low or interval.high):
        return "none"
    scale, unit, form = (100, " points", "+.1f") if points else (1, "", "+,.0f")
    value, low, high = (
        f"{scale * part + 0.0:{form}}" for part in (interval.value, interval.low, interval.high)
    )
    return f"{value}{unit}" if "nan" in low else f"{value}{unit} ({low} to {high})"


def misrouted(rows: pd.DataFrame, side: str) -> Share:
    """The share of rows whose queue on this side is not the one they belonged in."""
    return wilson(int(rows[f"queue_{side}"].ne(rows["truth"]).sum()), len(rows))


def _bootstrap(rows: pd.DataFrame) -> Bootstrap:
    import pandas as pd

    return Bootstrap(pd.factorize(rows["thread"])[0])


def difference(rows: pd.DataFrame) -> Interval:
    """The misroute rate after less that before, with its paired interval."""
    return _bootstrap(rows).mean(_worse(rows))


def plain_difference(rows: pd.DataFrame) -> Interval:
    """The same without the interval, for the long tail of a table."""
    return Interval(float(_worse(rows).mean()), math.nan, math.nan)


def _worse(rows: pd.DataFrame) -> NDArray[np.float64]:
    """+1 where the candidate misroutes and the baseline does not, -1 the other way round."""
    wrong = [rows[f"queue_{side}"].ne(rows["truth"]).to_numpy(dtype=float) for side in ("after", "before")]
    return np.asarray(wrong[0] - wrong[1], dtype=np.float64)


def rates(name: str, share: Share) -> dict[str, float]:
    """A share as measures: NAME, NAME_low and NAME_high; NaN without cases."""
    values = (share.value, share.low, share.high) if share.of else (math.nan,) * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def bounds(name: str, interval: Interval, *, known: bool) -> dict[str, float]:
    """An interval as measures: NAME, NAME_low and NAME_high; NaN where it is not known."""
    values = (interval.value, interval.low, interval.high) if known else (math.nan,) * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
