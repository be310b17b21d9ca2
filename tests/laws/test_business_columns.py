"""Business time over columns means what business time of one instant means, to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.errors import InputError
from mailml.lab.open_time import NEVER, OpenTime, micros, times
from mailml.sla import Calendar, due, elapsed, parse_target
from tests.laws.test_business_time import calendars, instants, target

TARGETS = ("4 business hours", "30 minutes", "2 days", "1 business week", "7 business minutes")


def laid(calendar: Calendar, when: list[datetime]) -> OpenTime:
    """The calendar laid out over these instants."""
    return OpenTime(calendar, int(micros(when).min()), int(micros(when).max()))


@settings(max_examples=120, deadline=None)
@given(
    calendars,
    st.lists(st.tuples(instants, st.integers(-3_600, 40 * 86_400)), min_size=1, max_size=6),
    st.integers(0, 999_999),
)
def test_spans_are_equal(calendar: Calendar, pairs: list[tuple[datetime, int]], odd: int) -> None:
    """Open minutes of a column are those of each pair; an end before its start is no time."""
    start = [when + timedelta(microseconds=odd) for when, _ in pairs]
    end = [when + timedelta(seconds=seconds) for when, seconds in pairs]
    found = laid(calendar, [*start, *end]).elapsed(micros(start), micros(end))
    one_by_one = [elapsed(a, b, calendar) / timedelta(minutes=1) for a, b in zip(start, end, strict=True)]
    assert found.tolist() == one_by_one


@settings(max_examples=120, deadline=None)
@given(calendars, st.lists(instants, min_size=1, max_size=6), st.sampled_from(TARGETS))
def test_due_times_are_equal(calendar: Calendar, when: list[datetime], promise: str) -> None:
    """Due times of a column are those of each arrival, also far beyond the last one."""
    found = times(laid(calendar, when).due(micros(when), parse_target(promise)))
    assert list(found) == [due(one, parse_target(promise), calendar).at for one in when]


@settings(max_examples=40, deadline=None)
@given(calendars, instants, st.integers(1, 60 * 300))
def test_long_promises_too(calendar: Calendar, when: datetime, count: int) -> None:
    """A promise of months on a desk that opens six hours a week is still found."""
    found = times(laid(calendar, [when]).due(micros([when]), target(count)))
    assert found[0] == due(when, target(count), calendar).at


def test_missing_instants_stay_missing() -> None:
    """An answer that never came has no length, and NaT goes there and back."""
    when = pd.DatetimeIndex([pd.NaT, "2026-03-02T10:00Z"])
    assert micros(when)[0] == NEVER
    assert times(micros(when)).isna().tolist() == [True, False]
    found = OpenTime(Calendar(), int(micros(when)[1]), int(micros(when)[1])).elapsed(
        micros(when), micros(when)
    )
    assert np.isnan(found).tolist() == [True, False]


def test_a_desk_that_never_opens_again_is_refused() -> None:
    """Where one instant is refused a column is refused as well."""
    shut = Calendar(holidays=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(9_000)))
    when = [datetime(2026, 3, 2, 10, tzinfo=UTC)]
    with pytest.raises(InputError, match="does not open again"):
        laid(shut, when).due(micros(when), parse_target("4 business hours"))
