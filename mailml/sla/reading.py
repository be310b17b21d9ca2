"""The calendar as a person writes it -> its values, with every fault at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from mailml.errors import Fault
from mailml.sla.public import supported

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = ("zone", "week", "country", "subdiv", "holidays")
Hours = tuple[tuple[int, int], ...]
OFFICE_HOURS: Mapping[str, object] = {"mon-fri": ["09:00-17:00"]}
_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})\s*")


@dataclass
class Read:
    """What a mapping says of a calendar, and all that is wrong with it."""

    zone: str = "UTC"
    week: dict[int, Hours] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    country: str = ""
    subdiv: str = ""
    faults: list[Fault] = field(default_factory=list)

    def fault(self, key: str, what: str, cure: str = "") -> None:
        """Note one fault."""
        self.faults.append(Fault(f'key "{key}"', what, cure))


def read(mapping: Mapping[str, object]) -> Read:
    """Read `zone`, `week`, `country`, `subdiv` and `holidays`; office hours where no week is given."""
    found = Read()
    for key in mapping:
        if key not in KEYS:
            found.fault(key, "is not a key of a calendar", _meant(key, KEYS))
    _zone(found, mapping.get("zone", "UTC"))
    _week(found, mapping.get("week", OFFICE_HOURS))
    _place(found, mapping.get("country", ""), mapping.get("subdiv", ""))
    _holidays(found, mapping.get("holidays", []))
    return found


def _zone(found: Read, value: object) -> None:
    names = available_timezones()
    if isinstance(value, str) and value in names:
        found.zone = ZoneInfo(value).key
    else:
        found.fault(
            "zone", f"{value!r} is no time zone", _meant(str(value), names) or 'Write "Europe/Berlin".'
        )


def _week(found: Read, value: object) -> None:
    if not isinstance(value, Mapping):
        found.fault("week", "is not a table of days", 'Write week = { mon-fri = ["09:00-17:00"] }.')
        return
    for key, spans in value.items():
        days = _days(str(key))
        if not days:
            found.fault(
                f"week.{key}", "is no day of the week", f"Use {', '.join(DAYS)}, or a range: mon-fri."
            )
        hours = _hours(found, f"week.{key}", spans)
        for day in days:
            if day in found.week:
                found.fault(f"week.{key}", f"names {DAYS[day]} a second time")
            found.week[day] = hours
    if not any(found.week.values()) and not found.faults:
        found.fault("week", "is never open", "Give at least one day hours.")


def _days(key: str) -> list[int]:
    """The weekdays that "fri", "Friday" or "mon-fri" name; [] when it names none."""
    first, dash, last = (part.strip().lower() for part in key.partition("-"))
    ends = [name[:3] for name in (first, last if dash else first)]
    if any(end not in DAYS for end in ends):
        return []
    start, stop = (DAYS.index(end) for end in ends)
    return [day % 7 for day in range(start, stop + 1 + (7 if stop < start else 0))]


def _hours(found: Read, key: str, value: object) -> Hours:
    spans = [value] if isinstance(value, str) else value
    if not isinstance(spans, Iterable):
        found.fault(key, f"{value!r} are no hours", 'Write ["09:00-12:00", "13:00-17:30"].')
        return ()
    read_ones = sorted(span for span in (_span(found, key, one) for one in spans) if span)
    for (_, end), (start, _) in pairwise(read_ones):
        if start < end:
            found.fault(key, "has hours that overlap")
    return tuple(read_ones)


def _span(found: Read, key: str, value: object) -> tuple[int, int] | None:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        found.fault(key, f"{value!r} are no hours", 'Write "09:00-17:00".')
        return None
    h1, m1, h2, m2 = map(int, match.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or not start < end <= 1440:
        found.fault(key, f"{value!r} does not end after it begins on the same day", "24:00 ends a day.")
        return None
    return start, end


def _place(found: Read, country: object, subdiv: object) -> None:
    if subdiv and not country:
        found.fault("subdiv", "stands without a country", 'Add country = "DE".')
    if not country:
        return
    places = supported()
    if country not in places:
        found.fault("country", f"{country!r} is no country with known holidays", _meant(str(country), places))
        return
    found.country = str(country)
    parts = places[found.country]
    if subdiv and subdiv not in parts:
        found.fault(
            "subdiv", f"{subdiv!r} is no part of {country}", f"Use one of {', '.join(parts) or 'none'}."
        )
        return
    found.subdiv = str(subdiv or "")


def _holidays(found: Read, value: object) -> None:
    if isinstance(value, str) or not isinstance(value, Iterable):
        found.fault("holidays", "is not a list of dates", "Write holidays = [2026-12-24].")
        return
    found.holidays = frozenset(_dates(found, value))


def _dates(found: Read, values: Iterable[object]) -> Iterator[date]:
    for value in values:
        try:
            if isinstance(value, datetime):
                yield value.date()
            else:
                yield value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            found.fault("holidays", f"{value!r} is no date", "Write 2026-12-24.")


def _meant(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), 1, 0.6)
    return f'Did you mean "{close[0]}"?' if close else ""
