"""Two bundles over one history: what would change, and would it have been better? Figures, no pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError
from mailml.lab.answers import first_answers, with_answers
from mailml.lab.costs import Costs
from mailml.lab.gate import Gate, judge_gates
from mailml.lab.intervals import Share
from mailml.lab.loads import load_per_hour
from mailml.lab.misroutes import MINUTES_PER_MISROUTE, named
from mailml.lab.paired import bounds, difference, misrouted, plain_difference, rates, saving, signed
from mailml.lab.resampling import Interval
from mailml.lab.unseen import judgeable

if TYPE_CHECKING:
    import pandas as pd

_SIDES = ("queue", "filed_in", "priority", "ack", "due", "rule", "category", "probability")
CHANGES = ("queue", "priority", "ack", "due")
_PAIRED = 60  # groups of a table that get a paired interval; the rest of a long tail gets the figure alone


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison, one row per incoming message.

    `rows` has: at, sha256, from_addr, domain, subject, thread, opens, kind, folder, truth (the queue it
    belonged in, "" where nobody knows), answered_at and answered_by (the first human answer after it), and
    for each of queue, filed_in, priority, ack, due, rule, category and probability `NAME_before` and
    `NAME_after`; changed_queue, changed_priority, changed_ack and changed_due say what differs; cost_before
    and cost_after are minutes. Misroutes are counted over messages that open an interaction and whose truth
    is known. Intervals are paired and keep the messages of one interaction together.
    """

    rows: pd.DataFrame
    candidate: str  # bundle ids
    baseline: str
    costs: Costs
    source: str
    zone: str = "UTC"  # of the desk's clock
    remarks: str = ""  # what must be said of truth and queues
    gates: tuple[Gate, ...] = ()

    @cached_property
    def _judged(self) -> tuple[pd.DataFrame, str]:
        # filed by both it never was routing's; filed by one of them it is that one's misroute
        routed = self.rows["queue_before"].ne("") | self.rows["queue_after"].ne("")
        known = self.rows["opens"] & self.rows["truth"].ne("") & routed
        return judgeable(self.rows[known])

    @property
    def judged(self) -> pd.DataFrame:
        """The messages a misroute is counted on; not the training mail of either bundle, where possible."""
        return self._judged[0]

    @property
    def note(self) -> str:
        """What must be said beside the misroutes ("" if nothing)."""
        return " ".join(filter(None, (self._judged[1], self.remarks)))

    @property
    def minutes_each(self) -> float:
        """What a plain misroute costs, in minutes."""
        return self.costs.each

    @property
    def gate(self) -> Gate | None:
        """The conditions to fail on as one: it fails when one of them does; None when there are none."""
        if len(self.gates) < 2:
            return self.gates[0] if self.gates else None
        failing = [gate for gate in self.gates if gate.fails] or self.gates
        words = "; ".join(dict.fromkeys(gate.why for gate in failing))
        return Gate(" or ".join(gate.condition for gate in failing), any(g.fails for g in self.gates), words)

    @property
    def before(self) -> Share:
        """The baseline's misroutes."""
        return misrouted(self.judged, "before")

    @property
    def after(self) -> Share:
        """The candidate's misroutes."""
        return misrouted(self.judged, "after")

    @cached_property
    def difference(self) -> Interval:
        """The candidate's misroute rate less the baseline's; better where it is below 0."""
        return difference(self.judged)

    @cached_property
    def saved(self) -> Interval:
        """Minutes saved over the judged messages, by the cost matrix; negative where it costs."""
        return saving(self.judged)

    @property
    def changes(self) -> dict[str, int]:
        """How many messages change queue, priority, acknowledgement and due time."""
        return {name: int(self.rows[f"changed_{name}"].sum()) for name in CHANGES}

    @property
    def acks(self) -> dict[str, int]:
        """How many messages gain and how many lose their acknowledgement."""
        before, after = self.rows["ack_before"], self.rows["ack_after"]
        return {"gain": int((after & ~before).sum()), "lose": int((before & ~after).sum())}

    def by(self, column: str) -> pd.DataFrame:
        """Misroutes before and after per truth, domain, rule_after, category_after, …: worst first.

        With the paired difference of the rates and the minutes saved.
        """
        import pandas as pd

        parts = [(named(key), part) for key, part in self.judged.groupby(column, sort=True, dropna=False)]
        parts.sort(key=lambda pair: (-misrouted(pair[1], "after").hits, pair[0]))
        rows = [
            (
                name,
                len(part),
                misrouted(part, "before"),
                misrouted(part, "after"),
                difference(part) if at < _PAIRED else plain_difference(part),
                float((part["cost_before"] - part["cost_after"]).sum()),
            )
            for at, (name, part) in enumerate(parts)
        ]
        columns = [column, "messages", "misrouted_before", "misrouted_after", "difference", "minutes_saved"]
        return pd.DataFrame(rows, columns=columns)

    def load(self) -> pd.DataFrame:
        """Messages per queue and hour of the desk's clock, before and after: see `load_per_hour`."""
        return load_per_hour(self.rows, self.zone)

    def diff(self) -> pd.DataFrame:
        """The messages that would be treated differently, changed queues first, with what agents did."""
        changed = self.rows[self.rows[[f"changed_{name}" for name in CHANGES]].any(axis=1)]
        order = ["changed_queue", "at", "sha256"]
        return changed.sort_values(order, ascending=[False, False, True]).reset_index(drop=True)

    def transfers(self) -> pd.DataFrame:
        """Messages per queue before (rows) and after (columns)."""
        import pandas as pd

        place = [self.rows[f"queue_{side}"].where(self.rows[f"queue_{side}"].ne(""), "(filed)") for side in
                 ("before", "after")]  # fmt: skip
        return pd.crosstab(place[0].rename("before"), place[1].rename("after"))

    def measures(self, side: str = "after") -> dict[str, float]:
        """The numbers a `fail_if` condition may name: of the candidate ("after") or the baseline.

        Some of them are there per queue as well, as `misroute_rate[Billing]`. A comparison with itself, the
        baseline's changes are 0.
        """
        share = self.after if side == "after" else self.before
        new = side == "after"
        cost = float(self.judged[f"cost_{side}"].sum()) if share.of else math.nan
        nothing = Interval(0.0, 0.0, 0.0)
        rate, saved = (self.difference, self.saved) if new else (nothing, nothing)
        return {
            **rates("misroute_rate", share),
            "misroutes": float(share.hits) if share.of else math.nan,
            **bounds("misroute_change", rate, known=bool(share.of)),
            "minutes_lost": cost,
            **bounds("minutes_saved", saved, known=bool(share.of)),
            "acks": float(self.rows[f"ack_{side}"].sum()),
            "acks_gained": float(self.acks["gain"] if new else 0),
            "acks_lost": float(self.acks["lose"] if new else 0),
            "filed": float(self.rows[f"queue_{side}"].eq("").sum()),
            "judged": float(share.of),
            "messages": float(len(self.rows)),
            **{f"{name}_changes": float(count if new else 0) for name, count in self.changes.items()},
            **self._per_queue(side),
        }

    def _per_queue(self, side: str) -> dict[str, float]:
        sent = {str(name): len(part) for name, part in self.rows.groupby(f"queue_{side}") if name}
        true = {str(name): misrouted(part, side) for name, part in self.judged.groupby("truth")}
        queues = sorted({*self.rows["queue_before"], *self.rows["queue_after"], *true} - {""})
        shares = {name: true.get(name) for name in queues}
        return {
            **{f"misroute_rate[{name}]": one.value if one else math.nan for name, one in shares.items()},
            **{f"misroutes[{name}]": float(one.hits) if one else math.nan for name, one in shares.items()},
            **{f"messages[{name}]": float(sent.get(name, 0)) for name in queues},
        }

    def check(self, condition: str | Sequence[str]) -> tuple[Gate, ...]:
        """Whether conditions to fail on hold, such as `misroute_rate > baseline + 0.5%`."""
        conditions = [condition] if isinstance(condition, str) else list(condition)
        return judge_gates(conditions, self.measures("after"), self.measures("before"))

    def __str__(self) -> str:
        changes = ", ".join(f"{count:,} {name}" for name, count in self.changes.items())
        lines = [
            f"{self.candidate} against {self.baseline} over {len(self.rows):,} incoming messages",
            f"changes   {changes}",
            f"misroutes {self.before} before, {self.after} after",
        ]
        if self.after.of:
            lines.append(
                f"paired    {signed(self.difference, points=True)}; minutes saved {signed(self.saved)}"
            )
        return "\n".join([*lines, *filter(None, (self.note, *map(str, self.gates)))])


def compare(
    after: pd.DataFrame,
    before: pd.DataFrame,
    *,
    truth: Mapping[str, str] | None = None,
    fail_if: str | Sequence[str] = (),
    minutes_each: float = MINUTES_PER_MISROUTE,
    costs: Costs | None = None,
    zone: str = "UTC",
    remarks: str = "",
) -> Comparison:
    """The same over two histories that `lab.replay` has made already, of the same archive."""
    import pandas as pd

    answers = first_answers(after)
    after, before = after[~after["sent"]], before[~before["sent"]]
    if list(after["sha256"]) != list(before["sha256"]):
        raise InputError("the two replays are not of the same archive", cure="Replay both bundles again")
    rows = after[["at", "sha256", "from_addr", "subject", "thread", "opens", "kind", "folder"]].reset_index(
        drop=True
    )
    rows["domain"] = rows["from_addr"].str.split("@").str[-1]
    rows["truth"] = _truth(after, before, truth)
    rows = with_answers(rows, answers)
    sides = {"before": before.reset_index(drop=True), "after": after.reset_index(drop=True)}
    rows["seen"] = sides["before"]["seen"] | sides["after"]["seen"]
    columns = {f"{name}_{side}": table[name] for name in _SIDES for side, table in sides.items()}
    rows = pd.concat([rows, pd.DataFrame(columns)], axis=1)
    for name in CHANGES:
        rows[f"changed_{name}"] = _differs(rows[f"{name}_before"], rows[f"{name}_after"])
    rows["changed_queue"] |= _differs(rows["filed_in_before"], rows["filed_in_after"])
    prices = costs or Costs(minutes_each)
    for side in sides:
        pairs = zip(rows["truth"], rows[f"queue_{side}"], strict=True)
        rows[f"cost_{side}"] = [prices.minutes(true, sent) if true else 0.0 for true, sent in pairs]
    names = [str(table["bundle"].iloc[0]) if len(table) else "" for table in (after, before)]
    source = f"mailbox history, {len(rows):,} incoming messages"
    result = Comparison(rows, names[0], names[1], prices, source, zone, remarks)
    return replace(result, gates=result.check(fail_if)) if fail_if else result


def _truth(after: pd.DataFrame, before: pd.DataFrame, truth: Mapping[str, str] | None) -> list[str]:
    if truth is not None:
        return [truth.get(sha, "") for sha in after["sha256"]]
    # a queue that only one of the flows knows is a queue all the same
    return [one or other for one, other in zip(after["final_queue"], before["final_queue"], strict=True)]


def _differs(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[bool]:
    # two missing values are the same value here
    return one.ne(other) & ~(one.isna() & other.isna())
