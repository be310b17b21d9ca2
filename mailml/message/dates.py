"""Dates in headers, as aware UTC times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

_LONGEST = 200
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {spelt: number for number, name in enumerate(_NAMES, 1) for spelt in (name, name.title())}
_SIGNS = ("+", "-")
_RFC = re.compile(
    r"(?:[A-Za-z]{2,9},?\s{1,5})?(\d{1,2})[\s-]([A-Za-z]{3})[a-z]{0,6}[\s-](\d{4})\s{1,5}"
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s{0,5}([+-]\d{4}|GMT|UTC?|Z)?"
)


def parse_date(value: str) -> datetime | None:
    """The time a Date header names in UTC, or None; without a zone it is taken for UTC (RFC 5322 3.3)."""
    value = value[:_LONGEST].strip()
    match = _RFC.match(value)
    try:
        if match and (match[7] or len(value) == match.end()):
            return _built(match)
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError, KeyError):
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _built(match: re.Match[str]) -> datetime | None:
    day, name, year, hour, minute, second, zone = match.groups("")
    month = _MONTHS.get(name) or _MONTHS.get(name.lower())
    if month is None:
        return None
    # A leap second is a second past :59 that datetime cannot hold.
    local = datetime(
        int(year), month, int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC
    )
    # What is ahead of UTC happened earlier in UTC.
    return local - _offset(zone) if zone[:1] in _SIGNS and zone[1:] != "0000" else local


@lru_cache(maxsize=128)
def _offset(zone: str) -> timedelta:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
    return -offset if zone[0] == "-" else offset
