"""A back-test's history as work for people: what arrives when, where it is sent, where it is answered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mailml.errors import NotEnoughData
from mailml.lab.queueing import Crew, Work, simulate
from mailml.lab.staffing import Staffing, Team
from mailml.sla import Calendar

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.comparison import Comparison

SIDES = ("before", "after")
OCCUPIED = 0.8
_AFTER = 60  # days: what waits at the end of history is worked off, or counts as never answered
Floats = NDArray[np.float64]


class Workload:
    """Messages in order of arrival, in minutes of the simulation, which begins with the first of them."""

    def __init__(self, test: Comparison, calendar: Calendar) -> None:
        rows = _placed(test)
        self._rows, self._calendar = rows, calendar
        self._start = rows["at"].iloc[0].to_pydatetime()
        self._arrived = self._minutes(rows["at"])
        self._due = {side: self._minutes(rows[f"due_{side}"]) for side in SIDES}
        last = rows["at"].iloc[-1].to_pydatetime()
        self._days = (calendar.local(last).date() - calendar.local(self._start).date()).days + _AFTER
        self._end = float(self._arrived[-1]) + (_AFTER - 2) * 24 * 60
        self._open = self._open_minutes()
        self.queues = {*rows["queue_before"], *rows["queue_after"], *rows["home"]} - {""}

    def enough(self, handling: float) -> Staffing:
        """Per queue as many people as keep the baseline at most 80% busy while it is open; one at least."""
        hours = max(float(self.opened(self._arrived[-1]) - self.opened(self._arrived[0])), 60.0)
        counts = self._rows["queue_before"].value_counts()
        need = {queue: float(counts.get(queue, 0)) * handling / hours / OCCUPIED for queue in self.queues}
        teams = [Team(queue, (queue,), always=max(1, math.ceil(need[queue]))) for queue in sorted(need)]
        return Staffing(tuple(teams), handling)

    def crews(self, staffing: Staffing) -> list[Crew]:
        """The teams with their shifts over the history and what comes after it."""
        return [team.crew(self._calendar, self._start, self._days) for team in staffing.teams]

    def run(
        self, side: str, staffing: Staffing, crews: Sequence[Crew], seed: int
    ) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
        """One seed of one side: the figures per answering queue, and how busy each team was."""
        works, here = self._works(side, staffing, seed)
        made = simulate(works, crews, self._end)
        began = np.array([math.nan if told.began is None else told.began for told in made.served])
        done = np.array([math.nan if told.done is None else told.done for told in made.served])
        busy = [
            {"team": crew.name, "occupied": made.worked[crew.name] / max(self._present(crew), 1.0)}
            for crew in crews
        ]
        waits = self.opened(began) - self.opened(self._arrived[here])
        queues = [work.stations[-1][0] for work in works]
        return _figures(queues, waits, self._due[side][here], done), busy

    def opened(self, minute: Any) -> Any:
        """How many minutes the desk was open until a minute of the simulation."""
        return np.interp(minute, *self._open)

    def _works(self, side: str, staffing: Staffing, seed: int) -> tuple[list[Work], NDArray[np.int64]]:
        rng, rows = np.random.default_rng(seed), self._rows
        # drawn for every message of the history, so that both sides meet the same hard cases
        answer, look = (_lengths(rng, len(rows), staffing.spread) for _ in range(2))
        queues, homes = rows[f"queue_{side}"].tolist(), rows["home"].tolist()
        priorities, opens = rows[f"priority_{side}"].tolist(), rows["opens"].tolist()
        here = np.flatnonzero([bool(queue) for queue in queues])
        works = []
        for at in here.tolist():
            first, last = queues[at], homes[at] or queues[at]
            stations = [(last, staffing.minutes(last) * float(answer[at]))]
            if opens[at] and first != last:
                stations.insert(0, (first, staffing.handover * float(look[at])))
            works.append(Work(float(self._arrived[at]), float(priorities[at]), tuple(stations)))
        return works, here

    def _open_minutes(self) -> tuple[Floats, Floats]:
        """Minute of the simulation -> minutes the desk was open until then, as points to interpolate."""
        first = self._calendar.local(self._start).date()
        points, total = [(0.0, 0.0)], 0.0
        for n in range(-1, self._days + 1):
            for opens, closes in self._calendar.intervals(first + timedelta(days=n)):
                begin, end = max(self._minute(opens), 0.0), self._minute(closes)
                if end > begin:
                    points += [(begin, total), (end, total + end - begin)]
                    total += end - begin
        table = np.array(points)
        return table[:, 0], table[:, 1]

    def _minute(self, when: Any) -> float:
        return float((when - self._start).total_seconds() / 60)

    def _minutes(self, times: pd.Series[Any]) -> Floats:
        return np.array((times - self._start).dt.total_seconds() / 60, dtype=np.float64)

    def _present(self, crew: Crew) -> float:
        """Minutes of people between the first and the last message."""
        last, total = float(self._arrived[-1]), 0.0
        for (begin, people), (end, _) in zip(crew.shifts, [*crew.shifts[1:], (last, 0)], strict=True):
            total += people * max(min(end, last) - max(begin, 0.0), 0.0)
        return total


def joined(runs: pd.DataFrame) -> pd.DataFrame:
    """The figures of all queues of each run as one: means weigh messages, p90 is the slowest queue's."""
    import pandas as pd

    begun = runs["messages"] - runs["unanswered"]
    parts = runs.assign(begun=begun, waited=runs["wait"].fillna(0) * begun)
    groups = parts.groupby(["seed", "side"])
    made = groups[["messages", "promised", "breaches", "unanswered", "begun", "waited"]].sum()
    made["p90"] = groups["p90"].max()
    made["wait"] = made["waited"] / made["begun"].where(made["begun"] > 0)
    made["breach_rate"] = made["breaches"] / made["promised"].where(made["promised"] > 0)
    return pd.DataFrame(made.drop(columns=["begun", "waited"]).reset_index())


def _placed(test: Comparison) -> pd.DataFrame:
    rows = test.rows[test.rows["queue_before"].ne("") | test.rows["queue_after"].ne("")]
    if rows.empty:
        cure = "Pull the Inbox and the queue folders"
        raise NotEnoughData("no message of this history reaches a queue", cure=cure)
    # a reply goes to whoever has the conversation, whatever its own rules would say
    conversations = rows[rows["opens"]].drop_duplicates("thread").set_index("thread")["truth"]
    inherited = rows["thread"].map(conversations).fillna("")
    rows = rows.assign(home=rows["truth"].where(rows["truth"].ne(""), inherited))
    return rows.sort_values(["at", "sha256"]).reset_index(drop=True)


def _figures(queues: Sequence[str], waits: Floats, due: Floats, done: Floats) -> pd.DataFrame:
    import pandas as pd

    promised = ~np.isnan(due)
    table = pd.DataFrame(
        {
            "queue": list(queues),
            "wait": waits,
            "promised": promised,
            # what was never answered is late as soon as its time is over
            "late": promised & ~(done <= due),
            "unanswered": np.isnan(done),
        }
    )
    groups = table.groupby("queue")
    made = pd.DataFrame(
        {
            "messages": groups.size(),
            "wait": groups["wait"].mean(),
            "p90": groups["wait"].quantile(0.9),
            "promised": groups["promised"].sum(),
            "breaches": groups["late"].sum().astype(float),
            "unanswered": groups["unanswered"].sum(),
        }
    )
    made["breach_rate"] = made["breaches"] / made["promised"].where(made["promised"] > 0)
    return made.reset_index()


def _lengths(rng: np.random.Generator, n: int, spread: float) -> Floats:
    """Factors with mean 1: gamma, whose spread is the coefficient of variation; 1 is exponential."""
    return rng.gamma(1 / spread**2, spread**2, n) if spread else np.ones(n)
