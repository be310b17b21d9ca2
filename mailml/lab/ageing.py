"""`lab.ageing`: who waits how long under two flows, with the people there are and priorities that age.

The archive is replayed as it arrived; how long each answer takes is drawn anew for every seed, and the same
on both sides, so that the difference is the flow's. A misrouted message waits twice: people read it, see that
it is not theirs, and hand it on, with its old arrival.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError
from mailml.lab import staffing as staffings
from mailml.lab.report.ageing import ageing_page
from mailml.lab.report.page import write_whole
from mailml.lab.simulated import Simulated
from mailml.lab.staffing import HANDLING, Staffing
from mailml.lab.workload import SIDES, Workload

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.lab.comparison import Comparison
    from mailml.lab.labels import Labels
    from mailml.lab.report.page import Page
    from mailml.lab.sides import Side
    from mailml.sla import Calendar

Given = Staffing | Mapping[str, Any] | str | os.PathLike[str] | None
SEEDS = 20
_FLATTERS = "Mail of the classifier's training time is among it, which flatters the side that asks it."


class Ageing(Simulated):
    """The figures of `Simulated`, which show themselves in a notebook and write themselves down."""

    def page(self) -> Page:
        """The figures as a page: `.write("ageing.html")` makes the file."""
        return ageing_page(self)

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write `ageing.json` and `ageing.html` into a folder; returns the HTML file."""
        told = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        write_whole(Path(folder) / "ageing.json", told)
        return self.page().write(Path(folder) / "ageing.html")

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def ageing(
    candidate: Side,
    baseline: Side,
    archive: Archive,
    staffing: Given = None,
    *,
    truth: Mapping[str, str] | Labels | None = None,
    seeds: int = SEEDS,
    handling: float = HANDLING,
) -> Ageing:
    """Simulate how long customers wait under both flows.

    `staffing` is a `Staffing`, a table or TOML file that describes one (see mailml.lab.staffing), or queue ->
    people, such as `{"Billing": 2, "Tech Support": [0, 0, …]}`; without it every queue gets as many people
    as keep the baseline at most 80% busy. `handling` is the minutes an answer takes, where the staffing says
    nothing else. Sides and `truth` are those of `lab.backtest`.

    Raises what `lab.backtest` raises, ConfigError with every fault of a staffing, InputError for a queue that
    nobody serves.
    """
    from mailml.lab.backtest import backtest

    test = backtest(candidate, baseline, archive, truth=truth)
    if test.sides is None:
        raise InputError("the back-test has no bundles")
    queues = {*test.sides[0].flow.queues(), *test.sides[1].flow.queues()}
    calendar = test.sides[0].desk.calendar
    return ageing_of(test, calendar, staffing, seeds=seeds, handling=handling, queues=queues)


def ageing_of(
    test: Comparison,
    calendar: Calendar,
    staffing: Given = None,
    *,
    seeds: int = SEEDS,
    handling: float = HANDLING,
    queues: Collection[str] = (),
) -> Ageing:
    """The same over a back-test that was made already, on this calendar; `queues` are those there are."""
    import pandas as pd

    if seeds < 2:
        raise InputError(f"{seeds} seeds say nothing of chance", cure="Give two at least")
    load = Workload(test, calendar)
    people = _staffing(staffing, load, handling, {*load.queues, *queues} if queues else None)
    crews = load.crews(people)
    runs, occupancy = list[pd.DataFrame](), list[dict[str, Any]]()
    for seed in range(seeds):
        for side in SIDES:
            table, worked = load.run(side, people, crews, seed)
            runs.append(table.assign(seed=seed, side=side))
            occupancy += [{"seed": seed, "side": side, **row} for row in worked]
    notes = (_supposed(people) if staffing is None else "", _FLATTERS if test.rows["seen"].any() else "")
    note = " ".join(filter(None, (*notes, test.remarks)))
    made = pd.concat(runs, ignore_index=True), pd.DataFrame(occupancy)
    until = f"{test.rows['at'].max():%Y-%m-%d}"
    return Ageing(*made, people, test.candidate, test.baseline, test.source, note, until)


def _supposed(people: Staffing) -> str:
    listed = ", ".join(f"{team.name} {team.always}" for team in people.teams)
    return f"Nobody said who is there, so the baseline got what keeps it at most 80% busy: {listed}."


def _staffing(given: Given, load: Workload, handling: float, queues: Collection[str] | None) -> Staffing:
    if given is None:
        return load.enough(handling)
    if isinstance(given, Staffing):
        return given
    if not isinstance(given, Mapping):
        return staffings.load(given, queues)
    whole = "team" in given
    table = {"handling": handling, **given} if whole else dict(given)
    made = staffings.from_mapping(table, queues)
    return made if whole else Staffing(made.teams, handling)
