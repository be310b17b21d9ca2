"""Costs and thresholds tried out on out-of-fold predictions: what each policy would have done and cost.

Nothing is trained again: a policy is arithmetic on probabilities, so a slider in a notebook is instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mailml.classifier import Policy
from mailml.lab.evaluate import decided
from mailml.lab.intervals import wilson
from mailml.lab.resampling import Bootstrap, Interval
from mailml.lab.train import Trained

if TYPE_CHECKING:
    import pandas as pd

_SURE = 1.0  # a threshold that nothing passes


def policy(
    trained: Trained,
    *,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    thresholds: Mapping[str, float] | None = None,
    fallback: str | None = None,
) -> Policy:
    """The trained model's policy with some of it changed; `trained.with_policy(…)` takes it into use."""
    now = replace(trained.policy, withheld="")
    return replace(
        now,
        costs=now.costs if costs is None else costs,
        thresholds=now.thresholds if thresholds is None else thresholds,
        fallback=now.fallback if fallback is None else fallback,
    )


def cost(trained: Trained, candidate: Policy) -> Interval:
    """What a policy costs per message, out-of-fold, by its own cost matrix."""
    said = decided(candidate, trained.probabilities, trained.known, trained.model.min_known)
    return Bootstrap(trained.groups).mean(candidate.matrix()[trained.truth, said])


def compare(trained: Trained, policies: Mapping[str, Policy]) -> pd.DataFrame:
    """One row per named policy: cost with interval, share answered, accuracy of what is answered.

    All are priced by the first one's cost matrix, so that the column means one thing.
    """
    import pandas as pd

    prices = next(iter(policies.values()))
    rows = []
    for name, candidate in policies.items():
        said = decided(candidate, trained.probabilities, trained.known, trained.model.min_known)
        answered = said != candidate.actions.index(candidate.fallback)
        priced = Bootstrap(trained.groups).mean(
            replace(candidate, costs=prices.costs).matrix()[trained.truth, said]
        )
        right = float((said == trained.truth)[answered].mean()) if answered.any() else float("nan")
        rows.append((name, priced.value, priced.low, priced.high, float(answered.mean()), right))
    columns = ["policy", "cost", "cost_low", "cost_high", "to_special_queues", "right_there"]
    return pd.DataFrame(rows, columns=columns).set_index("policy")


def for_precision(
    trained: Trained, precision: float, classes: tuple[str, ...] | None = None
) -> dict[str, float]:
    """The lowest threshold per class whose precision is at least `precision`, surely (Wilson's lower bound).

    A class for which no threshold promises that gets 1.0: it is never said. The promise rests on groups that
    training did not see; a nominal 0.90 chosen on random folds was 0.698 in truth when measured.
    """
    best, fallback = trained.probabilities.argmax(axis=1), trained.policy.fallback
    wanted = classes if classes is not None else tuple(c for c in trained.classes if c != fallback)
    found: dict[str, float] = {}
    for name in wanted:
        k = trained.classes.index(name)
        said = best == k
        p, hit = trained.probabilities[said, k], trained.truth[said] == k
        found[name] = _lowest(p, hit, precision)
    return found


def _lowest(p: np.ndarray, hit: np.ndarray, precision: float) -> float:
    for threshold in np.round(np.arange(0.0, 1.0, 0.01), 2):
        covered = p >= threshold
        if covered.any() and wilson(int(hit[covered].sum()), int(covered.sum())).low >= precision:
            return float(threshold)
    return _SURE
