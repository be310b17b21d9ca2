"""When the desk is open: a week of hours in a time zone, less its holidays.

The desk is open at an instant when the clock on its wall stands within the day's hours. So a night shift over
the end of summer time counts the hour that comes twice, twice, and hours that the clocks skip do not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailml.errors import ConfigError, Fault
from mailml.sla.public import public_holidays
from mailml.sla.reading import DAYS, Hours, read

Interval = tuple[datetime, datetime]
_SECOND = timedelta(seconds=1)
_MOST_DAYS_KEPT = 8_000


@dataclass(frozen=True)
class Calendar:
    """A desk's opening hours.

    `zone` is an IANA time zone; `week` maps a weekday (0 is Monday) to its hours as pairs of minutes after
    midnight, 1440 being its end; `holidays` are closed dates of its own, and `country` with `subdiv` (ISO
    3166) adds public holidays. Raises `ConfigError` for an unknown zone or a week that never opens.
    """

    zone: str = "UTC"
    week: Mapping[int, Hours] = field(default_factory=lambda: dict.fromkeys(range(5), ((540, 1020),)))
    holidays: frozenset[date] = frozenset()
    country: str = ""
    subdiv: str = ""
    _tz: ZoneInfo = field(init=False, repr=False, compare=False)
    _open: dict[date, tuple[Interval, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_tz", ZoneInfo(self.zone))
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError([Fault('key "zone"', f"{self.zone!r} is no time zone")]) from error
        if not any(self.week.values()):
            raise ConfigError([Fault('key "week"', "is never open", "Give at least one day hours.")])
        object.__setattr__(self, "_open", {})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], *, where: str = "calendar") -> Calendar:
        """The calendar that a table of a TOML file describes; raises `ConfigError` with all its faults.

        `zone = "Europe/Berlin"`, `week = { mon-fri = ["09:00-17:00"] }`, `country = "DE"`, `subdiv = "BY"`,
        `holidays = [2026-12-24]`; without a week, office hours: Monday to Friday, nine to five.
        """
        found = read(mapping)
        if found.faults:
            raise ConfigError(found.faults, where=where)
        return cls(found.zone, found.week, found.holidays, found.country, found.subdiv)

    def to_mapping(self) -> dict[str, object]:
        """The table that `from_mapping` reads as this calendar: days in order, dates in ISO form."""
        written: dict[str, object] = {"zone": self.zone}
        written["week"] = {DAYS[day]: _written(self.week[day]) for day in sorted(self.week) if self.week[day]}
        if self.country:
            written["country"] = self.country
        if self.subdiv:
            written["subdiv"] = self.subdiv
        if self.holidays:
            written["holidays"] = [day.isoformat() for day in sorted(self.holidays)]
        return written

    def local(self, when: datetime) -> datetime:
        """An instant on the desk's own clock."""
        return when.astimezone(self._tz)

    def holiday(self, day: date) -> str:
        """The name of the holiday on a date, "" when it is none."""
        if self.country:
            name = public_holidays(self.country, self.subdiv, day.year).get(day, "")
            if name:
                return name
        return "closed by the desk" if day in self.holidays else ""

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """The open intervals of a local date, in UTC and in order; empty when the desk is closed."""
        known = self._open.get(day)
        if known is None:
            if len(self._open) >= _MOST_DAYS_KEPT:
                self._open.clear()
            known = self._open[day] = self._intervals(day)
        return known

    def is_open(self, when: datetime) -> bool:
        """Whether the desk is open at an instant."""
        return any(start <= when < end for start, end in self.intervals(self.local(when).date()))

    def day_minutes(self) -> int:
        """How long a business day is: the mean length of the days of the week that open, in whole minutes."""
        lengths = [sum(end - start for start, end in hours) for hours in self.week.values() if hours]
        return round(sum(lengths) / len(lengths))

    def _intervals(self, day: date) -> tuple[Interval, ...]:
        hours = self.week.get(day.weekday(), ())
        if not hours or self.holiday(day):
            return ()
        midnight = datetime.combine(day, time(), UTC)
        found = []
        for begins, ends, offset in self._stretches(midnight):
            for opens, closes in hours:
                start = max(midnight + timedelta(minutes=opens) - offset, begins)
                end = min(midnight + timedelta(minutes=closes) - offset, ends)
                if start < end:
                    found.append((start, end))
        return tuple(found)

    def _stretches(self, midnight: datetime) -> list[tuple[datetime, datetime, timedelta]]:
        """The instants around a date, cut where the zone's offset from UTC changes: one stretch or two."""
        # offsets lie between -12 and +14 hours; no zone changes twice within these two days
        begins, ends = midnight - timedelta(hours=15), midnight + timedelta(hours=37)
        first, last = self._offset(begins), self._offset(ends)
        if first == last:
            return [(begins, ends, first)]
        low, high = begins, ends
        while high - low > _SECOND:
            middle = low + (high - low) // 2
            middle = middle.replace(microsecond=0)
            low, high = (middle, high) if self._offset(middle) == first else (low, middle)
        return [(begins, high, first), (high, ends, last)]

    def _offset(self, when: datetime) -> timedelta:
        return when.astimezone(self._tz).utcoffset() or timedelta(0)


def _written(hours: Hours) -> list[str]:
    return [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in hours]
