"""Where mail was sent first and where agents finally left it: misroutes by queue, rule, category, sender."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailml.errors import NotEnoughData
from mailml.lab.intervals import Share, wilson
from mailml.lab.rate_changes import Change, changes
from mailml.lab.unseen import judgeable

if TYPE_CHECKING:
    import pandas as pd

    from mailml.bundle import Bundle
    from mailml.lab.mine import Mined

# What a hand-over costs until a better figure is known: reading, deciding, and the wait in the other queue.
MINUTES_PER_MISROUTE = 12.0
_KEPT = (
    "thread", "at", "from_addr", "subject", "sha256", "category", "probability", "rule", "queue",
    "final_queue", "bundle", "seen",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Misroutes:
    """One row per interaction whose resolving queue is known.

    `rows` has: thread, at, from_addr, domain, subject, sha256, category, probability, rule, bundle, first
    (the queue the flow chose), final (the folder where agents left it) and misrouted.
    """

    rows: pd.DataFrame
    unknown: int  # interactions that lie in no queue's folder: nobody can say
    minutes_each: float
    source: str
    note: str = ""  # what must be said beside the figures

    @property
    def rate(self) -> Share:
        """The share of interactions whose first queue was not the one that resolved them."""
        return wilson(int(self.rows["misrouted"].sum()), len(self.rows))

    @property
    def minutes_lost(self) -> float:
        """The cost in minutes."""
        return self.rate.hits * self.minutes_each

    def by(self, column: str) -> pd.DataFrame:
        """Interactions, misroutes and rate per first, final, rule, category, domain, bundle or month."""
        import pandas as pd

        groups = self.rows.groupby(column, sort=True, dropna=False)["misrouted"].agg(["sum", "count"])
        told = zip(groups.index, groups["sum"].tolist(), groups["count"].tolist(), strict=True)
        table = [(named(key), of, hits, wilson(hits, of)) for key, hits, of in told]
        table.sort(key=lambda item: (-item[2], item[0]))
        return pd.DataFrame(table, columns=[column, "interactions", "misrouted", "rate"])

    def changes(self, column: str = "rule", *, level: float = 0.05) -> list[Change]:
        """Since when each rule (queue, category, domain …) misroutes more or less, tested for all at once."""
        return changes(self.rows, column, level=level)

    def by_month(self) -> pd.DataFrame:
        """The rate month by month (UTC): when did it change?"""
        months = self.rows.assign(month=self.rows["at"].dt.strftime("%Y-%m"))
        table = replace(self, rows=months).by("month")
        return table.sort_values("month").reset_index(drop=True)

    def transfers(self) -> pd.DataFrame:
        """Interactions per first queue (rows) and resolving queue (columns)."""
        import pandas as pd

        return pd.crosstab(self.rows["first"], self.rows["final"])

    def telling(self, n: int = 20) -> pd.DataFrame:
        """The most telling misroutes: where the classifier was surest, or a rule did not ask it."""
        wrong = self.rows[self.rows["misrouted"]]
        order = wrong.assign(sure=wrong["probability"].fillna(1.0))
        columns = ["at", "from_addr", "subject", "first", "final", "rule", "category", "probability"]
        return order.sort_values(["sure", "at"], ascending=[False, False])[columns].head(n)


def count(
    ledger: pd.DataFrame,
    bundle: Bundle,
    *,
    minutes_each: float = MINUTES_PER_MISROUTE,
    mined: Mined | None = None,
    seen: bool = True,
    source: str = "",
) -> Misroutes:
    """Misroutes in what `lab.replay` made of an archive with this bundle; see `lab.misrouting`.

    With `mined` and without `seen` the first queue stays the one that the bundle decides.
    """
    opening = ledger[ledger["opens"] & ~ledger["sent"] & ledger["queue"].ne("")]
    opening = opening if mined is None else _by_agents(opening, mined, seen=seen)
    known = opening[opening["final_queue"].ne("")]
    if known.empty:
        queues = ", ".join(sorted(bundle.flow.queues()))
        cure = f"Pull the folders that are named after the queues: {queues}"
        raise NotEnoughData("no message of this history lies in the folder of a queue", cure=cure)
    unknown = len(opening) - len(known)
    known, note = judgeable(known)
    rows = (
        known[list(_KEPT)].rename(columns={"queue": "first", "final_queue": "final"}).reset_index(drop=True)
    )
    rows["domain"] = rows["from_addr"].str.rpartition("@")[2]
    rows["misrouted"] = rows["first"].ne(rows["final"])
    told = source or f"mailbox history, {len(ledger):,} messages, decided by bundle {bundle.id}"
    return Misroutes(rows, unknown, minutes_each, told, note)


def _by_agents(opening: pd.DataFrame, mined: Mined, *, seen: bool) -> pd.DataFrame:
    """The same mail with the first queue it was seen in and the one where agents left it, where both count.

    Where agents' doings prove nothing (a bulk move, Trash, too young, never touched) the end is unknown.
    """
    facts = mined.rows.set_index("sha256")[["first", "final", "proven"]].reindex(opening["sha256"])
    proven = facts["proven"].eq(True).to_numpy()
    first = facts["first"].fillna("").to_numpy()
    made = opening.assign(final_queue=facts["final"].where(proven, "").to_numpy())
    if seen:
        made["queue"] = made["queue"].where(~proven | (first == ""), first)
    return made


def named(key: object) -> str:
    """The name of a group: what is missing is "(none)"."""
    return "(none)" if key is None or key != key or key == "" else str(key)
