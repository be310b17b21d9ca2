"""Since when a rate is another one: one change per group, tested so that many groups find none by chance.

For every group the weeks are split where the likelihood of two rates exceeds that of one the most. How large
that excess gets by chance alone is found by dealing the same hits out to the same weeks at random (a
permutation test, which also pays for having looked at every split), and the p-values of all groups are
corrected together (Holm, 1979).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mailml.lab.intervals import Share, wilson

if TYPE_CHECKING:
    import pandas as pd

SHUFFLES = 1_999
LEAST_EACH = 12  # cases on either side of a split: fewer say nothing of a rate
LEAST_WEEKS = 6
_WEEK = timedelta(days=7)
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """A group's most likely change: the week it begins with, the rates on either side, and how sure it is.

    `p` is corrected for all groups that were looked at. `found` tells whether it is below the level.
    """

    group: str
    since: datetime
    before: Share
    after: Share
    p: float
    found: bool = False

    def __str__(self) -> str:
        verb = "more" if self.after.value > self.before.value else "less"
        return (
            f"{self.group}: {verb} since {self.since:%d %B %Y}, {self.after.value:.0%} "
            f"(before {self.before.value:.0%}; p = {self.p:.3f})"
        )


def changes(rows: pd.DataFrame, column: str, *, level: float = 0.05, seed: int = 7) -> list[Change]:
    """One change per group of `column`, the surest first; rows have `at` (UTC) and `misrouted` (bool).

    Groups with too few cases or weeks are left out: for them there is nothing to test. The same rows give the
    same answer.
    """
    if rows.empty:
        return []
    begun = rows["at"].min().normalize()
    weeks = ((rows["at"] - begun) // _WEEK).to_numpy()
    counted = (
        rows.assign(week=weeks).groupby([column, "week"], dropna=False)["misrouted"].agg(["sum", "count"])
    )
    found = []
    for group, table in counted.groupby(level=0, dropna=False):
        week = table.index.get_level_values(1).to_numpy()
        tested = _tested(table["sum"].to_numpy(), table["count"].to_numpy(), seed)
        if tested is not None:
            split, hits, of, p = tested
            since = (begun + int(week[split]) * _WEEK).to_pydatetime()
            sides = (
                wilson(int(hits[:split].sum()), int(of[:split].sum())),
                wilson(int(hits[split:].sum()), int(of[split:].sum())),
            )
            found.append(Change(_named(group), since, *sides, p))
    return sorted(_corrected(found, level), key=lambda one: (one.p, one.group))


def table(found: Iterable[Change]) -> pd.DataFrame:
    """Changes as a table: group, since, before, after, p, verdict."""
    import pandas as pd

    rows = [
        (one.group, f"{one.since:%Y-%m-%d}", one.before, one.after, one.p, _verdict(one)) for one in found
    ]
    return pd.DataFrame(rows, columns=["group", "since_week_of", "before", "after", "p", "verdict"])


def _tested(hits: Counts, of: Counts, seed: int) -> tuple[int, Counts, Counts, float] | None:
    """The best split of one group and how often chance does as well; None where there is too little."""
    hits, of = hits.astype(np.int64), of.astype(np.int64)
    total = int(hits.sum())
    if len(of) < LEAST_WEEKS or not 0 < total < int(of.sum()):
        return None
    allowed = _allowed(of)
    if not allowed.any():
        return None
    gains = _gains(hits[None, :], of)[0]
    gains[~allowed] = -np.inf
    split = int(np.argmax(gains))
    rng = np.random.default_rng(seed)
    dealt = rng.multivariate_hypergeometric(of, total, size=SHUFFLES, method="marginals")
    chance = _gains(dealt, of)[:, allowed].max(axis=1)
    p = (1 + int((chance >= gains[split] - 1e-9).sum())) / (1 + SHUFFLES)
    return split + 1, hits, of, p


def _allowed(of: Counts) -> NDArray[np.bool_]:
    left = np.cumsum(of)[:-1]
    return np.asarray((left >= LEAST_EACH) & (of.sum() - left >= LEAST_EACH), dtype=bool)


def _gains(hits: Counts, of: Counts) -> NDArray[np.float64]:
    """By how much two rates explain the weeks better than one, for every split: (deals, weeks - 1)."""
    left_hits, left_of = np.cumsum(hits, axis=1)[:, :-1], np.cumsum(of)[:-1]
    total_hits, total_of = hits.sum(axis=1)[:, None], int(of.sum())
    two = _likelihood(left_hits, left_of) + _likelihood(total_hits - left_hits, total_of - left_of)
    return np.asarray(two - _likelihood(total_hits, total_of), dtype=np.float64)


def _likelihood(hits: Any, of: Any) -> NDArray[np.float64]:
    """The best log-likelihood of so many hits (0 log 0 is 0)."""
    hits, misses = np.asarray(hits, dtype=float), np.asarray(of - hits, dtype=float)
    rate = hits / np.maximum(of, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(hits > 0, hits * np.log(rate), 0.0) + np.where(
            misses > 0, misses * np.log1p(-rate), 0.0
        )
    return np.asarray(found, dtype=np.float64)


def _corrected(found: list[Change], level: float) -> list[Change]:
    """Holm: the surest of m groups must bear m looks, the next m - 1, and none gets surer than one before."""
    worst, made = 0.0, []
    for at, one in enumerate(sorted(found, key=lambda change: change.p)):
        worst = min(1.0, max(worst, one.p * (len(found) - at)))
        made.append(replace(one, p=worst, found=worst <= level))
    return made


def _verdict(one: Change) -> str:
    if not one.found:
        return "may be chance"
    return "worse" if one.after.value > one.before.value else "better"


def _named(group: Hashable) -> str:
    return "(none)" if group is None or group != group or group == "" else str(group)
