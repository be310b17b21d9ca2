"""How long customers waited for the first human answer, in business time, and which promises were broken.

Made from history alone: the mail that opened an interaction, and what left through Sent. Automated mail
neither opens an interaction nor answers one; a mail of ours that a machine wrote stops no clock. First
response runs from INTERNALDATE to the first sent human answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailml.errors import NotEnoughData
from mailml.lab.intervals import Share, wilson
from mailml.sla import Calendar, Target, due, elapsed, in_words, parse_target

if TYPE_CHECKING:
    import pandas as pd

    from mailml.bundle import Bundle

ANSWERED, OPEN, NEVER = "answered", "open", "not answered"
_COLUMNS = (
    "thread", "opened", "from_addr", "subject", "sha256", "queue", "priority", "target", "due", "due_sum",
    "answered_at", "minutes", "state", "within", "late",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Waits:
    """One row per interaction that a person opened, and everything that can be said about them.

    `interactions` has: thread, opened, from_addr, subject, sha256, queue (where agents left it, else where
    the flow put it), priority, target, due, due_sum (the sum behind the due time), answered_at, minutes
    (business minutes to the first human answer), state (answered, open: still within its time, not answered),
    within (answered in time; missing while open) and late (business minutes past due). `as_of` is the end of
    history.
    """

    interactions: pd.DataFrame
    calendar: Calendar
    as_of: datetime
    source: str

    @property
    def within(self) -> Share:
        """The share answered within the target, of all whose time is over."""
        judged = self.interactions["within"].dropna()
        return wilson(int(judged.sum()), len(judged))

    @property
    def median_hours(self) -> float:
        """The median of the business hours to the first human answer."""
        return float(self.interactions["minutes"].median()) / 60

    def by(self, column: str) -> pd.DataFrame:
        """Per queue, priority, target or sender: interactions, median and p90 hours, share within target."""
        import pandas as pd

        groups = self.interactions.groupby(column, sort=True)
        rows = [{column: key, **_summary(group)} for key, group in groups]
        return pd.DataFrame(rows, columns=[column, *_summary(self.interactions)])

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
        return broken.sort_values("late", ascending=False, kind="stable").reset_index(drop=True)

    def arrivals(self) -> pd.DataFrame:
        """Interactions opened per weekday (rows, Monday first) and hour (columns), on the desk's clock."""
        local = self.interactions["opened"].dt.tz_convert(self.calendar.zone)
        counts = self.interactions.groupby(
            [local.dt.day_of_week.rename("weekday"), local.dt.hour.rename("hour")]
        )
        return counts.size().unstack(fill_value=0).reindex(index=range(7), columns=range(24), fill_value=0)

    def backlog(self) -> pd.DataFrame:
        """Per local day: interactions opened, answered for the first time, and waiting at its end."""
        import pandas as pd

        zone, rows = self.calendar.zone, self.interactions
        opened = rows["opened"].dt.tz_convert(zone)
        answered = rows["answered_at"].dt.tz_convert(zone)
        days = pd.date_range(opened.min().normalize(), pd.Timestamp(self.as_of).tz_convert(zone), freq="D")
        into = opened.dt.normalize().value_counts().reindex(days, fill_value=0)
        out = answered.dropna().dt.normalize().value_counts().reindex(days, fill_value=0)
        table = pd.DataFrame({"opened": into, "answered": out})
        table["waiting"] = table["opened"].cumsum() - table["answered"].cumsum()
        return table.rename_axis("day")


def measure(
    ledger: pd.DataFrame,
    bundle: Bundle,
    *,
    calendar: Calendar | None = None,
    target: str = "",
    as_of: datetime | None = None,
) -> Waits:
    """First human responses in what `lab.replay` made of an archive; see `lab.sla_report`."""
    import pandas as pd

    hours = calendar or bundle.desk.calendar
    promised = parse_target(target) if target else None
    end = as_of or (ledger["at"].max().to_pydatetime() if len(ledger) else datetime.now(UTC))
    answers = _first_answers(ledger)
    opening = ledger[ledger["opens"] & ~ledger["sent"] & ledger["kind"].eq("human") & ledger["queue"].ne("")]
    if opening.empty:
        cure = "Pull the Inbox, the queue folders and Sent, and check the desk's own addresses"
        raise NotEnoughData("no person opened an interaction in this history", cure=cure)
    recompute = calendar is not None or promised is not None
    rows = list(_measured(opening, answers, hours, promised, end, recompute=recompute))
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    for name in ("opened", "due", "answered_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["minutes"] = frame["minutes"].astype("float64")
    source = f"mailbox history, {len(ledger):,} messages"
    return Waits(frame, hours, end, source)


def _first_answers(ledger: pd.DataFrame) -> dict[str, list[datetime]]:
    """Thread -> when each human answer left, in order."""
    human = ledger[ledger["sent"] & ~ledger["automatic"]].sort_values("at", kind="stable")
    answers: dict[str, list[datetime]] = {}
    for thread, at in zip(human["thread"], human["at"], strict=True):
        answers.setdefault(thread, []).append(at.to_pydatetime())
    return answers


def _measured(
    opening: pd.DataFrame,
    answers: dict[str, list[datetime]],
    calendar: Calendar,
    promised: Target | None,
    as_of: datetime,
    *,
    recompute: bool,
) -> Iterator[dict[str, Any]]:
    """One row per interaction: when it was due, when it was answered, and what that makes of the promise."""
    for row in opening.to_dict("records"):
        opened = row["at"].to_pydatetime()
        due_at, due_sum, target = row["due"], row["due_sum"], row["target"]
        if recompute or due_at is None or due_at != due_at:
            promise = due(opened, promised or parse_target(target or "4 business hours"), calendar)
            due_at, due_sum, target = promise.at, in_words(promise), promise.target
        first = next((at for at in answers.get(row["thread"], ()) if at >= opened), None)
        state, within, late = _judged(due_at, first, as_of, calendar)
        yield {
            **{name: row[name] for name in ("thread", "from_addr", "subject", "sha256", "priority")},
            "opened": opened,
            "queue": row["final_queue"] or row["queue"],
            "target": target,
            "due": due_at,
            "due_sum": due_sum,
            "answered_at": first,
            "minutes": elapsed(opened, first, calendar).total_seconds() / 60 if first else None,
            "state": state,
            "within": within,
            "late": late,
        }


def _judged(
    due_at: datetime, first: datetime | None, as_of: datetime, calendar: Calendar
) -> tuple[str, bool | None, float]:
    if first is not None and first <= due_at:
        return ANSWERED, True, 0.0
    if first is None and as_of <= due_at:
        return OPEN, None, 0.0
    late = elapsed(due_at, first or as_of, calendar).total_seconds() / 60
    return ANSWERED if first else NEVER, False, late


def _summary(group: pd.DataFrame) -> dict[Hashable, Any]:
    minutes, judged = group["minutes"].dropna(), group["within"].dropna()
    return {
        "interactions": len(group),
        "answered": len(minutes),
        "median_hours": float(minutes.median()) / 60 if len(minutes) else None,
        "p90_hours": float(minutes.quantile(0.9)) / 60 if len(minutes) else None,
        "within_target": wilson(int(judged.sum()), len(judged)),
        "breaches": int(judged.eq(False).sum()),
    }
