"""Moments as integers: milliseconds since 1970 in UTC, which every database keeps exactly."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Every role asks its clock through this type, so that a test can let a day pass in a second.
Clock = Callable[[], int]


def now_ms() -> int:
    """This moment."""
    return time.time_ns() // 1_000_000


def to_ms(when: datetime) -> int:
    """An aware time as milliseconds; whole milliseconds survive the way there and back."""
    return round(when.timestamp() * 1000)


def to_datetime(ms: int) -> datetime:
    """Milliseconds as an aware time in UTC, computed in integers: floats would lose the last digit."""
    seconds, rest = divmod(ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def words(ms: int | None) -> str:
    """The moment for people, "-" where there is none."""
    return "-" if ms is None else to_datetime(ms).strftime("%Y-%m-%d %H:%M:%S")
