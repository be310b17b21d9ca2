"""What a misroute costs in minutes: by the desk's cost matrix, or as the analyst says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailml.classifier.policy import WRONG
from mailml.errors import InputError
from mailml.lab.misroutes import MINUTES_PER_MISROUTE
from mailml.lab.queues import categories_of

if TYPE_CHECKING:
    from mailml.bundle import Bundle

Pairs = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Costs:
    """Minutes for a message that belongs in one queue and is sent to another.

    `pairs[truth, sent]` are those that are known; every other pair of different queues costs `each`, and the
    right queue costs nothing.
    """

    each: float = MINUTES_PER_MISROUTE
    pairs: Pairs = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [minutes for minutes in (self.each, *self.pairs.values()) if not 0 <= minutes < float("inf")]
        if wrong:
            raise InputError(f"a misroute cannot cost {wrong[0]} minutes", cure="Give minutes from 0 on")

    def minutes(self, truth: str, sent: str) -> float:
        """The price of one message."""
        return 0.0 if truth == sent else self.pairs.get((truth, sent), self.each)


def desk_costs(bundle: Bundle, each: float = MINUTES_PER_MISROUTE, pairs: Pairs | None = None) -> Costs:
    """The desk's cost matrix in minutes, for the queues that stand for a category; `pairs` override it.

    The matrix has its own unit: what it says of a plainly wrong answer is `each` minutes here, and the rest
    follows in proportion. So the general queue, which hands on, costs half of what a wrong specialist does.
    """
    known = categories_of(bundle.flow, bundle.desk.fallback)
    policy = bundle.desk.policy(bundle.desk.categories)
    matrix, actions = policy.matrix(), policy.actions
    price = {
        (true, sent): each * float(matrix[bundle.desk.categories.index(truth), actions.index(action)]) / WRONG
        for true, truth in known.items()
        for sent, action in known.items()
        if true != sent and truth in bundle.desk.categories and action in actions
    }
    return Costs(each, {**price, **(pairs or {})})


def joint_costs(one: Bundle, other: Bundle, each: float = MINUTES_PER_MISROUTE) -> Costs:
    """The cost matrix over the queues of both sides: which of them is the candidate changes no price.

    Where the two desks price a pair of queues differently, the dearer price holds.
    """
    pairs = dict(desk_costs(one, each).pairs)
    for pair, minutes in desk_costs(other, each).pairs.items():
        pairs[pair] = max(minutes, pairs.get(pair, 0.0))
    return Costs(each, pairs)
