"""Why a text got its category, and how near the call was: for people, not for deciding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mailml.classifier.model import Model
from mailml.classifier.phrases import Phrase, phrases
from mailml.verdict import Category

_TRIED = 3  # phrases that are left out to see what happens


@dataclass(frozen=True, slots=True)
class Without:
    """What the answer would be without a phrase."""

    phrase: str
    category: Category


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of one answer.

    `about` is the class that is explained: the answer's, or the likeliest where the classifier abstained.
    `spoke_for` and `against` are phrases of the text with their weight in that class's score. `costs` are the
    expected costs of all actions, the least first. `near` says in a sentence how far the answer is from its
    threshold and from the next-best action; `without` what would happen if a phrase were not there.
    """

    category: Category
    about: str
    spoke_for: tuple[Phrase, ...]
    against: tuple[Phrase, ...]
    known: float
    costs: tuple[tuple[str, float], ...]
    near: str
    without: tuple[Without, ...]

    @property
    def turned(self) -> tuple[Without, ...]:
        """The phrases without which the answer would be another one."""
        return tuple(one for one in self.without if one.category.label != self.category.label)


def why(model: Model, text: str, label: str | None = None, n: int = 6) -> Why:
    """Explain the model's answer on a text (what `classifier_input` gives), or what speaks for `label`.

    Raises ValueError for a label that is no class.
    """
    found = model.explain(text, label)
    category, about = found.category, found.label
    if label is None and category.label in model.classes:
        about = str(category.label)
    pro, con = phrases(model, text, about, n) if text.strip() else ((), ())
    costs = tuple(sorted(found.costs, key=lambda pair: (pair[1], pair[0])))
    tried = tuple(_without(model, text, phrase) for phrase in pro[:_TRIED])
    return Why(category, about, pro, con, found.known, costs, _near(model, text, category, costs), tried)


def _without(model: Model, text: str, phrase: Phrase) -> Without:
    rest = text[: phrase.start] + " " + text[phrase.end :]
    return Without(phrase.text, model.categorize(rest))


def _near(model: Model, text: str, category: Category, costs: tuple[tuple[str, float], ...]) -> str:
    """How near the call was."""
    if not category.probabilities:
        return ""
    policy = model.policy
    shares = dict(category.probabilities)
    if policy.withheld:
        return (
            f"It always abstains; without that it would choose {_chosen(model, category, model.known(text))}."
        )
    known = model.known(text)
    if category.label is None and known < model.min_known:
        return f"{known:.0%} of the text is known, {model.min_known:.0%} is needed to answer."
    (best, least), (second, more) = costs[0], costs[1]
    told = [f"{best} is expected to cost {least:.2f}, the next best, {second}, {more:.2f}"]
    floor = policy.thresholds.get(best, 0.0)
    if floor and best in shares:
        gap = shares[best] - floor
        told.append(
            f"{best} at {shares[best]:.2f} is {abs(gap):.2f} {'over' if gap >= 0 else 'under'} its threshold"
        )
    elif category.label is not None and category.label in shares:
        turn = _turning_point(model, category, known)
        if turn is not None:
            told.append(
                f"it answers {category.label} from a probability of {turn:.2f} on, and has {shares[best]:.2f}"
            )
    return "; ".join(told) + "."


def _chosen(model: Model, category: Category, known: float) -> str:
    free = replace(model.policy, withheld="")
    choice = free.choose([value for _, value in category.probabilities], known)
    return choice.label or f"{free.fallback} (abstaining)"


def _turning_point(model: Model, category: Category, known: float) -> float | None:
    """The probability at which the answer becomes another one, the others keeping their proportions."""
    p = np.array([value for _, value in category.probabilities])
    at = model.classes.index(str(category.label))
    rest = p.sum() - p[at]
    if rest <= 0:
        return None
    low, high = 0.0, float(p[at])
    for _ in range(20):  # halving: to a millionth
        middle = (low + high) / 2
        moved = p * ((1 - middle) / rest)
        moved[at] = middle
        if model.policy.choose(moved.tolist(), known).label == category.label:
            high = middle
        else:
            low = middle
    return round(high, 4) if high > 0 else None
