"""Business time between instants: when an answer is due, how long one took, and the sum in words.

Pure functions of instants and a calendar: never counters that are stored and drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from mailml.errors import InputError
from mailml.sla.calendar import Calendar, Interval
from mailml.sla.targets import Target
from mailml.verdict import Due, Step

_DAY, _NOTHING = timedelta(days=1), timedelta(0)
_LONGEST_CLOSED = 3_700  # days: a calendar that does not open in ten years never does


def due(received_at: datetime, target: Target, calendar: Calendar) -> Due:
    """When an answer to a message that arrived at `received_at` (aware) is due, with the sum that led there.

    The minutes of the steps add up to `minutes` exactly. Days without open time between them are listed with
    0 minutes and the reason. Raises `InputError` when the calendar does not open again.
    """
    start, minutes = received_at.astimezone(UTC), target.minutes_in(calendar)
    steps: list[Step] = []
    left = timedelta(minutes=minutes)
    counted, today = 0, calendar.local(start).date()
    for day, pieces in _from(start, today, calendar, business=target.business):
        spent = _NOTHING
        for opens, closes in pieces:
            piece = min(closes - opens, left - spent)
            spent += piece
            if spent >= left:
                upto = minutes - counted
                return Due(opens + piece, target.text, minutes, (*steps, Step(day.isoformat(), upto)))
        left -= spent
        # rounding the running total, not each day, keeps the sum exact for arrivals at odd seconds
        total = minutes - -(-left // timedelta(minutes=1))
        if spent or steps or day >= today:
            steps.append(Step(day.isoformat(), total - counted, "" if spent else _why(calendar, day, start)))
        counted = total
    raise InputError(f"the desk does not open again after {received_at:%Y-%m-%d}", cure="Check its calendar.")


def elapsed(
    start: datetime, end: datetime, calendar: Calendar, pauses: Iterable[tuple[datetime, datetime]] = ()
) -> timedelta:
    """The business time between two aware instants, less the pauses; zero when `end` comes first.

    `pauses` are pairs of aware instants (waiting for the customer, say). They may overlap one another and
    reach over either end: time that is paused twice is left out once.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    total, now = _NOTHING, start
    for begins, ends in sorted((a.astimezone(UTC), b.astimezone(UTC)) for a, b in pauses if a < b):
        total += _open_time(now, min(begins, end), calendar)
        now = max(now, ends)
    return total + _open_time(now, end, calendar)


def _open_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    total, day, last = _NOTHING, calendar.local(start).date(), calendar.local(end).date()
    # where clocks go back over midnight an instant may belong to the date before
    day -= _DAY
    while day <= last + _DAY:
        for opens, closes in calendar.intervals(day):
            total += max(min(closes, end) - max(opens, start), _NOTHING)
        day += _DAY
    return total


def in_words(answer: Due) -> str:
    """The sum behind a due time: `2 h 10 Thu + 0 Fri (holiday: Good Friday) + 1 h 50 Mon = 4 h`."""
    parts = [f"{length(step.minutes)} {_weekday(step)}{_remark(step)}" for step in answer.steps]
    return f"{' + '.join(parts)} = {length(answer.minutes)}"


def _from(
    start: datetime, today: date, calendar: Calendar, *, business: bool
) -> Iterator[tuple[date, list[Interval]]]:
    """Local dates from `start` (on `today`) on, each with its countable time after `start`."""
    day = today - (_DAY if business else _NOTHING)
    for _ in range(_LONGEST_CLOSED):
        spans = calendar.intervals(day) if business else _whole_day(day, start, calendar)
        yield day, [(max(a, start), b) for a, b in spans if b > start]
        if day >= date.max - 3 * _DAY:
            return
        day += _DAY


def _whole_day(day: date, start: datetime, calendar: Calendar) -> tuple[Interval, ...]:
    midnights = (
        datetime(d.year, d.month, d.day, tzinfo=calendar.local(start).tzinfo) for d in (day, day + _DAY)
    )
    begins, ends = (midnight.astimezone(UTC) for midnight in midnights)
    return ((begins, ends),) if begins < ends else ()


def _why(calendar: Calendar, day: date, start: datetime) -> str:
    """Why a date counts nothing."""
    if name := calendar.holiday(day):
        return f"holiday: {name}"
    return "closed" if not calendar.intervals(day) else "after hours"


def length(minutes: int) -> str:
    """Minutes as people say them: `45 min`, `3 h`, `2 h 10`."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min" if rest else "0"
    return f"{hours} h {rest:02}" if rest else f"{hours} h"


def _weekday(step: Step) -> str:
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[date.fromisoformat(step.day).weekday()]


def _remark(step: Step) -> str:
    return f" ({step.note})" if step.note else ""
