"""The simulation agrees with what queueing theory knows in closed form, and with what is plain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.errors import InputError
from mailml.lab.queueing import Crew, Run, Work, erlang_c, simulate

FOREVER = 10_000_000.0


def poisson(
    seed: int, n: int, rate: float, mean: float, priorities: tuple[float, ...] = (0.0,)
) -> list[Work]:
    """Arrivals by chance, work of exponential length, priorities dealt in turn by chance."""
    rng = np.random.default_rng(seed)
    at, length = np.cumsum(rng.exponential(1 / rate, n)), rng.exponential(mean, n)
    rank = rng.choice(priorities, n)
    return [Work(float(at[i]), float(rank[i]), (("q", float(length[i])),)) for i in range(n)]


def waits(works: list[Work], run: Run) -> np.ndarray:
    """Minutes from arrival to the beginning of the answer."""
    pairs = zip(works, run.served, strict=True)
    return np.array([told.began - work.at for work, told in pairs if told.began is not None])


@pytest.mark.parametrize(("people", "load"), [(1, 0.6), (2, 1.5), (4, 3.2)])
def test_it_waits_as_erlang_computed(people: int, load: float) -> None:
    """M/M/c: the mean wait and the share that waits at all, within what twelve seeded runs allow."""
    mean, crew = 10.0, [Crew("c", ("q",), [(0.0, people)])]
    rate, waiting = load / mean, erlang_c(people, load)
    theory = waiting * mean / (people - load)
    means, shares = [], []
    for seed in range(12):
        works = poisson(seed, 4_000, rate, mean)
        found = waits(works, simulate(works, crew, FOREVER))[400:]  # the floor begins empty: left out
        means.append(found.mean())
        shares.append((found > 1e-9).mean())
    error = np.std(means, ddof=1) / math.sqrt(len(means))
    assert abs(np.mean(means) - theory) < 4 * error
    assert np.mean(means) == pytest.approx(theory, rel=0.15)
    assert np.mean(shares) == pytest.approx(waiting, abs=0.03)


def test_one_that_always_goes_first_waits_as_cobham_computed() -> None:
    """M/M/1 with two classes, one far ahead: each class waits as long as Cobham (1954) says."""
    mean, rate = 10.0, 0.07
    high, low = [], []
    for seed in range(12):
        works = poisson(seed, 4_000, rate, mean, (0.0, 1e7))
        found = waits(works, simulate(works, [Crew("c", ("q",), [(0.0, 1)])], FOREVER))[400:]
        rank = np.array([work.priority for work in works])[400:]
        high.append(found[rank > 0].mean())
        low.append(found[rank == 0].mean())
    busy, ahead = rate * mean, rate * mean / 2
    rest = busy * mean  # the mean work still in hand that an arrival finds
    assert np.mean(high) == pytest.approx(rest / (1 - ahead), rel=0.1)
    assert np.mean(low) == pytest.approx(rest / ((1 - ahead) * (1 - busy)), rel=0.15)


def test_erlang_c_is_the_textbooks() -> None:
    """Known values: one server waits with its load; two at 1.5 Erlang with 9/14."""
    assert erlang_c(1, 0.6) == pytest.approx(0.6)
    assert erlang_c(2, 1.5) == pytest.approx(9 / 14)


def test_priority_is_minutes_of_waiting() -> None:
    """Priority 10 goes before mail that came nine minutes earlier, but not eleven."""
    crew = [Crew("c", ("q",), [(0.0, 1)])]
    busy = Work(0.0, 0.0, (("q", 100.0),))
    for earlier, first in ((9.0, True), (11.0, False)):
        works = [busy, Work(20.0 - earlier, 0.0, (("q", 1.0),)), Work(20.0, 10.0, (("q", 1.0),))]
        served = simulate(works, crew, 1_000.0).served
        assert (served[2].began < served[1].began) is first  # type: ignore[operator]


def test_people_come_and_go_and_finish_what_they_hold() -> None:
    """Nobody begins before the shift or after it; what was begun in time is finished."""
    crew = [Crew("c", ("q",), [(0.0, 0), (60.0, 1), (120.0, 0), (180.0, 2), (240.0, 0)])]
    works = [Work(0.0, 0.0, (("q", 50.0),)), Work(1.0, 0.0, (("q", 50.0),)), Work(2.0, 0.0, (("q", 50.0),))]
    run = simulate(works, crew, 1_000.0)
    assert [told.began for told in run.served] == [60.0, 110.0, 180.0]
    assert [told.done for told in run.served] == [110.0, 160.0, 230.0]
    assert run.worked == {"c": 150.0}


def test_what_nobody_gets_to_still_waits() -> None:
    """At the end of the simulation what was not begun says so."""
    run = simulate([Work(0.0, 0.0, (("q", 5.0),))], [Crew("c", ("q",), [(0.0, 0)])], 100.0)
    assert run.served[0].began is run.served[0].done is None


def test_a_misrouted_message_waits_twice() -> None:
    """First it is seen not to be theirs, then it waits in the other queue with its old arrival."""
    crews = [Crew("a", ("a",), [(0.0, 1)]), Crew("b", ("b",), [(0.0, 1)])]
    works = [
        Work(0.0, 0.0, (("b", 30.0),)),
        Work(1.0, 0.0, (("a", 4.0), ("b", 8.0))),
        Work(2.0, 0.0, (("b", 1.0),)),
    ]
    served = simulate(works, crews, 1_000.0).served
    assert (served[1].began, served[1].done) == (30.0, 38.0)  # before the one that came a minute later
    assert served[2].began == 38.0


def test_a_crew_of_two_queues_takes_the_oldest_of_both() -> None:
    """One person, two queues: what aged most comes next, wherever it lies."""
    crew = [Crew("c", ("a", "b"), [(0.0, 1)])]
    works = [Work(0.0, 0.0, (("a", 10.0),)), Work(3.0, 0.0, (("b", 10.0),)), Work(2.0, 0.0, (("a", 10.0),))]
    assert [told.began for told in simulate(works, crew, 100.0).served] == [0.0, 20.0, 10.0]


def test_a_queue_without_people_is_an_error() -> None:
    """A queue that no crew serves is named, with those that are."""
    with pytest.raises(InputError, match="nobody serves 'b'"):
        simulate([Work(0.0, 0.0, (("b", 1.0),))], [Crew("c", ("a",), [(0.0, 1)])], 10.0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(-60, 60), st.integers(1, 40)), min_size=1, max_size=25
    ),
    st.integers(1, 3),
)
def test_order_changes_who_waits_but_no_work_is_lost(rows: list[tuple[int, int, int]], people: int) -> None:
    """Whatever the priorities: everything is served, never before it came, by no more than are there."""
    works = [Work(float(at), float(rank), (("q", float(length)),)) for at, rank, length in rows]
    run = simulate(works, [Crew("c", ("q",), [(0.0, people)])], FOREVER)
    spans = []
    for work, told in zip(works, run.served, strict=True):
        assert told.began is not None
        assert told.done is not None
        assert told.began >= work.at
        assert told.done == pytest.approx(told.began + work.stations[0][1])
        spans += [(told.began, 1), (told.done, -1)]
    assert run.worked["c"] == pytest.approx(sum(work.stations[0][1] for work in works))
    busy = np.cumsum([change for _, change in sorted(spans)])
    assert busy.max() <= people
