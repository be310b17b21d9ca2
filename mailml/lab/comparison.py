"""Two bundles over one history: what would change, and would it have been better? Figures, no pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mailml.errors import InputError
from mailml.lab.gate import Gate, judge_gate
from mailml.lab.intervals import Share, wilson
from mailml.lab.misroutes import MINUTES_PER_MISROUTE, named
from mailml.lab.unseen import judgeable

if TYPE_CHECKING:
    import pandas as pd


# Format number of backtest.json: it grows when a key changes its meaning or goes.
FORMAT = 1
_SIDES = ("queue", "filed_in", "priority", "ack", "due", "rule", "category", "probability")
_CHANGES = ("queue", "priority", "ack", "due")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison, one row per incoming message.

    `rows` has: at, sha256, from_addr, domain, subject, thread, opens, kind, folder, truth (the queue it
    belonged in, "" where nobody knows), and for each of queue, filed_in, priority, ack, due, rule, category
    and probability `NAME_before` and `NAME_after`; changed_queue, changed_priority, changed_ack and
    changed_due say what differs. Misroutes are counted over messages that open an interaction and whose
    truth is known.
    """

    rows: pd.DataFrame
    candidate: str  # bundle ids
    baseline: str
    minutes_each: float
    source: str
    gate: Gate | None = None

    @cached_property
    def _judged(self) -> tuple[pd.DataFrame, str]:
        known = self.rows["opens"] & self.rows["truth"].ne("") & self.rows["queue_after"].ne("")
        return judgeable(self.rows[known])

    @property
    def judged(self) -> pd.DataFrame:
        """The messages a misroute is counted on; not the training mail of either bundle, where possible."""
        return self._judged[0]

    @property
    def note(self) -> str:
        """What must be said beside the misroutes ("" if nothing)."""
        return self._judged[1]

    @property
    def before(self) -> Share:
        """The baseline's misroutes."""
        return _misrouted(self.judged, "before")

    @property
    def after(self) -> Share:
        """The candidate's misroutes."""
        return _misrouted(self.judged, "after")

    @property
    def changes(self) -> dict[str, int]:
        """How many messages change queue, priority, acknowledgement and due time."""
        return {name: int(self.rows[f"changed_{name}"].sum()) for name in _CHANGES}

    def by(self, column: str) -> pd.DataFrame:
        """Misroutes before and after per truth, domain, rule_after, category_after, …: worst first."""
        import pandas as pd

        rows = [
            (named(key), len(part), _misrouted(part, "before"), _misrouted(part, "after"))
            for key, part in self.judged.groupby(column, sort=True, dropna=False)
        ]
        rows.sort(key=lambda row: (-row[3].hits, str(row[0])))
        return pd.DataFrame(rows, columns=[column, "messages", "misrouted_before", "misrouted_after"])

    def diff(self) -> pd.DataFrame:
        """The messages that would be treated differently, changed queues first, with what agents did."""
        changed = self.rows[self.rows[[f"changed_{name}" for name in _CHANGES]].any(axis=1)]
        return changed.sort_values(["changed_queue", "at"], ascending=[False, False]).reset_index(drop=True)

    def transfers(self) -> pd.DataFrame:
        """Messages per queue before (rows) and after (columns)."""
        import pandas as pd

        place = [self.rows[f"queue_{side}"].where(self.rows[f"queue_{side}"].ne(""), "(filed)") for side in
                 ("before", "after")]  # fmt: skip
        return pd.crosstab(place[0].rename("before"), place[1].rename("after"))

    def measures(self, side: str = "after") -> dict[str, float]:
        """The numbers a `fail_if` condition may name: of the candidate ("after") or the baseline."""
        share = self.after if side == "after" else self.before
        changes = self.changes if side == "after" else dict.fromkeys(_CHANGES, 0)
        return {
            "misroute_rate": share.value if share.of else math.nan,
            "misroutes": float(share.hits) if share.of else math.nan,
            "minutes_lost": share.hits * self.minutes_each if share.of else math.nan,
            "acks": float(self.rows[f"ack_{side}"].sum()),
            "filed": float(self.rows[f"queue_{side}"].eq("").sum()),
            "messages": float(len(self.rows)),
            **{f"{name}_changes": float(count) for name, count in changes.items()},
        }

    def check(self, condition: str) -> Gate:
        """Whether a condition to fail on holds, such as `misroute_rate > baseline + 0.5%`."""
        return judge_gate(condition, self.measures("after"), self.measures("before"))

    def to_dict(self) -> dict[str, Any]:
        """The verdict as `backtest.json` holds it."""
        return {
            "format": FORMAT,
            "candidate": self.candidate,
            "baseline": self.baseline,
            "source": self.source,
            "messages": len(self.rows),
            "changes": self.changes,
            "judged": len(self.judged),
            "note": self.note,
            "misroutes": {"before": _share(self.before), "after": _share(self.after)},
            "minutes_saved": (self.before.hits - self.after.hits) * self.minutes_each,
            "by_queue": _table(self.by("truth")),
            "by_rule": _table(self.by("rule_after")),
            "gate": {"condition": self.gate.condition, "fails": self.gate.fails, "why": self.gate.why}
            if self.gate
            else None,
        }

    def __str__(self) -> str:
        changes = ", ".join(f"{count:,} {name}" for name, count in self.changes.items())
        lines = [
            f"{self.candidate} against {self.baseline} over {len(self.rows):,} incoming messages",
            f"changes   {changes}",
            f"misroutes {self.before} before, {self.after} after",
        ]
        return "\n".join([*lines, *filter(None, (self.note, str(self.gate or "")))])


def compare(
    after: pd.DataFrame,
    before: pd.DataFrame,
    *,
    truth: Mapping[str, str] | None = None,
    fail_if: str = "",
    minutes_each: float = MINUTES_PER_MISROUTE,
) -> Comparison:
    """The same over two histories that `lab.replay` has made already, of the same archive."""
    import pandas as pd

    after, before = after[~after["sent"]], before[~before["sent"]]
    if list(after["sha256"]) != list(before["sha256"]):
        raise InputError("the two replays are not of the same archive", cure="Replay both bundles again")
    rows = after[["at", "sha256", "from_addr", "subject", "thread", "opens", "kind", "folder"]].reset_index(
        drop=True
    )
    rows["domain"] = rows["from_addr"].str.split("@").str[-1]
    rows["truth"] = _truth(after, before, truth)
    sides = {"before": before.reset_index(drop=True), "after": after.reset_index(drop=True)}
    rows["seen"] = sides["before"]["seen"] | sides["after"]["seen"]
    columns = {f"{name}_{side}": table[name] for name in _SIDES for side, table in sides.items()}
    rows = pd.concat([rows, pd.DataFrame(columns)], axis=1)
    for name in _CHANGES:
        rows[f"changed_{name}"] = _differs(rows[f"{name}_before"], rows[f"{name}_after"])
    filed = _differs(rows["filed_in_before"], rows["filed_in_after"])
    rows["changed_queue"] |= filed
    names = [str(table["bundle"].iloc[0]) if len(table) else "" for table in (after, before)]
    source = f"mailbox history, {len(rows):,} incoming messages"
    result = Comparison(rows, names[0], names[1], minutes_each, source)
    return replace(result, gate=result.check(fail_if)) if fail_if else result


def _truth(after: pd.DataFrame, before: pd.DataFrame, truth: Mapping[str, str] | None) -> list[str]:
    if truth is not None:
        return [truth.get(sha, "") for sha in after["sha256"]]
    # a queue that only one of the flows knows is a queue all the same
    return [one or other for one, other in zip(after["final_queue"], before["final_queue"], strict=True)]


def _differs(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[bool]:
    # two missing values are the same value here
    return one.ne(other) & ~(one.isna() & other.isna())


def _misrouted(rows: pd.DataFrame, side: str) -> Share:
    return wilson(int(rows[f"queue_{side}"].ne(rows["truth"]).sum()), len(rows))


def _share(share: Share) -> dict[str, float | int | None]:
    value = round(share.value, 6) if share.of else None
    return {
        "hits": share.hits,
        "of": share.of,
        "value": value,
        "low": round(share.low, 6),
        "high": round(share.high, 6),
    }


def _table(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _share(value) if isinstance(value, Share) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
