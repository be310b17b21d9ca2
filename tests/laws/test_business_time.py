"""Laws of business time, and an oracle that walks minute by minute and shares no code with the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.sla import Calendar, Target, due, elapsed

ZONES = [
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"),
    *("America/Sao_Paulo", "Pacific/Apia", "UTC", "Asia/Jerusalem", "Africa/Casablanca", "America/Havana"),
]
WEEKS = [
    dict.fromkeys(range(5), ((540, 1020),)),
    dict.fromkeys(range(7), ((0, 1440),)),
    dict.fromkeys(range(6), ((480, 720), (780, 1110))),
    {6: ((0, 360),)},
    {4: ((0, 240), (1200, 1440))},
    {6: ((90, 150), (165, 195))},  # around the hour that clocks skip or repeat
]
CLOCK_CHANGES = frozenset({date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 25)})

calendars = st.builds(
    Calendar, st.sampled_from(ZONES), st.sampled_from(WEEKS), st.sampled_from([frozenset(), CLOCK_CHANGES])
)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(
    lambda when: when.replace(microsecond=0, tzinfo=UTC)
)
minutes = st.integers(1, 60 * 80)


def target(count: int) -> Target:
    """A promise of so many open minutes."""
    return Target(f"{count} business minutes", count, business=True)


def open_minutes(calendar: Calendar, start: datetime, count: int) -> int:
    """The oracle: of each real minute, ask whether the clock on the wall stands within the hours."""
    found = 0
    for n in range(count):
        wall = (start + timedelta(minutes=n)).astimezone(ZoneInfo(calendar.zone))
        minute = wall.hour * 60 + wall.minute
        hours = calendar.week.get(wall.weekday(), ())
        found += wall.date() not in calendar.holidays and any(a <= minute < b for a, b in hours)
    return found


@settings(max_examples=300, deadline=None)
@given(calendars, instants, minutes)
def test_exactly_the_promised_time_lies_before_due(calendar: Calendar, start: datetime, count: int) -> None:
    """The open time from arrival to due is the promise, and its steps add up to it."""
    answer = due(start, target(count), calendar)
    assert answer.at >= start
    assert elapsed(start, answer.at, calendar) == timedelta(minutes=count)
    assert sum(step.minutes for step in answer.steps) == answer.minutes == count


@settings(max_examples=200, deadline=None)
@given(calendars, instants, minutes, minutes)
def test_promises_add_up(calendar: Calendar, start: datetime, one: int, two: int) -> None:
    """Two promises one after the other are due when their sum is."""
    middle = due(start, target(one), calendar).at
    assert due(middle, target(two), calendar).at == due(start, target(one + two), calendar).at


@settings(max_examples=200, deadline=None)
@given(calendars, instants, st.integers(0, 30 * 86_400), st.integers(0, 30 * 86_400))
def test_time_adds_up_wherever_it_is_cut(calendar: Calendar, start: datetime, one: int, two: int) -> None:
    """Open time from a to c is that from a to b plus that from b to c, never more than the clock's."""
    middle, end = start + timedelta(seconds=one), start + timedelta(seconds=one + two)
    whole = elapsed(start, end, calendar)
    assert elapsed(start, middle, calendar) + elapsed(middle, end, calendar) == whole <= end - start


@settings(max_examples=40, deadline=None)
@given(calendars, instants, st.integers(0, 2 * 1440))
def test_the_clock_agrees_with_the_wall(calendar: Calendar, start: datetime, count: int) -> None:
    """Over any two days the clock counts exactly the minutes at which the wall clock shows open hours."""
    start = start.replace(second=0)
    assert elapsed(start, start + timedelta(minutes=count), calendar) == timedelta(
        minutes=open_minutes(calendar, start, count)
    )


@settings(max_examples=30, deadline=None)
@given(
    st.builds(Calendar, st.sampled_from(ZONES), st.sampled_from(WEEKS)),
    st.sampled_from(
        [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 4, 5), datetime(2026, 10, 4)]
    ),
    st.integers(0, 1440),
)
def test_the_clock_agrees_with_the_wall_where_clocks_change(
    calendar: Calendar, sunday: datetime, shift: int
) -> None:
    """The same on the very days on which clocks change in Europe and in Australia."""
    start = sunday.replace(tzinfo=UTC) - timedelta(minutes=shift)
    assert elapsed(start, start + timedelta(days=1), calendar) == timedelta(
        minutes=open_minutes(calendar, start, 1440)
    )


@settings(max_examples=200, deadline=None)
@given(calendars, instants)
def test_open_now_means_that_time_passes(calendar: Calendar, when: datetime) -> None:
    """The desk is open at an instant exactly when the second that follows counts."""
    passes = elapsed(when, when + timedelta(seconds=1), calendar) == timedelta(seconds=1)
    assert calendar.is_open(when) == passes


def spans_in(start: datetime) -> st.SearchStrategy[list[tuple[datetime, datetime]]]:
    """Pauses around an instant: some overlap, some reach over the ends, some are no time at all."""
    moment = st.integers(-2 * 1440, 6 * 1440).map(lambda n: start + timedelta(minutes=n))
    return st.lists(st.tuples(moment, moment), max_size=4)


@settings(max_examples=40, deadline=None)
@given(calendars, instants, st.data())
def test_paused_time_is_left_out_once(calendar: Calendar, start: datetime, data: st.DataObject) -> None:
    """What counts is every open minute that lies in no pause, however the pauses overlap."""
    start = start.replace(second=0)
    pauses, count = data.draw(spans_in(start)), data.draw(st.integers(0, 3 * 1440))
    free = sum(
        open_minutes(calendar, at, 1)
        for at in (start + timedelta(minutes=n) for n in range(count))
        if not any(a <= at < b for a, b in pauses)
    )
    assert elapsed(start, start + timedelta(minutes=count), calendar, pauses) == timedelta(minutes=free)


@settings(max_examples=100, deadline=None)
@given(calendars, instants, st.integers(0, 10 * 1440), st.data())
def test_a_pause_never_adds_time(
    calendar: Calendar, start: datetime, count: int, data: st.DataObject
) -> None:
    """More pauses never make a wait longer, the same pauses in another order change nothing."""
    end, pauses = start + timedelta(minutes=count), data.draw(spans_in(start))
    waited = elapsed(start, end, calendar, pauses)
    assert waited <= elapsed(start, end, calendar, pauses[1:]) <= elapsed(start, end, calendar)
    assert elapsed(start, end, calendar, reversed(pauses)) == waited
    assert elapsed(start, end, calendar, [(start, end)]) == timedelta(0)
