"""Business time over whole columns: what `mailml.sla` says of one instant, for a million of them at once.

The desk's open time is a staircase of intervals; with their lengths summed up, the open time up to an instant
is one binary search. A property test proves both clocks equal to the microsecond.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.errors import InputError
from mailml.sla import Calendar, Target

Micros = NDArray[np.int64]  # microseconds since 1970 in UTC; NaT is the smallest number there is
NEVER = np.iinfo(np.int64).min
_EPOCH, _MICRO, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1), 60_000_000
_YEARS = 11  # a calendar that does not open in ten years never does, as in mailml.sla


def micros(times: Any) -> Micros:
    """A column of aware times (pandas, any unit) as microseconds; missing ones as `NEVER`."""
    import pandas as pd

    return pd.DatetimeIndex(times).as_unit("us").asi8


def times(values: Micros) -> Any:
    """Microseconds as a pandas index of times in UTC; `NEVER` is NaT."""
    import pandas as pd

    return pd.DatetimeIndex(values.astype("datetime64[us]"), tz="UTC")


class OpenTime:
    """A calendar laid out between two instants, so that columns of instants can be asked at once.

    Raises InputError, as `mailml.sla.due` does, when a due time lies where the desk never opens again.
    """

    def __init__(self, calendar: Calendar, first: int, last: int) -> None:
        self.calendar = calendar
        self._first, self._until = first, last
        self._lay(last + 45 * 86_400_000_000)

    def _lay(self, until: int) -> None:
        day = self.calendar.local(_EPOCH + self._first * _MICRO).date() - timedelta(days=2)
        end = self.calendar.local(_EPOCH + until * _MICRO).date() + timedelta(days=2)
        edges: list[tuple[int, int]] = []
        while day <= end:
            edges += [
                ((a - _EPOCH) // _MICRO, (b - _EPOCH) // _MICRO) for a, b in self.calendar.intervals(day)
            ]
            day += timedelta(days=1)
        self._opens = np.array([a for a, _ in edges], dtype=np.int64)
        self._closes = np.array([b for _, b in edges], dtype=np.int64)
        self._before = np.concatenate([[0], np.cumsum(self._closes - self._opens)])
        self._until = until

    def passed(self, at: Micros) -> Micros:
        """The open microseconds from the beginning of the layout to each instant."""
        if not len(self._opens):
            return np.zeros(len(at), dtype=np.int64)
        place = np.searchsorted(self._opens, at, side="right") - 1
        inside = np.minimum(at, self._closes[place]) - self._opens[place]
        return np.where(place < 0, 0, self._before[place] + inside)

    def elapsed(self, start: Micros, end: Micros) -> NDArray[np.float64]:
        """The open minutes from each start to each end; NaN where one is missing, 0 where end comes first."""
        known = (start != NEVER) & (end != NEVER)
        # the layout ends somewhere; an instant beyond it would count as its end
        if known.any() and int(np.max(end[known])) > self._until:
            self._lay(int(np.max(end[known])))
        found = np.maximum(self.passed(end) - self.passed(start), 0) / _MINUTE
        return np.where(known, found, np.nan)

    def due(self, start: Micros, target: Target) -> Micros:
        """When an answer to each arrival is due."""
        minutes = target.minutes_in(self.calendar)
        if not target.business:
            return start + minutes * _MINUTE
        wanted = self.passed(start) + minutes * _MINUTE
        limit = self._first + _YEARS * 366 * 86_400_000_000
        while len(wanted) and int(np.max(wanted)) > int(self._before[-1]):
            if self._until > max(limit, int(np.max(start)) + _YEARS * 366 * 86_400_000_000):
                raise InputError("the desk does not open again", cure="Check its calendar")
            self._lay(self._until + (self._until - self._first) + 366 * 86_400_000_000)
        # the first interval by whose end enough has passed
        place = np.searchsorted(self._before[1:], wanted, side="left")
        return np.asarray(self._opens[place] + wanted - self._before[place], dtype=np.int64)
