"""When mail arrives and when the team answers: weekdays, hours, holidays, and a year that drifts.

All times are made in the desk's zone and carry it; the mailbox stores UTC.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from random import Random

from mailml.lab.sample.desk import ZONE

# Monday is the heaviest day; nobody works on Sunday but some write.
_WEEKDAYS = (1.35, 1.15, 1.05, 1.0, 0.85, 0.22, 0.16)
_HOURS = (2, 1, 1, 1, 1, 3, 8, 22, 55, 90, 100, 88, 52, 66, 84, 76, 60, 42, 24, 18, 16, 14, 9, 4)
_HOLIDAYS = ((1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31))
_MOVABLE = (-2, 1, 39, 50)  # days from Easter: Good Friday, Easter and Whit Monday, Ascension
OPEN, CLOSE = time(8, 30), time(17, 30)


def is_workday(day: date) -> bool:
    """Whether the team works on this day: not on Germany's holidays nor on the eves."""
    movable = (day - easter(day.year)).days in _MOVABLE
    return day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS and not movable


@cache
def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the algorithm of Butcher, Nature 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def arrivals(rng: Random, count: int, start: date, days: int) -> list[datetime]:
    """`count` arrivals in order over `days` days from `start`: slow growth, quiet August and Christmas."""
    weights = [_weight(start + timedelta(days=n), n / days) for n in range(days)]
    chosen = rng.choices(range(days), weights, k=count)
    return sorted(_moment(rng, start + timedelta(days=n)) for n in chosen)


def _weight(day: date, progress: float) -> float:
    season = {8: 0.75, 12: 0.8, 1: 1.15, 9: 1.1}.get(day.month, 1.0)
    month_end = 1.2 if day.day >= 28 or day.day <= 3 else 1.0
    holiday = 1.0 if is_workday(day) or day.weekday() >= 5 else 0.3
    return _WEEKDAYS[day.weekday()] * season * month_end * holiday * (0.8 + 0.4 * progress)


def _moment(rng: Random, day: date) -> datetime:
    hour = rng.choices(range(24), _HOURS)[0]
    return datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=ZONE)


def next_open(moment: datetime) -> datetime:
    """The moment itself in working hours, else the next opening."""
    local = moment.astimezone(ZONE)
    if is_workday(local.date()) and local.time() < CLOSE:
        return max(local, datetime.combine(local.date(), OPEN, ZONE))
    day = local.date() + timedelta(days=1)
    while not is_workday(day):
        day += timedelta(days=1)
    return datetime.combine(day, OPEN, ZONE)


def working_time_later(moment: datetime, minutes: float) -> datetime:
    """The moment `minutes` of working time after `moment`."""
    at, left = next_open(moment), timedelta(minutes=minutes)
    while True:
        close = datetime.combine(at.date(), CLOSE, ZONE)
        if at + left < close:
            return at + left
        left -= close - at
        at = next_open(close)


def response_minutes(rng: Random, pace: float, month: int, *, urgent: bool) -> float:
    """Working minutes to an answer: a median near 80, a long tail, worse in the thin months."""
    strain = {8: 1.6, 12: 1.5, 1: 1.3}.get(month, 1.0) * pace * (0.45 if urgent else 1.0)
    return max(4.0, rng.lognormvariate(4.35, 0.95) * strain)
