"""Costs in minutes -> a policy, thresholds solved for them, and a verdict on whether the data supports it.

Everything here is arithmetic on out-of-fold predictions: nothing is trained again, and moving a slider is
instant. `Tuning` does without a widget what the threshold panel does with one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mailml.classifier import Policy
from mailml.errors import InputError
from mailml.lab.evaluate import decided
from mailml.lab.intervals import Share, wilson
from mailml.lab.resampling import Bootstrap, Floats, Interval, Ints
from mailml.lab.train import Trained

if TYPE_CHECKING:
    import pandas as pd

LEAST = 30  # messages the classifier must have sent to a queue before a threshold for it means anything
NEVER = 1.0  # a threshold that nothing passes
GRID = tuple(round(step / 20, 2) for step in range(20))
_MOST = 10_000.0  # minutes; a week of work is a typing error


@dataclass(frozen=True, slots=True)
class Minutes:
    """What mistakes cost, in minutes of work: a wrong special queue, sorting by hand, an urgent mail missed.

    `misroute` is paid when a message lands in a wrong special queue, `triage` when a person in the general
    queue hands it on, `missed_urgent` on top of `misroute` when the message was urgent.
    """

    misroute: float = 8.0
    triage: float = 4.0
    missed_urgent: float = 60.0

    def __post_init__(self) -> None:
        for name in ("misroute", "triage", "missed_urgent"):
            value = getattr(self, name)
            if not 0 <= value <= _MOST:
                raise InputError(
                    f"{name} of {value:g} minutes is no cost",
                    cure=f"Give minutes between 0 and {_MOST:,.0f}",
                )


@dataclass(frozen=True, slots=True)
class Solved:
    """One class: its best threshold, what it would have done out-of-fold, and whether that can be trusted.

    `saved` is in minutes per message of the whole mailbox against leaving the class to the general queue; it
    is measured on folds that did not choose the threshold.
    """

    name: str
    threshold: float
    right: Share
    saved: Interval
    verdict: str

    @property
    def enough(self) -> bool:
        """Whether the data shows that sending mail there saves time."""
        return self.verdict == "use it"


@dataclass(frozen=True, eq=False)
class Tuning:
    """A trained classifier under a cost matrix. `urgent` are SHA-256 hashes of messages that were urgent."""

    trained: Trained
    minutes: Minutes = field(default_factory=Minutes)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    urgent: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        for name, value in self.thresholds.items():
            if name not in self.trained.classes:
                known = ", ".join(self.trained.classes)
                raise InputError(f"{name!r:.40} is no category of this classifier", cure=f"It knows {known}")
            if not 0 <= value <= 1:
                raise InputError(f"a threshold of {value:g} for {name} is no probability", cure="Give 0 to 1")

    def __repr__(self) -> str:
        return f"Tuning({self.minutes}, {len(self.trained.examples):,} messages, cost {self.cost} minutes)"

    def at(self, **minutes: float) -> Tuning:
        """The same with other costs, such as `at(misroute=12)`."""
        return replace(self, minutes=replace(self.minutes, **minutes))

    def with_thresholds(self, thresholds: Mapping[str, float]) -> Tuning:
        """The same with other thresholds."""
        return replace(self, thresholds=dict(thresholds))

    @cached_property
    def urgent_share(self) -> dict[str, float]:
        """The share of urgent messages per category among the labelled ones."""
        labels = np.array(self.trained.examples.labels)
        urgent = np.array([message in self.urgent for message in self.trained.examples.messages])
        return {name: float(np.mean(urgent[labels == name])) for name in self.trained.classes}

    @cached_property
    def policy(self) -> Policy:
        """These costs and thresholds as the policy of a bundle (costs in minutes)."""
        old, costs = self.trained.policy, {}
        for truth in old.classes:
            # whether a message is urgent is not known when it is routed: its price is the average one
            wrong = self.minutes.misroute + self.urgent_share[truth] * self.minutes.missed_urgent
            others = [action for action in old.actions if action != truth]
            costs[truth] = {a: self.minutes.triage if a == old.fallback else wrong for a in others}
        return replace(old, costs=costs, thresholds=dict(self.thresholds), withheld="")

    @cached_property
    def said(self) -> Ints:
        """What would have been answered for each labelled message, out-of-fold: positions in the actions."""
        trained = self.trained
        return decided(self.policy, trained.probabilities, trained.known, trained.model.min_known)

    @cached_property
    def cost(self) -> Interval:
        """Minutes per message under this policy."""
        return self._bootstrap.mean(self._prices[np.arange(len(self.said)), self.said])

    @cached_property
    def baseline(self) -> Interval:
        """Minutes per message when everything goes to the general queue."""
        return self._bootstrap.mean(self._prices[:, self._fallback])

    @cached_property
    def saved(self) -> Interval:
        """Minutes per message that the classifier saves against the general queue, paired."""
        taken = self._prices[np.arange(len(self.said)), self.said]
        return self._bootstrap.mean(self._prices[:, self._fallback] - taken)

    @property
    def verdict(self) -> str:
        """One sentence: is this policy worth switching on?"""
        if self.saved.low > 0:
            value, low = 100 * self.saved.value, 100 * self.saved.low
            return f"It saves {value:,.0f} minutes in 100 messages (at least {low:,.0f})."
        if self.saved.high < 0:
            return "It costs more than leaving everything to the general queue. Do not use it at these costs."
        messages = len(self.trained.examples)
        return (
            f"Not enough data: over {messages:,} messages no saving is proven. Everything stays in general."
        )

    @cached_property
    def solved(self) -> tuple[Solved, ...]:
        """The best threshold of every special category under these costs."""
        return tuple(self._solve(k) for k, n in enumerate(self.trained.classes) if n != self.policy.fallback)

    def best(self) -> Tuning:
        """The same with the solved thresholds: a category the data does not support is never said."""
        return self.with_thresholds({s.name: s.threshold if s.enough else NEVER for s in self.solved})

    def use(self) -> Trained:
        """The trained classifier deciding like this, ready to export."""
        return self.trained.with_policy(self.policy)

    def table(self) -> pd.DataFrame:
        """One row per category: threshold, how often it was right there, minutes saved, and the verdict."""
        import pandas as pd

        rows = [
            (
                s.name,
                s.threshold,
                s.right.of,
                s.right.value,
                s.right.low,
                s.right.high,
                *_three(s.saved),
                s.verdict,
            )
            for s in self.solved
        ]
        columns = ["category", "threshold", "messages", "right", "right_low", "right_high"]
        columns += ["saved", "saved_low", "saved_high", "verdict"]
        return pd.DataFrame(rows, columns=columns).set_index("category")

    def curve(self) -> pd.DataFrame:
        """One threshold for all special categories: coverage, accuracy and cost, with their intervals."""
        import pandas as pd

        rows = []
        for threshold in GRID:
            one = replace(self.policy, thresholds=dict.fromkeys(self.policy.classes, threshold))
            model = self.trained.model
            said = decided(one, self.trained.probabilities, self.trained.known, model.min_known)
            sent = said != self._fallback
            figures = (
                self._bootstrap.mean(sent),
                self._right(said, sent),
                self._bootstrap.mean(self._prices[np.arange(len(said)), said]),
            )
            rows.append((threshold, *(value for figure in figures for value in _three(figure))))
        names = [f"{name}{end}" for name in ("coverage", "accuracy", "cost") for end in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=["threshold", *names])

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(self.trained.groups)

    @cached_property
    def _fallback(self) -> int:
        return self.policy.actions.index(self.policy.fallback)

    @cached_property
    def _prices(self) -> Floats:
        """The price of every action for every labelled message: (messages, actions)."""
        return np.asarray(self.policy.matrix()[self.trained.truth], dtype=np.float64)

    def _right(self, said: Ints, sent: NDArray[np.bool_]) -> Interval:
        """How often what was sent was right; the wider of two intervals, as 40 of 40 does not prove 100%."""
        right = said == self.trained.truth
        drawn = self._bootstrap.share(right, sent)
        counted = wilson(int(np.sum(right & sent)), int(np.sum(sent)))
        if not counted.of:
            return drawn
        return Interval(drawn.value, min(drawn.low, counted.low), max(drawn.high, counted.high))

    def _solve(self, k: int) -> Solved:
        p = self.trained.probabilities
        mine = (np.argmax(p, axis=1) == k) & (self.trained.known >= self.trained.model.min_known)
        gain = np.where(mine, self._prices[:, self._fallback] - self._prices[:, k], 0.0)
        held = np.zeros(len(gain))
        for fold in self.trained.folds:
            # chosen on the other folds, measured on this one: a threshold must not praise itself
            rest = np.setdiff1d(np.arange(len(gain)), fold.test)
            threshold = _best(p[rest, k], gain[rest])
            held[fold.test] = np.where(p[fold.test, k] >= threshold, gain[fold.test], 0.0)
        threshold, saved = _best(p[:, k], gain), self._bootstrap.mean(held)
        sent = mine & (p[:, k] >= threshold)
        right = wilson(int(np.sum(sent & (self.trained.truth == k))), int(np.sum(sent)))
        verdict = _verdict(threshold, int(np.sum(sent)), int(np.sum(mine)), saved)
        return Solved(self.trained.classes[k], threshold, right, saved, verdict)


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _best(p: Floats, gain: Floats) -> float:
    """The threshold with the largest gain above it, in hundredths; `NEVER` when no threshold gains."""
    steps = np.round(np.arange(0.0, 1.0, 0.01), 2)
    sums = np.array([float(np.sum(gain[p >= step])) for step in steps])
    at = int(np.argmax(sums))
    return float(steps[at]) if sums[at] > 0 else NEVER


def _verdict(threshold: float, sent: int, asked: int, saved: Interval) -> str:
    if asked < LEAST or 0 < sent < LEAST:
        return f"not enough data: {sent or asked} messages"
    if threshold == NEVER or saved.high < 0:
        return "dearer than general"
    return "use it" if saved.low > 0 else "not enough data: no saving is proven"
