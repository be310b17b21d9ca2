"""Who is there when: teams, the queues they serve, how many people per hour, and how long an answer takes.

handling = 8                      # minutes an answer takes; or a table, queue by queue
handover = 4                      # minutes until a misrouted mail is seen to be one and moved
spread = 1.0                      # of both: 0 is always the same, 1 exponential

[[team]]
name = "Front desk"
queues = ["General Support", "Billing"]
staff = 2                         # people while the desk is open; or 24 numbers, one per hour;
                                  # or a table: staff = { mon-fri = 2, sat = 1 }
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailml.errors import ConfigError, Fault
from mailml.files import read_text
from mailml.lab.queueing import Crew
from mailml.sla import Calendar

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HANDLING, HANDOVER, SPREAD = 8.0, 4.0, 1.0
_KEYS = ("handling", "handover", "spread", "team")
_TEAM_KEYS = ("name", "queues", "staff")
_MOST_PEOPLE = 10_000
Hours = tuple[int, ...]  # 24 numbers of people


@dataclass(frozen=True)
class Team:
    """People who serve some queues: `always` while the desk is open, or by weekday and hour (`week`)."""

    name: str
    queues: tuple[str, ...]
    always: int = 0
    week: Mapping[int, Hours] = field(default_factory=dict)

    def crew(self, calendar: Calendar, start: datetime, days: int) -> Crew:
        """Its shifts in minutes from `start` (UTC), over so many local days; holidays are free."""
        first = calendar.local(start).date()
        changes = {0.0: 0}
        for n in range(days):
            day = first + timedelta(days=n)
            for begins, ends, people in self._day(calendar, day):
                # where one stretch ends as the next begins, the beginning counts
                changes[_minutes(begins - start)] = people
                changes.setdefault(_minutes(ends - start), 0)
        return Crew(self.name, self.queues, sorted(changes.items()))

    def _day(self, calendar: Calendar, day: date) -> list[tuple[datetime, datetime, int]]:
        if not self.week:
            return [(opens, closes, self.always) for opens, closes in calendar.intervals(day)]
        if calendar.holiday(day):
            return []
        zone, hours = ZoneInfo(calendar.zone), self.week.get(day.weekday(), (0,) * 24)
        edges = [datetime.combine(day, time(hour), zone).astimezone(UTC) for hour in range(24)]
        edges.append(datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC))
        spans = zip(edges, edges[1:], hours, strict=False)
        return [(begins, ends, people) for begins, ends, people in spans if people and begins < ends]


@dataclass(frozen=True)
class Staffing:
    """Teams and times. Make one with `from_mapping` or `load`."""

    teams: tuple[Team, ...]
    handling: float = HANDLING
    by_queue: Mapping[str, float] = field(default_factory=dict)
    handover: float = HANDOVER
    spread: float = SPREAD

    def minutes(self, queue: str) -> float:
        """How long an answer takes in this queue, on the mean."""
        return self.by_queue.get(queue, self.handling)

    def queues(self) -> frozenset[str]:
        """Every queue that somebody serves."""
        return frozenset(queue for team in self.teams for queue in team.queues)


def load(path: str | os.PathLike[str], queues: Collection[str] | None = None) -> Staffing:
    """The staffing in a TOML file; raises InputError where there is none, ConfigError with all its faults."""
    try:
        values = tomllib.loads(read_text(Path(path)))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault("", f"is not TOML: {error}")], where=str(path)) from error
    return from_mapping(values, queues, where=str(path))


def from_mapping(
    values: Mapping[str, Any], queues: Collection[str] | None = None, *, where: str = "staffing"
) -> Staffing:
    """The staffing that a table describes; with `queues`, a team's unknown queue is a fault.

    A mapping of queues to people, `{"Billing": 2, "Tech Support": 1}`, is one team for each. Raises
    ConfigError with every fault.
    """
    if "team" not in values and not set(values) & set(_KEYS):
        values = {
            "team": [{"name": name, "queues": [name], "staff": staff} for name, staff in values.items()]
        }
    read = _Reading(frozenset(queues) if queues is not None else None)
    made = read.staffing(values)
    if read.faults:
        raise ConfigError(read.faults, where=where)
    return made


class _Reading:
    """Reads one staffing; collects what is wrong."""

    def __init__(self, queues: frozenset[str] | None) -> None:
        self._queues = queues
        self.faults: list[Fault] = []

    def staffing(self, values: Mapping[str, Any]) -> Staffing:
        self._keys(values, _KEYS, "")
        handling, each = values.get("handling", HANDLING), dict[str, float]()
        if isinstance(handling, Mapping):
            each = {str(queue): self._number(value, f"handling.{queue}") for queue, value in handling.items()}
            for queue in each:
                self._known(str(queue), "handling")
            handling = HANDLING
        teams = values.get("team", [])
        if not isinstance(teams, list) or not teams or not all(isinstance(one, Mapping) for one in teams):
            self._fault("team", "is missing", 'Write [[team]] with name, queues = ["Billing"] and staff = 2')
            teams = []
        return Staffing(
            tuple(self._team(n, one) for n, one in enumerate(teams, 1)),
            self._number(handling, "handling"),
            each,
            self._number(values.get("handover", HANDOVER), "handover"),
            self._number(values.get("spread", SPREAD), "spread"),
        )

    def _team(self, number: int, one: Mapping[str, Any]) -> Team:
        place = f"team {one.get('name', number)!r}"
        self._keys(one, _TEAM_KEYS, place)
        queues = one.get("queues", [])
        if not isinstance(queues, list) or not queues or not all(isinstance(q, str) and q for q in queues):
            self._fault(f"{place}, queues", "is no list of queues", 'Write queues = ["Billing"]')
            queues = []
        for queue in queues:
            self._known(queue, place)
        name, staff = str(one.get("name", ", ".join(queues))), one.get("staff")
        if isinstance(staff, Mapping):
            days = [pair for key, value in staff.items() for pair in self._days(key, value, place)]
            return Team(name, tuple(queues), week=dict(days))
        if isinstance(staff, list):
            return Team(name, tuple(queues), week=dict.fromkeys(range(7), self._hours(staff, place)))
        return Team(name, tuple(queues), always=self._people(staff, place))

    def _days(self, key: str, value: Any, place: str) -> list[tuple[int, Hours]]:
        first, _, last = key.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            near = get_close_matches(first, DAYS, n=1, cutoff=0.3)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            self._fault(f"{place}, staff", f"{key!r} is no day", f"{hint}The days are {', '.join(DAYS)}")
            return []
        begin, end = DAYS.index(first), DAYS.index(last or first)
        span = [(begin + n) % 7 for n in range((end - begin) % 7 + 1)]
        hours = self._hours(value if isinstance(value, list) else [value] * 24, place)
        return [(day, hours) for day in span]

    def _hours(self, values: list[Any], place: str) -> Hours:
        if len(values) != 24:
            self._fault(f"{place}, staff", f"has {len(values)} numbers", "Give 24, one per hour of the day")
            return (0,) * 24
        return tuple(self._people(value, place) for value in values)

    def _people(self, value: Any, place: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_PEOPLE:
            self._fault(f"{place}, staff", f"{value!r} is no number of people", "Write staff = 2")
            return 0
        return value

    def _number(self, value: Any, key: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
            self._fault(key, f"{value!r} is no number from 0 on")
            return 0.0
        return float(value)

    def _known(self, queue: str, place: str) -> None:
        if self._queues is not None and queue not in self._queues:
            near = get_close_matches(queue, sorted(self._queues), n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            self._fault(
                place, f"{queue!r} is no queue", f"{hint}There are: {', '.join(sorted(self._queues))}"
            )

    def _keys(self, values: Mapping[str, Any], known: Collection[str], place: str) -> None:
        for key in values:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"The keys are {', '.join(known)}"
                self._fault(place, f"{key!r} is no key", hint)

    def _fault(self, where: str, what: str, cure: str = "") -> None:
        self.faults.append(Fault(where, what, cure))


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60
