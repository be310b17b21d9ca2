"""Two classifiers on the same messages: is one better, or is it chance? Paired tests over whole groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mailml.errors import InputError, NotEnoughData
from mailml.lab.evaluate import Report, evaluate
from mailml.lab.report.page import Page, Section, Tile, from_frame
from mailml.lab.resampling import Bootstrap, Floats, Interval, Ints

if TYPE_CHECKING:
    import pandas as pd

_SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False)
class Versus:
    """`one` against `other` on the messages that both judged, by decided answers.

    `saved` is the cost per message that `one` saves (above 0 is good), priced by the cost matrix of `one`;
    `accuracy` the difference of the shares that are right. Both intervals are paired and draw whole groups.
    `p_messages` is McNemar's exact test over messages, `p_groups` over groups (threads, senders,
    look-alikes), each counted once: where the two differ much, many messages were one customer's.
    """

    one: str
    other: str
    table: NDArray[np.int64]  # [[both right, only one], [only other, both wrong]]
    accuracy: Interval
    saved: Interval
    log_loss: Interval
    p_messages: float
    p_groups: float
    groups: int
    changed: Mapping[str, tuple[str, str, str]] = field(repr=False)  # message -> (label, one, other)
    notes: tuple[str, ...] = ()

    @property
    def messages(self) -> int:
        """How many both judged."""
        return int(self.table.sum())

    @property
    def verdict(self) -> str:
        """Better, worse or not told apart, by the interval of the saved cost."""
        return "better" if self.saved.low > 0 else "worse" if self.saved.high < 0 else "not told apart"

    def __str__(self) -> str:
        told = {"better": "is cheaper than", "worse": "is dearer than"}.get(
            self.verdict, "is not told apart from"
        )
        chance = "significant" if self.p_groups < _SIGNIFICANT else "could be chance"
        return (
            f"{self.one} {told} {self.other}: saves {self.saved} a message, accuracy "
            f"{self.accuracy.value:+.3f} ({self.accuracy.low:+.3f} to {self.accuracy.high:+.3f}) over "
            f"{self.messages:,} messages; only one right {self.table[0, 1]:,} against {self.table[1, 0]:,}, "
            f"McNemar's exact p = {self.p_messages:.3g} over messages, {self.p_groups:.3g} over "
            f"{self.groups:,} groups ({chance})"
        )

    def to_frame(self) -> pd.DataFrame:
        """The messages that the two decide differently: message, label, both answers, who is right."""
        import pandas as pd

        rows = [(message, *row, _right(*row)) for message, row in self.changed.items()]
        return pd.DataFrame(rows, columns=["message", "label", "one", "other", "right"])

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        intervals = {"accuracy": self.accuracy, "saved": self.saved, "log_loss": self.log_loss}
        return {
            "one": self.one, "other": self.other, "messages": self.messages, "groups": self.groups,
            "verdict": self.verdict, **{name: value.to_dict() for name, value in intervals.items()},
            "p_messages": round(self.p_messages, 6), "p_groups": round(self.p_groups, 6),
            "table": self.table.tolist(), "decided_differently": len(self.changed), "notes": list(self.notes),
        }  # fmt: skip

    def _repr_html_(self) -> str:
        good = {"better": "good", "worse": "bad"}.get(self.verdict, "")
        tiles = (
            Tile("saved a message", f"{self.saved.value:+.3f}", _range(self.saved), good),
            Tile("accuracy", f"{self.accuracy.value:+.1%}", _range(self.accuracy)),
            Tile("exact p", f"{self.p_groups:.3g}", f"McNemar, {self.groups:,} groups"),
            Tile("decided differently", f"{len(self.changed):,}", f"of {self.messages:,}"),
        )
        frame = self.to_frame()
        counts = frame.groupby(["label", "one", "other", "right"], as_index=False).size()
        counts = counts.rename(columns={"size": "messages"}).sort_values("messages", ascending=False)
        tables = (from_frame(counts, "what changes"),) if len(counts) else ()
        section = Section("Decided differently", str(self), tables=tables, notes=self.notes)
        return Page(f"{self.one} against {self.other}", "", "", "", tiles, (section,))._repr_html_()


def versus(
    one: Any, other: Any, frame: Any = None, labels: Any = None, *, names: tuple[str, str] | None = None
) -> Versus:
    """Compare two reports, or two models (or bundles) on a frame and labels, or two trained models by
    their own out-of-fold predictions.

    Only messages that both judged count. Raises InputError where the two say different classes, and
    NotEnoughData where they share no message.
    """
    first, second = (_report(side, frame, labels) for side in (one, other))
    if set(first.classes) != set(second.classes):
        raise InputError(
            f"one says {', '.join(first.classes)}, the other {', '.join(second.classes)}",
            cure="Only models of the same categories are compared message by message",
        )
    place = {message: row for row, message in enumerate(second.examples.messages)}
    pairs = [(i, place[m]) for i, m in enumerate(first.examples.messages) if m in place]
    if not pairs:
        raise NotEnoughData("the two were judged on no message in common", cure="Pass one frame for both")
    rows, mates = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    title = names or _names(one, other, first, second)
    return _compared(first, second, rows, mates, title)


def mcnemar(only_one: int, only_other: int) -> float:
    """McNemar's exact test: the two-sided binomial probability of so uneven a split (McNemar 1947)."""
    n, k = only_one + only_other, min(only_one, only_other)
    if not n:
        return 1.0
    # in logarithms: binomial coefficients of thousands do not fit a float
    tail = sum(
        math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2))
        for i in range(k + 1)
    )
    return min(1.0, 2 * tail)


def _compared(first: Report, second: Report, rows: Ints, mates: Ints, title: tuple[str, str]) -> Versus:
    answers = np.array(first.policy.actions), np.array(second.policy.actions)
    said, theirs = answers[0][first.said[rows]], answers[1][second.said[mates]]
    labels = np.asarray(first.examples.labels)[rows]
    right, also = said == labels, theirs == labels
    matrix, actions = first.policy.matrix(), {name: at for at, name in enumerate(first.policy.actions)}
    truth = first.truth[rows]
    paid = matrix[truth, first.said[rows]]
    # an answer that the first policy does not have (another fallback) is a wrong queue
    dear = float(np.max(matrix))
    theirs_paid = np.array(
        [matrix[t, actions[a]] if a in actions else dear for t, a in zip(truth, theirs, strict=True)]
    )
    bootstrap, groups = Bootstrap(first.groups[rows]), first.groups[rows]
    table = np.array(
        [[(right & also).sum(), (right & ~also).sum()], [(~right & also).sum(), (~right & ~also).sum()]]
    )
    per_group = np.bincount(np.unique(groups, return_inverse=True)[1], weights=right.astype(float) - also)
    changed = {
        first.examples.messages[int(row)]: (str(labels[at]), str(said[at]), str(theirs[at]))
        for at, row in enumerate(rows)
        if said[at] != theirs[at]
    }
    gone = max(len(first.examples), len(second.examples)) - len(rows)
    note = f"{gone:,} messages that only one of them was judged on are left out." if gone else ""
    return Versus(
        one=title[0],
        other=title[1],
        table=table.astype(np.int64),
        accuracy=bootstrap.mean(right.astype(float) - also),
        saved=bootstrap.mean(theirs_paid - paid),
        log_loss=bootstrap.mean(_surprise(second, mates) - _surprise(first, rows)),
        p_messages=mcnemar(int(table[0, 1]), int(table[1, 0])),
        p_groups=mcnemar(int((per_group > 0).sum()), int((per_group < 0).sum())),
        groups=len(per_group),
        changed=changed,
        notes=tuple(dict.fromkeys(filter(None, (*first.notes, *second.notes, note)))),
    )


def _surprise(report: Report, rows: Ints) -> Floats:
    """Negative log probability of the label, row by row."""
    given = report.probabilities[rows, report.truth[rows]]
    return np.asarray(-np.log(np.clip(given, 1e-15, 1)), dtype=np.float64)


def _report(side: Any, frame: Any, labels: Any) -> Report:
    return side if isinstance(side, Report) else evaluate(side, frame, labels, control=False)


def _names(one: Any, other: Any, first: Report, second: Report) -> tuple[str, str]:
    ids = [str(getattr(side, "id", "") or made.model)[:12] for side, made in ((one, first), (other, second))]
    return (ids[0], ids[1]) if ids[0] != ids[1] else (f"{ids[0]} (one)", f"{ids[1]} (other)")


def _right(label: str, one: str, other: str) -> str:
    return "one" if one == label else "other" if other == label else "neither"


def _range(interval: Interval) -> str:
    return f"95% interval {interval.low:+.3f} to {interval.high:+.3f}"
