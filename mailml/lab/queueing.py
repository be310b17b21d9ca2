"""Work that waits for people: a discrete-event simulation in minutes, with priorities that age.

A message of priority 10 counts as having waited ten minutes longer. Since all that waits ages alike, the next
one is always the one with the least arrival minus priority; nobody is interrupted. Built on SimPy.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import simpy

    Events = Generator[simpy.Event, Any, None]
Shifts = Sequence[tuple[float, int]]  # (from this minute on, so many people), in order


@dataclass(frozen=True, slots=True)
class Work:
    """One message: the minute it arrives, its priority, and the queues it passes with their minutes of work.

    All queues but the last only find out that it is not theirs; the last one answers it.
    """

    at: float
    priority: float
    stations: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Crew:
    """People who serve some queues together, as many as their shifts say."""

    name: str
    queues: tuple[str, ...]
    shifts: Shifts


@dataclass(slots=True)
class Served:
    """What became of a work: when its answering began and ended, in minutes; None where it still waits."""

    began: float | None = None
    done: float | None = None


class _Floor:
    """The queues and the crews while the simulation runs."""

    def __init__(self, env: simpy.Environment, crews: Sequence[Crew]) -> None:
        self._env = env
        self._present, self._busy = [0] * len(crews), [0] * len(crews)
        self._crews = crews
        self._waiting: dict[str, list[tuple[float, int, int, int]]] = {
            queue: [] for crew in crews for queue in crew.queues
        }
        self._serving = {
            queue: [n for n, crew in enumerate(crews) if queue in crew.queues] for queue in self._waiting
        }
        self._order = count()
        self.works: Sequence[Work] = ()
        self.served: list[Served] = []
        self.worked = [0.0] * len(crews)

    def arrivals(self, works: Sequence[Work]) -> Events:
        """Put every work into its first queue at its minute; they are in order of arrival."""
        for number, work in enumerate(works):
            if work.at > self._env.now:
                yield self._env.timeout(work.at - self._env.now)
            self._put(number, 0)

    def shift(self, n: int) -> Events:
        """People come and go; who leaves finishes what is in hand."""
        for minute, people in self._crews[n].shifts:
            if minute > self._env.now:
                yield self._env.timeout(minute - self._env.now)
            self._present[n] = people
            self._begin(n)

    def _put(self, number: int, station: int) -> None:
        work = self.works[number]
        queue = work.stations[station][0]
        heappush(self._waiting[queue], (work.at - work.priority, next(self._order), number, station))
        for n in self._serving[queue]:
            self._begin(n)

    def _begin(self, n: int) -> None:
        """Hand out work while somebody of the crew is free."""
        queues = [self._waiting[queue] for queue in self._crews[n].queues]
        while self._busy[n] < self._present[n]:
            ready = [queue for queue in queues if queue]
            if not ready:
                return
            _, _, number, station = heappop(min(ready, key=lambda queue: queue[0][:2]))
            self._busy[n] += 1
            self._env.process(self._work(n, number, station))

    def _work(self, n: int, number: int, station: int) -> Events:
        stations, told = self.works[number].stations, self.served[number]
        last = station == len(stations) - 1
        if last:
            told.began = self._env.now
        yield self._env.timeout(stations[station][1])
        self._busy[n] -= 1
        self.worked[n] += stations[station][1]
        if last:
            told.done = self._env.now
        else:
            self._put(number, station + 1)
        self._begin(n)


@dataclass(frozen=True, slots=True)
class Run:
    """What became of each work, in the order given, and the minutes each crew worked."""

    served: tuple[Served, ...]
    worked: Mapping[str, float]


def simulate(works: Sequence[Work], crews: Sequence[Crew], until: float) -> Run:
    """Let the crews work off what arrives, up to the minute `until`.

    Raises InputError for a queue that nobody serves.
    """
    served = {queue for crew in crews for queue in crew.queues}
    if alone := sorted({queue for work in works for queue, _ in work.stations} - served):
        what = f"nobody serves {', '.join(map(repr, alone))}"
        raise InputError(what, cure=f"Add it to a team; served are {', '.join(sorted(served)) or 'none'}")
    try:
        import simpy
    except ImportError as error:
        raise MissingExtraError("simulating needs simpy", cure='pip install "mailml[lab]"') from error
    env = simpy.Environment()
    floor = _Floor(env, crews)
    order = sorted(range(len(works)), key=lambda at: works[at].at)
    floor.works = [works[at] for at in order]
    floor.served = [Served() for _ in works]
    for n in range(len(crews)):
        env.process(floor.shift(n))
    env.process(floor.arrivals(floor.works))
    env.run(until=until)
    told = dict(zip(order, floor.served, strict=True))
    worked = {crew.name: minutes for crew, minutes in zip(crews, floor.worked, strict=True)}
    return Run(tuple(told[at] for at in range(len(works))), worked)


def erlang_c(people: int, load: float) -> float:
    """The share of calls that wait in M/M/c: `load` is arrivals times handling time (Erlang 1917)."""
    blocked = 1.0
    for n in range(1, people + 1):
        blocked = load * blocked / (n + load * blocked)
    busy = load / people
    return blocked / (1 - busy * (1 - blocked))
