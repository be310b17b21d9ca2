"""What each rule fits, decides, shares with others, disputes, and how often it is right: the figures.

The numbers are those of weak supervision (coverage, overlap, conflict, empirical accuracy: Ratner et al.,
Snorkel, VLDB 2017), with one difference: rules of a flow have an order, so that beside what a rule *fits*
stands what it *decides*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.lab.intervals import Share, wilson
from mailml.lab.reaching import DEFAULT, Reaching, disagree, goes, place_of

if TYPE_CHECKING:
    import pandas as pd

    from mailml.flow import Rule

_CELLS = 16_000_000  # of a matrix of rules by messages that is held at once: 64 MB


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """One rule on the mail that reaches the flow.

    `fits`: its condition holds, whatever stands before; `decides`: it places them; `overlap`: another rule
    fits as well; `conflict`: one that sets another queue or priority. `accuracy` is of all that it fits,
    `decided_accuracy` of what it decides: the share that belonged in its queue, over messages whose truth is
    known (`of`); what it files never did.
    """

    rule: str
    goes: str
    fits: int
    coverage: float
    decides: int
    overlap: int
    conflict: int
    accuracy: Share
    decided_accuracy: Share


@dataclass(frozen=True, eq=False)
class Covering:
    """The rules of a flow on an archive, the default queue last; `note` must stand beside the figures."""

    rules: tuple[RuleCoverage, ...]
    overlapping: int  # messages that two rules or more fit
    conflicting: int  # messages on which two of them differ
    reaching: Reaching = field(repr=False)

    @property
    def of(self) -> int:
        """How many messages reach the flow."""
        return len(self.reaching)

    @property
    def placed(self) -> int:
        """How many of them a rule places."""
        return self.of - self.rules[-1].decides

    @property
    def judged(self) -> int:
        """How many have a truth to judge by."""
        return int(self.reaching.judged.sum())

    @property
    def note(self) -> str:
        """Of how much of the mail this speaks, and what is not counted."""
        unknown = self.of - self.judged
        said = (
            f"Right and wrong are counted on {self.judged:,} of them: mail that opens an interaction and of "
            f"which it is known where it belonged; the other {unknown:,} are left out."
        )
        return " ".join(filter(None, (f"{self.reaching.share}.", said, self.reaching.note)))

    def to_frame(self) -> pd.DataFrame:
        """One row per rule; a share is its value, `_low`, `_high` and `_of`."""
        import pandas as pd

        return pd.DataFrame([_flat(rule) for rule in self.rules]).set_index("rule")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Rules that fit the same messages, those that differ first.

        Columns: first, second (in the order of the flow), messages, differ (queue, priority or ""), judged,
        first_right and second_right (how many of the judged belonged in each one's queue).
        """
        import pandas as pd

        rules = self.reaching.flow.rules
        at = [n for n, rule in enumerate(self.rules[:-1]) if rule.overlap]
        both, judged, held = _shared(self.reaching, at)
        rows = [
            (
                rules[a].name, rules[b].name, int(both[i, j]), disagree(rules[a], rules[b]),
                int(judged[i, j]), int(held[i, j]), int(held[j, i]),
            )
            for i, a in enumerate(at)
            for j, b in enumerate(at)
            if a < b and both[i, j]
        ]  # fmt: skip
        names = ["first", "second", "messages", "differ", "judged", "first_right", "second_right"]
        rows.sort(key=lambda row: (not row[3], -row[2]))
        return pd.DataFrame(rows, columns=names)


def covering(mail: Reaching) -> Covering:
    """The figures of a flow on the mail that reaches it."""
    rules, judged = mail.flow.rules, mail.judged
    many = np.zeros(len(mail), np.int32)
    voices: dict[Any, Any] = {}  # (what is set, to what) -> how many rules say so, per message
    for rule, packed in zip(rules, mail.fits, strict=True):
        fits = mail.bits(packed)
        many += fits
        for said in _says(rule):
            for key in (said, said[0]):
                voices.setdefault(key, np.zeros(len(mail), np.int32))
                voices[key] += fits
    made, disputed = list[RuleCoverage](), np.zeros(len(mail), np.bool_)
    for n, rule in enumerate(rules):
        fits, decides = mail.bits(mail.fits[n]), mail.decided == n
        differs = np.zeros(len(mail), np.bool_)
        for said in _says(rule):
            differs |= fits & (voices[said[0]] > voices[said])
        disputed |= differs
        says, held = place_of(rule) is not None, mail.right(rule.then.queue)
        made.append(
            RuleCoverage(
                rule.name, goes(rule), int(fits.sum()), float(fits.sum() / max(len(mail), 1)),
                int(decides.sum()), int((fits & (many > 1)).sum()), int(differs.sum()),
                _share(held, fits & judged & says), _share(held, decides & judged),
            )
        )  # fmt: skip
    made.append(_default(mail))
    return Covering(tuple(made), int((many > 1).sum()), int(disputed.sum()), mail)


def _default(mail: Reaching) -> RuleCoverage:
    """What no rule places."""
    left = mail.decided == DEFAULT
    held = _share(mail.right(mail.flow.default), left & mail.judged)
    many = int(left.sum())
    return RuleCoverage("default", mail.flow.default, many, many / max(len(mail), 1), many, 0, 0, held, held)


def _says(rule: Rule) -> list[tuple[str, Any]]:
    """What a rule sets of the two things that rules can contradict each other in."""
    place, rank = place_of(rule), rule.then.priority
    return [*([("place", place)] if place else []), *([("priority", rank)] if rank is not None else [])]


def _share(held: Any, among: Any) -> Share:
    return wilson(int((held & among).sum()), int(among.sum()))


def _shared(mail: Reaching, at: list[int]) -> tuple[Any, Any, Any]:
    """For each two rules: messages that both fit; of them judged; of them right in the first one's queue."""
    size = len(at)
    if not size:
        return (np.zeros((0, 0)),) * 3
    totals = [np.zeros((size, size)) for _ in range(3)]
    held = [mail.right(mail.flow.rules[n].then.queue) for n in at]
    step = max(1, _CELLS // size)
    for begin in range(0, len(mail), step):
        part = slice(begin, begin + step)
        fits = np.array([mail.bits(mail.fits[n])[part] for n in at], np.float32)
        rights = np.array([one[part] for one in held], np.float32)
        for total, left in zip(totals, (fits, fits * mail.judged[part], fits * rights), strict=True):
            total += left @ fits.T
    return totals[0], totals[1], totals[2]


def _flat(rule: RuleCoverage) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in RuleCoverage.__dataclass_fields__:
        value = getattr(rule, name)
        if isinstance(value, Share):
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            row[f"{name}_of"] = value.of
        else:
            row[name] = value
    return row
