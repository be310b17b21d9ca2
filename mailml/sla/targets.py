"""A promise in words -> its length: "4 business hours", "30 minutes", "2 business days"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailml.errors import InputError
from mailml.sla.calendar import Calendar

_NOMINAL_DAY = 8 * 60
_LONGEST = 366 * 24 * 60
_UNITS = {"m": 1, "min": 1, "minute": 1, "h": 60, "hour": 60, "d": 1440, "day": 1440, "week": 10080}
_TARGET = re.compile(
    r"\s*(\d{1,6}(?:\.\d{1,2})?)\s*(business|working)?\s*(minute|min|hour|day|week|m|h|d)s?\s*", re.IGNORECASE
)
_CURE = 'Write "4 business hours", "30 minutes" or "2 business days".'


@dataclass(frozen=True, slots=True)
class Target:
    """How soon the first human answer is promised.

    `minutes` is its length; for business days it counts eight hours each, and `minutes_in` the calendar's own
    day. `business` tells whether only open time counts.
    """

    text: str
    minutes: int
    business: bool
    days: float = 0.0  # business days, whose length only a calendar knows

    def minutes_in(self, calendar: Calendar) -> int:
        """Its length in minutes where this calendar holds."""
        return max(1, round(self.days * calendar.day_minutes())) if self.days else self.minutes


def parse_target(text: str) -> Target:
    """Read a target. "4 business hours" counts open time only, "1 hour" the clock on the wall.

    A business day is as long as the calendar's days are on average. Raises `InputError` for anything else
    than a positive number of minutes, hours, days or weeks up to a year.
    """
    match = _TARGET.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no SLA target", cure=_CURE)
    amount, business, unit = float(match[1]), bool(match[2]), match[3].lower()
    days = amount * {"d": 1, "day": 1, "week": 5}.get(unit, 0) if business else 0.0
    minutes = round(days * _NOMINAL_DAY) if days else round(amount * _UNITS[unit])
    if not 1 <= minutes <= _LONGEST:
        raise InputError(f"{text!r} is not between a minute and a year", cure=_CURE)
    return Target(" ".join(text.split()), minutes, business, days)
