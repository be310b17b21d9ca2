"""Business time against sums done by hand: holidays, clock changes, targets, and calendars with faults."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailml.errors import ConfigError, InputError
from mailml.sla import Calendar, due, elapsed, in_words, length, parse_target
from mailml.verdict import Step

BERLIN = Calendar.from_mapping({"zone": "Europe/Berlin", "country": "DE", "week": {"mon-fri": "09:00-17:00"}})
ALWAYS = Calendar("Europe/Berlin", dict.fromkeys(range(7), ((0, 1440),)))
FOUR_HOURS = parse_target("4 business hours")


def berlin(text: str) -> datetime:
    """A time on a clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


class TestDue:
    @pytest.mark.parametrize(
        ("arrival", "target", "expected"),
        [
            ("2026-03-02 10:00", "4 business hours", "2026-03-02 14:00"),  # a Monday
            ("2026-03-02 07:00", "4 business hours", "2026-03-02 13:00"),  # before opening
            ("2026-03-02 15:00", "4 business hours", "2026-03-03 11:00"),  # over the night
            ("2026-03-06 15:00", "4 business hours", "2026-03-09 11:00"),  # over the weekend
            ("2026-03-07 12:00", "4 business hours", "2026-03-09 13:00"),  # on a Saturday
            ("2026-03-02 13:00", "4 business hours", "2026-03-02 17:00"),  # due as the desk closes
            ("2026-03-02 17:00", "1 business hour", "2026-03-03 10:00"),  # arrives as the desk closes
            ("2026-04-02 14:50", "4 business hours", "2026-04-07 10:50"),  # over Easter
            ("2026-03-27 16:00", "2 business hours", "2026-03-30 10:00"),  # clocks go forward on Sunday
            ("2026-10-23 16:00", "2 business hours", "2026-10-26 10:00"),  # clocks go back on Sunday
            ("2026-03-02 10:00", "2 business days", "2026-03-04 10:00"),
            ("2026-03-02 10:00", "1 business week", "2026-03-09 10:00"),
            ("2026-03-02 23:30", "30 minutes", "2026-03-03 00:00"),  # the clock on the wall never closes
            ("2026-03-29 01:30", "1 hour", "2026-03-29 03:30"),  # the hour that is skipped
            ("2026-10-25 01:30", "3 hours", "2026-10-25 03:30"),  # the hour that comes twice
            ("2026-10-24 12:00", "1 day", "2026-10-25 11:00"),  # 24 hours, not the same time tomorrow
        ],
    )
    def test_due_times_done_by_hand(self, arrival: str, target: str, expected: str) -> None:
        """Each due time is what a person with a calendar finds."""
        answer = due(berlin(arrival), parse_target(target), BERLIN)
        assert answer.at == berlin(expected).astimezone(UTC)
        assert answer.at.tzinfo is UTC
        assert sum(step.minutes for step in answer.steps) == answer.minutes

    def test_the_sum_names_every_day_and_why_it_is_empty(self) -> None:
        """The steps list the days between with 0 minutes and their reason."""
        answer = due(berlin("2026-04-02 14:50"), FOUR_HOURS, BERLIN)
        assert answer.steps == (
            Step("2026-04-02", 130),
            Step("2026-04-03", 0, "holiday: Good Friday"),
            Step("2026-04-04", 0, "closed"),
            Step("2026-04-05", 0, "closed"),
            Step("2026-04-06", 0, "holiday: Easter Monday"),
            Step("2026-04-07", 110),
        )
        words = in_words(answer)
        assert words.startswith("2 h 10 Thu + 0 Fri (holiday: Good Friday)")
        assert words.endswith("+ 1 h 50 Tue = 4 h")

    def test_lengths_are_told_as_people_say_them(self) -> None:
        """Minutes below an hour, then hours and minutes, the same everywhere."""
        assert [length(minutes) for minutes in (0, 5, 60, 62, 130)] == [
            "0",
            "5 min",
            "1 h",
            "1 h 02",
            "2 h 10",
        ]

    def test_an_arrival_after_hours_says_so(self) -> None:
        """The day of arrival is listed even when nothing of it counts."""
        answer = due(berlin("2026-03-02 18:00"), FOUR_HOURS, BERLIN)
        assert answer.steps[0] == Step("2026-03-02", 0, "after hours")

    def test_odd_seconds_do_not_spoil_the_sum(self) -> None:
        """The due time keeps the seconds and the minutes still add up."""
        answer = due(berlin("2026-03-02 15:00:31"), FOUR_HOURS, BERLIN)
        assert answer.at == berlin("2026-03-03 11:00:31").astimezone(UTC)
        assert sum(step.minutes for step in answer.steps) == 240

    def test_a_night_shift_counts_the_hour_that_comes_twice(self) -> None:
        """An open hour of the wall clock that comes twice counts twice, one that is skipped not at all."""
        night = Calendar("Europe/Berlin", {6: ((60, 240),)})  # Sunday, one to four
        assert elapsed(berlin("2026-10-25 00:00"), berlin("2026-10-25 12:00"), night) == timedelta(hours=4)
        assert elapsed(berlin("2026-03-29 00:00"), berlin("2026-03-29 12:00"), night) == timedelta(hours=2)

    def test_a_day_that_never_was_counts_nothing(self) -> None:
        """Samoa skipped 30 December 2011 altogether."""
        samoa = Calendar("Pacific/Apia", dict.fromkeys(range(7), ((0, 1440),)))
        assert samoa.intervals(date(2011, 12, 30)) == ()
        day = samoa.intervals(date(2011, 12, 31))
        assert sum((b - a for a, b in day), timedelta()) == timedelta(hours=24)

    def test_a_calendar_that_does_not_open_again_is_refused(self) -> None:
        """A desk that is closed for ever has no due times, and says so."""
        ten_years = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(4_000))
        with pytest.raises(InputError, match="does not open again"):
            due(berlin("2026-03-02 10:00"), FOUR_HOURS, Calendar(holidays=ten_years))


class TestElapsed:
    def test_open_time_between_two_instants(self) -> None:
        """Nights, weekends and holidays do not count."""
        assert elapsed(berlin("2026-04-02 14:50"), berlin("2026-04-07 10:50"), BERLIN) == timedelta(hours=4)

    def test_nothing_passes_backwards(self) -> None:
        """An end before the start is no time at all."""
        assert elapsed(berlin("2026-03-03 10:00"), berlin("2026-03-02 10:00"), BERLIN) == timedelta(0)

    def test_round_the_clock_is_plain_time(self) -> None:
        """A desk that never closes counts as clocks do, over changes of the clock too."""
        start, end = berlin("2026-10-24 12:00"), berlin("2026-10-26 12:00")
        assert (
            elapsed(start, end, ALWAYS) == end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=49)
        )


class TestTargets:
    @pytest.mark.parametrize(
        ("text", "minutes", "business"),
        [
            ("4 business hours", 240, True),
            ("1 business hour", 60, True),
            ("90 working minutes", 90, True),
            ("30 minutes", 30, False),
            ("1 hour", 60, False),
            ("1.5 hours", 90, False),
            ("2 days", 2880, False),
            ("2 business days", 960, True),
            ("4H", 240, False),
        ],
    )
    def test_promises_in_words(self, text: str, minutes: int, business: bool) -> None:
        """Amount, unit and whether only open time counts are read as people write them."""
        target = parse_target(text)
        assert (target.minutes, target.business) == (minutes, business)

    @pytest.mark.parametrize(
        "text",
        ["", "soon", "0 hours", "-1 hour", "4 business", "4 fortnights", "9 hours ago", "999999 weeks"],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        """What is no positive length of at most a year is refused with an example."""
        with pytest.raises(InputError, match="4 business hours"):
            parse_target(text)

    def test_a_business_day_is_as_long_as_the_calendars(self) -> None:
        """Two business days of a six-hour desk are twelve hours."""
        desk = Calendar.from_mapping({"week": {"mon-thu": ["09:00-12:00", "13:00-16:00"]}})
        assert parse_target("2 business days").minutes_in(desk) == 720
        assert parse_target("4 business hours").minutes_in(desk) == 240


class TestCalendar:
    def test_office_hours_are_the_default(self) -> None:
        """A calendar of nothing is Monday to Friday, nine to five, UTC."""
        assert Calendar.from_mapping({}) == Calendar()
        assert Calendar().is_open(datetime(2026, 3, 2, 9, tzinfo=UTC))
        assert not Calendar().is_open(datetime(2026, 3, 2, 17, tzinfo=UTC))
        assert not Calendar().is_open(datetime(2026, 3, 7, 12, tzinfo=UTC))

    @pytest.mark.parametrize(
        "table",
        [
            {"zone": "Asia/Kolkata", "week": {"sun-thu": ["08:30-12:00", "13:00-17:30"]}},
            {"zone": "Europe/Berlin", "country": "DE", "subdiv": "BY", "holidays": [date(2026, 12, 24)]},
            {"week": {"Friday": "00:00-24:00"}},
        ],
    )
    def test_a_calendar_reads_back_what_it_writes(self, table: dict[str, Any]) -> None:
        """from_mapping(to_mapping()) is the same calendar."""
        calendar = Calendar.from_mapping(table)
        assert Calendar.from_mapping(calendar.to_mapping()) == calendar

    def test_holidays_of_a_part_of_the_country(self) -> None:
        """Epiphany is a holiday in Bavaria and not in Berlin; own closed dates come on top."""
        bavaria = Calendar(country="DE", subdiv="BY", holidays=frozenset({date(2026, 12, 24)}))
        assert bavaria.holiday(date(2026, 1, 6)) == "Epiphany"
        assert not Calendar(country="DE", subdiv="BE").holiday(date(2026, 1, 6))
        assert bavaria.holiday(date(2026, 12, 24)) == "closed by the desk"

    def test_local_time_is_the_desks(self) -> None:
        """An instant is shown on the desk's clock."""
        assert BERLIN.local(datetime(2026, 7, 1, 10, tzinfo=UTC)).hour == 12

    def test_all_faults_at_once(self) -> None:
        """A calendar with many faults reports every one, with what was probably meant."""
        table = {
            "zone": "Europe/Berln",
            "week": {"mond": "9-5", "tue": ["09:00-17:00", "16:00-18:00"], "wed": 3, "thu": "17:00-09:00"},
            "country": "GR1",
            "holidays": ["Christmas"],
            "hollidays": 1,
        }
        with pytest.raises(ConfigError) as caught:
            Calendar.from_mapping(table, where="desk.toml")
        text = str(caught.value)
        for part in (
            'Did you mean "Europe/Berlin"?',
            'Did you mean "holidays"?',
            "overlap",
            "week.wed",
            "does not end after it begins",
            "'Christmas' is no date",
            "'GR1' is no country",
            "desk.toml",
        ):
            assert part in text

    @pytest.mark.parametrize(
        "table",
        [
            {"week": {}},
            {"week": {"mon": []}},
            {"week": 5},
            {"week": {"mon-fri": "09:00-17:00", "wed": "10:00-12:00"}},
            {"subdiv": "BY"},
            {"country": "DE", "subdiv": "XX"},
            {"holidays": "2026-12-24"},
        ],
    )
    def test_each_fault_alone_is_refused(self, table: dict[str, Any]) -> None:
        """Never open, hours for a day twice, a part without its country, and wrong types are faults."""
        with pytest.raises(ConfigError):
            Calendar.from_mapping(table)

    def test_a_calendar_made_by_hand_is_checked_too(self) -> None:
        """An unknown zone or a week that never opens cannot be constructed."""
        with pytest.raises(ConfigError):
            Calendar("Mars/Olympus")
        with pytest.raises(ConfigError):
            Calendar("UTC", {})
