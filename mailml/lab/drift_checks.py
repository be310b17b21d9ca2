"""What may have changed since training, each with what it was, what it is, and whether that is chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from mailml.lab.drifting import Texts, coverage_of, psi, same_mix, same_share

if TYPE_CHECKING:
    import pandas as pd

    from mailml.bundle import Bundle

_LEVEL, _RARE = 0.05, 0.05


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that could have changed: what it was then, what it is now, and whether that is chance.

    `p` is corrected for all checks made (Holm); `retrain` tells whether training again would help with it.
    """

    name: str
    then: str
    now: str
    p: float
    changed: bool = False
    retrain: bool = False
    note: str = ""


def checks(then: pd.DataFrame, now: pd.DataFrame, bundle: Bundle, judged: Texts | None) -> list[Check]:
    """Every check that the material allows; their p-values stand alone yet (see `corrected`)."""
    before, after = labels_of(then, judged), labels_of(now, judged)
    size = psi(before, after)
    named = "which categories" if judged is not None else "which queues"
    told = f"stability index {size:.2f}; above 0.25 the mix is another one"
    mix = Check(named, _top(before), _top(after), same_mix(before, after), retrain=size > 0.25, note=told)
    made = [_arrivals(then, now), mix]
    if judged is not None:
        made += [one for one in (_coverage(now, bundle, judged), _strange(now, judged)) if one is not None]
    return made


def _coverage(now: pd.DataFrame, bundle: Bundle, judged: Texts) -> Check | None:
    """How often the classifier decides, against training mail that it had not seen."""
    hits, of = coverage_of(bundle.card)
    decided = [not judged.abstained[sha] for sha in now["sha256"] if sha in judged.abstained]
    if not of or not decided:
        return None
    p = same_share(hits, of, sum(decided), len(decided))
    fell = sum(decided) / len(decided) < hits / of
    return Check(
        "share decided", _percent(hits, of), _percent(sum(decided), len(decided)), p,
        retrain=fell, note="then: training mail, unseen",
    )  # fmt: skip


def _strange(now: pd.DataFrame, judged: Texts) -> Check | None:
    """How many messages are of words that the classifier does not know."""
    low = judged.low_known
    strange = [judged.known[sha] < low for sha in now["sha256"] if sha in judged.known]
    if not strange:
        return None
    from scipy.stats import binomtest

    p = float(binomtest(sum(strange), len(strange), _RARE).pvalue)
    return Check(
        "messages of strange words", f"{_RARE:.0%}", _percent(sum(strange), len(strange)), p,
        retrain=sum(strange) > _RARE * len(strange),
        note=f"fewer than {low:.0%} of the words known, as in one of twenty training messages, unseen",
    )  # fmt: skip


def _arrivals(then: pd.DataFrame, now: pd.DataFrame) -> Check:
    """Weeks against weeks: Welch's test on the logarithm, as busy weeks vary with their size."""
    from scipy.stats import ttest_ind

    a, b = _per_week(then), _per_week(now)
    p = float(ttest_ind(np.log1p(a), np.log1p(b), equal_var=False).pvalue) if min(len(a), len(b)) > 1 else 1.0
    return Check(
        "arrivals a week", f"{np.mean(a):,.0f}", f"{np.mean(b):,.0f}", 1.0 if math.isnan(p) else p,
        note="more mail is a question of staff, not of training",
    )  # fmt: skip


def _per_week(rows: pd.DataFrame) -> list[int]:
    """Messages per seven days from the first to the last, whole weeks only."""
    weeks = ((rows["at"].max() - rows["at"]) // timedelta(days=7)).astype(int)
    counts = weeks.value_counts()
    whole = max(1, int((rows["at"].max() - rows["at"].min()) / timedelta(days=7)))
    return [int(counts.get(n, 0)) for n in range(whole)]


def labels_of(rows: pd.DataFrame, judged: Texts | None) -> list[str]:
    """The categories of these messages; their queues where no classifier judged them."""
    if judged is None:
        return [str(value) for value in rows["queue"]]
    return [judged.label[sha] for sha in rows["sha256"] if judged.label.get(sha)]


def corrected(found: Sequence[Check]) -> tuple[Check, ...]:
    """The checks with p-values that pay for having made so many (Holm, 1979)."""
    worst, made = 0.0, {}
    for at, one in enumerate(sorted(found, key=lambda check: check.p)):
        worst = min(1.0, max(worst, one.p * (len(found) - at)))
        changed = worst <= _LEVEL
        made[one.name] = replace(one, p=worst, changed=changed, retrain=one.retrain and changed)
    return tuple(made[one.name] for one in found)


def _percent(hits: int, of: int) -> str:
    return f"{hits / of:.0%}" if of else "–"


def _top(labels: Sequence[str]) -> str:
    most = Counter(labels).most_common(4)
    return ", ".join(f"{name or '(none)'} {count / len(labels):.0%}" for name, count in most) or "–"
