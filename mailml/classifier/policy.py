"""Probabilities -> what to do: the action with the least expected cost, or an abstention.

Minimum expected cost, argmin over actions of P @ C, needs no tuning and recomputes at once when an analyst
edits a cost (Elkan, "The foundations of cost-sensitive learning", IJCAI 2001). The fallback (`general`) is
the action an abstention leads to, so being unsure has a price like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier.caution import Caution

FALLBACK = "general"
WRONG = 2.0  # a wrong special queue: read, understood, handed on, and read again
UNSURE = 1.0  # the general queue for what a specialist should have had: one hand-over

Costs = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy chose for one text: a class, or None and why it abstained, and its expected cost."""

    label: str | None
    expected_cost: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """How probabilities become an answer.

    `costs[truth][action]` is the price of taking `action` for a message that is `truth`; what is not named
    is 0 on the diagonal, `UNSURE` for the fallback and `WRONG` elsewhere. `thresholds` are least
    probabilities per class, on top. `withheld` is a sentence: with it the classifier always abstains
    (not enough data, for example). `caution` says what probabilities are worth for mail of a new kind. Costs
    are in any one unit; only their ratios decide.
    """

    classes: tuple[str, ...]
    fallback: str = FALLBACK
    costs: Costs = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    withheld: str = ""
    caution: Caution | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """Every class, and the fallback where it is no class of its own."""
        return self.classes if self.fallback in self.classes else (*self.classes, self.fallback)

    def matrix(self) -> NDArray[np.float64]:
        """The cost matrix: (classes, actions)."""
        rows = [[self._cost(truth, action) for action in self.actions] for truth in self.classes]
        return np.array(rows, dtype=np.float64).reshape(len(self.classes), len(self.actions))

    def expected(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected cost per action: (n, classes) -> (n, actions); rounded, so a tie is a tie everywhere."""
        return np.round(np.atleast_2d(probabilities) @ self.matrix(), 9)

    def believed(
        self, probabilities: NDArray[np.float64], known: NDArray[np.float64] | float | None
    ) -> NDArray[np.float64]:
        """The probabilities that decide, given each text's share of known n-grams: (n, classes)."""
        p = np.atleast_2d(probabilities)
        if self.caution is None or known is None:
            return p
        return self.caution.believed(p, np.broadcast_to(np.asarray(known, dtype=np.float64), len(p)))

    def choose(self, probabilities: Sequence[float], known: float | None = None) -> Choice:
        """The answer for one text's probabilities, in class order, and its share of known n-grams."""
        p = np.asarray(probabilities, dtype=np.float64)
        costs = self.expected(self.believed(p, known))[0]
        actions = self.actions
        fallback, likeliest = actions.index(self.fallback), int(np.argmax(p))
        # on a tie the fallback wins: being unsure is not a reason to bother a specialist
        best = fallback if costs[fallback] <= costs.min() else int(np.argmin(costs))
        if self.withheld:
            return Choice(None, float(costs[fallback]), self.withheld)
        if best == fallback and likeliest != fallback:
            return Choice(None, float(costs[fallback]), self._unsure(p, costs, likeliest))
        label = actions[best]
        floor = self.thresholds.get(label, 0.0)
        if p[best] < floor:
            reason = f"{label} at {p[best]:.2f} is under its threshold of {floor:.2f}"
            return Choice(None, float(costs[fallback]), reason)
        return Choice(label, float(costs[best]))

    def taken(
        self, probabilities: NDArray[np.float64], known: NDArray[np.float64] | None = None
    ) -> NDArray[np.int64]:
        """The index of the action taken for each row, abstentions as the fallback: (n, classes) -> (n,)."""
        p = np.atleast_2d(probabilities)
        costs, fallback = self.expected(self.believed(p, known)), self.actions.index(self.fallback)
        best: NDArray[np.int64] = np.argmin(costs, axis=1)
        best[costs[:, fallback] <= costs.min(axis=1)] = fallback
        floors = np.array([self.thresholds.get(a, 0.0) for a in self.actions])
        chosen = np.hstack([p, np.ones((len(p), len(self.actions) - p.shape[1]))])[np.arange(len(p)), best]
        best[chosen < floors[best]] = fallback
        return np.full(len(p), fallback) if self.withheld else best

    def to_dict(self) -> dict[str, Any]:
        """The policy as JSON values."""
        costs = {truth: dict(row) for truth, row in self.costs.items()}
        out: dict[str, Any] = {"fallback": self.fallback, "costs": costs, "thresholds": dict(self.thresholds)}
        if self.caution is not None:
            out["caution"] = self.caution.to_dict()
        return {**out, "withheld": self.withheld}

    @classmethod
    def from_dict(cls, classes: Sequence[str], values: Mapping[str, Any]) -> Policy:
        """The policy back from `to_dict`; raises ValueError where a value is not what it should be."""
        costs = {
            str(truth): {str(action): float(cost) for action, cost in row.items()}
            for truth, row in values.get("costs", {}).items()
        }
        thresholds = {str(name): float(value) for name, value in values.get("thresholds", {}).items()}
        if not all(np.isfinite(cost) for row in costs.values() for cost in row.values()):
            raise ValueError("a cost is not a finite number")
        fallback, withheld = str(values.get("fallback", FALLBACK)), str(values.get("withheld", ""))
        told = values.get("caution")
        caution = Caution.from_dict(classes, told) if told is not None else None
        return cls(tuple(classes), fallback, costs, thresholds, withheld, caution)

    def _cost(self, truth: str, action: str) -> float:
        default = 0.0 if truth == action else UNSURE if action == self.fallback else WRONG
        return float(self.costs.get(truth, {}).get(action, default))

    def _unsure(self, p: NDArray[np.float64], costs: NDArray[np.float64], likeliest: int) -> str:
        price, own = costs[self.actions.index(self.fallback)], costs[likeliest]
        name = self.classes[likeliest]
        return (
            f"not sure enough: {name} at {p[likeliest]:.2f} would cost {own:.2f}, {self.fallback} {price:.2f}"
        )
