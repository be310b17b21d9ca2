"""The SLA report as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mailml.lab.escape import mask
from mailml.lab.report.drawings import waiting
from mailml.lab.report.figures import heat, lines, shares
from mailml.lab.report.page import Hours, Page, Section, Table, Tile, cell, from_frame, table

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.waits import Waits
    from mailml.sla import Calendar

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_BREACHES, _CURVE = 100, 400
_PROMISES = ("1 business hour", "2 business hours", "4 business hours", "8 business hours", "2 business days")


class Simulated(Protocol):
    """A simulation of other staff or priorities, as `lab.ageing` makes it."""

    source: str

    def by_queue(self) -> pd.DataFrame:
        """Its figures queue by queue."""


def sla_page(report: Waits, *, addresses: bool = False, simulated: Simulated | None = None) -> Page:
    """The page: tiles, queues, distribution, trend, arrivals, backlog, what if, every breach with its sum.

    Addresses are masked unless `addresses` asks for them. `simulated` adds what other staff would have done.
    """
    first = report.interactions["opened"].min()
    lead = (
        f"First human answers to {len(report.interactions):,} interactions opened between {first:%d %B %Y} "
        f"and {report.as_of:%d %B %Y}, in the business time of {report.calendar.zone}. Automated mail "
        "neither opens, answers nor stops a clock."
    )
    return Page(
        "How long customers waited",
        lead,
        report.source,
        f"{report.as_of:%Y-%m-%d}",
        sla_tiles(report),
        (
            by_queue(report),
            _distribution(report),
            _trend(report),
            _arrivals(report),
            *_backlog(report),
            _again(report),
            *_what_if(report, simulated),
            _breaches(report, addresses=addresses),
        ),
    )


def sla_tiles(report: Waits) -> tuple[Tile, ...]:
    """The head of the report."""
    within, rows = report.within, report.interactions
    waits = int(rows["answered_at"].isna().sum())
    median, p90 = cell(Hours(report.median_hours)), cell(Hours(rows["minutes"].quantile(0.9) / 60))
    return (
        Tile(
            "answered within target",
            f"{within.value:.0%}" if within.of else "–",
            f"95% interval {within.low:.0%} to {within.high:.0%}, n={within.of:,}",
            "good" if within.low >= 0.8 else "bad",
        ),
        Tile("median wait", median, f"business time; nine in ten within {p90}"),
        Tile("promises broken", f"{within.of - within.hits:,}", "each is listed below with its sum"),
        Tile("still waiting", f"{waits:,}", "no human answer in this history", "bad" if waits else "good"),
    )


def by_queue(report: Waits) -> Section:
    """Share within target per queue."""
    rows = report.by_queue()
    picture = shares(
        list(zip(rows["queue"], rows["within_target"], strict=True)),
        "Share of interactions answered within target for each queue, with 95% intervals.",
    )
    by_priority = report.by("queue", "priority") if report.interactions["priority"].nunique() > 1 else None
    tables = [_waits(rows), _waits(report.by("priority"), "By priority (minutes of ageing)")]
    if by_priority is not None:
        tables.append(_waits(by_priority, "By queue and priority", folded=True))
    lead = "Share of interactions whose first human answer came in time. Wide lines mean few cases."
    return Section("Within target, by queue", lead, picture, tuple(tables))


def _waits(rows: pd.DataFrame, caption: str = "", *, folded: bool = False) -> Table:
    named = {"median_hours": "median_wait_hours", "p90_hours": "p90_wait_hours"}
    return from_frame(rows.rename(columns=named), caption, folded=folded)


def _distribution(report: Waits) -> Section:
    rows = report.interactions
    hours = {str(queue): list(part["minutes"].dropna() / 60) for queue, part in rows.groupby("queue")}
    drawn = {queue: _thinned(values) for queue, values in hours.items()}
    target = _target_hours(report)
    picture = waiting(
        drawn, target, "For each queue, the share of interactions answered within so many hours."
    )
    steps = (0.5, 1, 2, 4, 8, 16, 24)
    cells = [
        (queue, *(f"{sum(v <= step for v in values) / max(len(values), 1):.0%}" for step in steps))
        for queue, values in hours.items()
    ]
    caption = "Share of answered interactions answered within so many business hours"
    numbers = table(("queue", *(cell(Hours(step)) for step in steps)), cells, caption)
    return Section("The whole distribution", "The red line is the target.", picture, (numbers,))


def _thinned(values: list[float]) -> list[float]:
    """Quantiles instead of every value: a hundred thousand steps are megabytes that look the same."""
    import numpy as np

    if len(values) <= _CURVE:
        return values
    return [float(one) for one in np.quantile(values, np.linspace(0, 1, _CURVE))]


def _target_hours(report: Waits) -> float:
    from mailml.sla import parse_target

    usual = report.interactions["target"].mode().iloc[0]
    return parse_target(usual).minutes_in(report.calendar) / 60


def _trend(report: Waits) -> Section:
    rows = report.by_month()
    series = {"within target": [share.value if share.of else 0.0 for share in rows["within_target"]]}
    picture = lines(
        list(rows["month"]), series, "Share answered within target, month by month.", "", percent=True
    )
    return Section(
        "Month by month", "By the month in which the customer wrote.", picture, (from_frame(rows),)
    )


def _arrivals(report: Waits) -> Section:
    counts = report.arrivals()
    hours = [f"{hour:02}" for hour in range(24)]
    picture = heat(counts.to_numpy().tolist(), _DAYS, hours, "New interactions by weekday and hour.")
    cells = [(day, *map(int, row)) for day, row in zip(_DAYS, counts.to_numpy(), strict=True)]
    numbers = table(("", *hours), cells, "Interactions opened by weekday and hour", folded=True)
    lead = f"When customers write, on the clock of {report.calendar.zone}. Staff the dark cells."
    return Section("When they write", lead, picture, (numbers,))


def _backlog(report: Waits) -> tuple[Section, Section]:
    days = report.backlog()
    names = [f"{day:%Y-%m-%d}" for day in days.index]
    series = {name: [float(value) for value in days[name]] for name in ("waiting", "overdue")}
    alt = "Interactions waiting for a first human answer, and overdue, at the end of each day."
    picture = lines(names, series, alt, "interactions")
    last = dict.fromkeys(("waiting", "overdue", "median_age_hours", "oldest_age_hours"), "last")
    weekly = days.resample("W").agg({"opened": "sum", "answered": "sum", **last}).reset_index()
    weekly["day"] = weekly["day"].dt.strftime("%Y-%m-%d")
    numbers = from_frame(
        weekly.rename(columns={"day": "week ending"}), "At the end of each week", folded=True
    )
    lead = (
        "What waited for its first human answer at the end of each day. Ages are business hours; what nobody "
        "ever answers stays in it."
    )
    age = lines(
        names,
        {"median": [float(value) for value in days["median_age_hours"]]},
        "The median age, in business hours, of what waited at the end of each day.",
        "business hours",
    )
    ages = days[["median_age_hours", "oldest_age_hours"]].resample("W").last().reset_index()
    ages["day"] = ages["day"].dt.strftime("%Y-%m-%d")
    by_week = from_frame(ages.rename(columns={"day": "week ending"}), "At the end of each week", folded=True)
    told = "Half of what waited was older; where the line climbs for good, something is never answered."
    return (
        Section("Backlog", lead, picture, (numbers,)),
        Section("Age of the backlog", told, age, (by_week,)),
    )


def _again(report: Waits) -> Section:
    """Customers who wrote again after an answer: how long those waits were. No promise covers them."""
    rows = report.later.groupby("queue")["minutes"].describe(percentiles=[0.5, 0.9]).reset_index()
    cells = [
        (row["queue"], int(open_), int(row["count"]), Hours(row["50%"] / 60), Hours(row["90%"] / 60))
        for row, open_ in zip(
            rows.to_dict("records"), report.later.groupby("queue").size().tolist(), strict=True
        )
    ]
    columns = ("queue", "wrote again", "answered", "median wait", "p90 wait")
    lead = "Customers who asked again after an answer. Thanks and automated mail restart no clock."
    return Section("When they had to write again", lead, None, (table(columns, cells),))


def _what_if(report: Waits, simulated: Simulated | None) -> tuple[Section, ...]:
    tried = report.promises(_PROMISES)
    hours = [("as it is", report.within)]
    hours += [(name, report.what_if(calendar=calendar).within) for name, calendar in _hours_tried(report)]
    picture = shares(
        list(zip(tried["target"], tried["within_target"], strict=True)),
        "Share of interactions answered in time under other promises, with 95% intervals.",
        lower_is_better=False,
    )
    other = table(("opening hours", "within target"), hours, "The same promise under other opening hours")
    lead = (
        "The same history, computed again: who answered when stays as it was. More open hours without more "
        "people make the same promise harder to keep."
    )
    made = [Section("What if: another promise, other hours", lead, picture, (from_frame(tried), other))]
    if simulated is not None:
        numbers = from_frame(simulated.by_queue(), "Minutes of open time, simulated")
        made.append(Section("What if: other people, other priorities", simulated.source, None, (numbers,)))
    return tuple(made)


def _hours_tried(report: Waits) -> list[tuple[str, Calendar]]:
    """The desk open an hour earlier and later, and on Saturday mornings."""
    from dataclasses import replace

    mine = report.calendar
    longer = {
        day: ((max(spans[0][0] - 60, 0), spans[0][1]), *spans[1:]) if spans else ()
        for day, spans in mine.week.items()
    }
    longer = {
        day: (*spans[:-1], (spans[-1][0], min(spans[-1][1] + 60, 1440))) if spans else ()
        for day, spans in longer.items()
    }
    found = [("an hour earlier and an hour later", replace(mine, week=longer))]
    if not mine.week.get(5):
        found.append(
            ("Saturdays from nine to one as well", replace(mine, week={**mine.week, 5: ((540, 780),)}))
        )
    return found


def _breaches(report: Waits, *, addresses: bool) -> Section:
    rows = report.breaches()
    late, never = rows[rows["state"].eq("answered")], rows[rows["state"].ne("answered")]
    tables = (
        _promises(report, late, f"Answered late ({len(late):,})", addresses=addresses),
        _promises(report, never, f"Never answered ({len(never):,})", addresses=addresses),
    )
    most = f" At most {_MOST_BREACHES} of each are listed." if len(rows) > _MOST_BREACHES else ""
    zone = report.calendar.zone
    lead = f"Every due time with the sum that led to it, the latest answers first; times of {zone}."
    return Section("Broken promises", f"{lead}{most}", None, tables)


def _promises(report: Waits, rows: pd.DataFrame, caption: str, *, addresses: bool) -> Table:
    hide = str if addresses else mask
    cells = [
        (
            report.calendar.local(row["opened"]),
            hide(row["from_addr"]),
            hide(row["subject"]),
            row["queue"],
            report.calendar.local(row["due"]),
            row["due_sum"],
            _late(row["late"] / 60, report.calendar.day_minutes() / 60),
        )
        for row in rows.head(_MOST_BREACHES).to_dict("records")
    ]
    return table(("opened", "from", "subject", "queue", "due", "the sum", "late by"), cells, caption)


def _late(hours: float, day_hours: float) -> str:
    """Business hours, or working days where it is more than two."""
    return cell(Hours(hours)) if hours <= 2 * day_hours else f"{hours / day_hours:.0f} working days"
