"""How long customers waited for the first human answer, in business time, and which promises were broken.

Made from history alone: the mail that opened an interaction, and what left through Sent. Automated mail
neither opens an interaction nor answers one; a mail of ours that a machine wrote stops no clock. First
response runs from INTERNALDATE to the first sent human answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mailml.errors import NotEnoughData
from mailml.lab.backlog import backlog
from mailml.lab.intervals import Share, wilson
from mailml.lab.open_time import NEVER, Micros, OpenTime, micros, times
from mailml.lab.promises import ANSWERED, NEVER_ANSWERED, OPEN, judge, sums
from mailml.lab.turns import turns
from mailml.sla import Calendar, parse_target

if TYPE_CHECKING:
    import pandas as pd

    from mailml.bundle import Bundle

_KEPT = ("thread", "from_addr", "subject", "sha256", "priority", "rule")
_DEFAULT = "4 business hours"

__all__ = ["ANSWERED", "NEVER_ANSWERED", "OPEN", "Waits", "measure"]


@dataclass(frozen=True, eq=False)
class Waits:
    """One row per interaction that a person opened, and everything that can be said about them.

    `interactions` has: thread, opened, from_addr, subject, sha256, queue (where agents left it, else where
    the flow put it), priority, rule, target, due, due_sum (the sum behind the due time; "" where it was not
    asked for yet, `breaches` fills it in), answered_at, minutes (business minutes to the first human answer),
    state (answered, open: still within its time, not answered), within (answered in time; missing while open)
    and late (business minutes past due). `later` has one row per mail of a customer who wrote again after an
    answer: thread, asked, queue, answered_at, minutes. `as_of` is the end of history.
    """

    interactions: pd.DataFrame
    calendar: Calendar
    as_of: datetime
    source: str
    later: pd.DataFrame = field(repr=False)

    @property
    def within(self) -> Share:
        """The share answered within the target, of all whose time is over."""
        return _within(self.interactions)

    @property
    def median_hours(self) -> float:
        """The median of the business hours to the first human answer."""
        return float(self.interactions["minutes"].median()) / 60

    def by(self, *columns: str) -> pd.DataFrame:
        """Per queue, priority, target, rule or sender: interactions, median and p90 hours, share in time."""
        import pandas as pd

        rows: list[dict[Hashable, Any]] = []
        for key, group in self.interactions.groupby(list(columns), sort=True):
            named: dict[Hashable, Any] = dict(zip(columns, _keys(key), strict=True))
            rows.append(named | _summary(group))
        return pd.DataFrame(rows, columns=[*columns, *_summary(self.interactions.head(1))])

    def by_queue(self) -> pd.DataFrame:
        """The table per queue."""
        return self.by("queue")

    def by_month(self) -> pd.DataFrame:
        """The same figures month by month: the trend."""
        local = self.interactions["opened"].dt.tz_convert(self.calendar.zone)
        months = self.interactions.assign(month=local.dt.strftime("%Y-%m"))
        return replace(self, interactions=months).by("month")

    def breaches(self) -> pd.DataFrame:
        """Every broken promise, the latest answers first, each with the sum that led to its due time."""
        broken = self.interactions[self.interactions["within"].eq(False)]
        ordered = broken.sort_values("late", ascending=False, kind="stable").reset_index(drop=True)
        return ordered.assign(due_sum=sums(ordered, self.calendar))

    def arrivals(self) -> pd.DataFrame:
        """Interactions opened per weekday (rows, Monday first) and hour (columns), on the desk's clock."""
        local = self.interactions["opened"].dt.tz_convert(self.calendar.zone)
        counts = self.interactions.groupby(
            [local.dt.day_of_week.rename("weekday"), local.dt.hour.rename("hour")]
        )
        return counts.size().unstack(fill_value=0).reindex(index=range(7), columns=range(24), fill_value=0)

    def backlog(self) -> pd.DataFrame:
        """Per local day: opened, answered, waiting and overdue at its end, median and oldest age in hours."""
        return backlog(self.interactions, self.calendar, self.as_of)

    def what_if(self, *, calendar: Calendar | None = None, target: str = "") -> Self:
        """The same history under another calendar or target; raises InputError for a target that is none."""
        rows = self.interactions.drop(columns=["due", "due_sum"])
        if target:
            rows = rows.assign(target=parse_target(target).text)
        judged = judge(rows, calendar or self.calendar, self.as_of)
        return replace(self, interactions=judged, calendar=calendar or self.calendar)

    def promises(self, targets: Sequence[str]) -> pd.DataFrame:
        """What share of this history would have been in time under each of these targets."""
        import pandas as pd

        tried = [(target, self.what_if(target=target).within) for target in targets]
        rows = [(target, share.of, share.of - share.hits, share) for target, share in tried]
        return pd.DataFrame(rows, columns=["target", "interactions", "breaches", "within_target"])


def measure(
    ledger: pd.DataFrame,
    bundle: Bundle,
    *,
    calendar: Calendar | None = None,
    target: str = "",
    as_of: datetime | None = None,
    source: str = "",
) -> Waits:
    """First human responses in what `lab.replay` made of an archive; see `lab.sla_report`."""
    hours = calendar or bundle.desk.calendar
    end = as_of or (ledger["at"].max().to_pydatetime() if len(ledger) else datetime.now(UTC))
    if as_of is not None:
        ledger = ledger[micros(ledger["at"]) <= micros([as_of])[0]]
    found = turns(ledger)
    if not len(found.openings):
        cure = "Pull the Inbox, the queue folders and Sent, and check the desk's own addresses"
        raise NotEnoughData("no person opened an interaction in this history", cure=cure)
    rows = _rows(ledger.iloc[found.openings], found.opening_answers)
    if target:
        rows["target"] = parse_target(target).text
    rows["target"] = rows["target"].replace("", _usual(bundle)).fillna(_usual(bundle))
    if calendar is not None or target:
        rows = rows.drop(columns=["due", "due_sum"])
    later = _later(ledger.iloc[found.later], found.later_answers, hours)
    told = source or f"mailbox history, {len(ledger):,} messages"
    return Waits(judge(rows, hours, end), hours, end, told, later)


def _rows(opening: pd.DataFrame, answered: Micros) -> pd.DataFrame:
    made = opening[[*_KEPT, "target", "due", "due_sum"]].reset_index(drop=True)
    made.insert(1, "opened", opening["at"].to_numpy())
    made["opened"] = times(micros(opening["at"]))
    final = opening["final_queue"].to_numpy()
    made["queue"] = np.where(final != "", final, opening["queue"].to_numpy())
    made["answered_at"] = times(answered)
    return made


def _later(again: pd.DataFrame, answered: Micros, calendar: Calendar) -> pd.DataFrame:
    import pandas as pd

    asked = micros(again["at"])
    final = again["final_queue"].to_numpy()
    made = pd.DataFrame({"thread": again["thread"].to_numpy(), "asked": times(asked)})
    made["queue"] = np.where(final != "", final, again["queue"].to_numpy())
    made["answered_at"] = times(answered)
    known = np.concatenate([asked, answered[answered != NEVER]])
    if len(known):
        clock = OpenTime(calendar, int(np.min(known)), int(np.max(known)))
        made["minutes"] = clock.elapsed(asked, answered)
    else:
        made["minutes"] = np.array([], dtype=float)
    return made.sort_values("asked", kind="stable").reset_index(drop=True)


def _usual(bundle: Bundle) -> str:
    usual = getattr(bundle.desk, "sla_target", None)
    return usual.text if usual is not None else _DEFAULT


def _keys(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def _within(rows: pd.DataFrame) -> Share:
    judged = rows["within"].dropna()
    return wilson(int(judged.sum()), len(judged))


def _summary(group: pd.DataFrame) -> dict[Hashable, Any]:
    minutes, share = group["minutes"].dropna(), _within(group)
    return {
        "interactions": len(group),
        "answered": len(minutes),
        "median_hours": float(minutes.median()) / 60 if len(minutes) else None,
        "p90_hours": float(minutes.quantile(0.9)) / 60 if len(minutes) else None,
        "within_target": share,
        "breaches": share.of - share.hits,
    }
