"""Splits that do not flatter: nothing that belongs together stands on both sides.

A random split lets a thread, a sender or a template teach the answer to its own test: the same models that
score .909, .941 and 1.000 that way score .675, .802 and .621 on groups. So messages are grouped first, by
thread, by sender and by near-duplicate text, and whole groups are split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.errors import NotEnoughData
from mailml.lab.duplicates import twins

Ints = NDArray[np.int64]

_CHAIN = 0.2  # a group of more than this share of all mail is a chain of look-alikes, not one matter
_PERSON = 0.1  # a sender of more than this share of all mail is a web form or a robot, no person


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the training and the test side, and how they came about.

    `left_out` are rows on neither side (late mail of threads that began before the cut). `how` goes into the
    evaluation card as it is.
    """

    train: Ints
    test: Ints
    how: str
    left_out: Ints


def groups_of(
    texts: Sequence[str], threads: Sequence[Hashable] | None = None, senders: Sequence[str] | None = None
) -> Ints:
    """One group number per message: same thread, same sender or nearly the same text means same group.

    Empty threads and senders join nothing. A sender with more than a tenth of all mail is a web form or
    robot and joins nothing either. Where look-alikes chain a fifth of all mail into one group (mail made from
    templates), only equal words join.
    """
    found = twins(texts)
    numbers = _joined(found.alike, threads, senders)
    if len(numbers) and np.max(np.bincount(numbers)) > max(_CHAIN * len(numbers), 5):
        numbers = _joined(found.exact, threads, senders)
    return numbers


def _joined(keys: Ints, threads: Sequence[Hashable] | None, senders: Sequence[str] | None) -> Ints:
    join = _Joiner(len(keys))
    join.by([None if key < 0 else int(key) for key in keys])
    if threads is not None:
        join.by([thread or None for thread in threads])
    if senders is not None:
        forms = busy_senders(senders)
        join.by([None if not sender or sender in forms else sender for sender in senders])
    return join.numbers()


def busy_senders(senders: Sequence[str]) -> frozenset[str]:
    """Senders of more than a tenth of all mail: web forms and robots, behind whom many people write."""
    least = max(20, _PERSON * len(senders))
    return frozenset(sender for sender, n in Counter(senders).items() if sender and n > least)


def by_time(times: Sequence[datetime | None], groups: Sequence[int] | Ints, test_share: float = 0.2) -> Split:
    """Train on the past, test on what came after: groups that began in the last `test_share` of the messages.

    Late mail of groups that began before the cut is left out of both sides. Messages without a time count
    as past. Raises NotEnoughData when one side is empty.
    """
    stamps = np.array([t.timestamp() if t is not None else float("-inf") for t in times])
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    starts = np.full(int(np.max(number, initial=0)) + 1, np.inf)
    np.minimum.at(starts, number, stamps)
    cut = float(np.quantile(stamps, 1 - test_share, method="higher")) if len(stamps) else 0.0
    late, young = stamps >= cut, starts[number] >= cut
    train, test, out = np.flatnonzero(~late), np.flatnonzero(late & young), np.flatnonzero(late & ~young)
    _both_sides(train, test, "by time", "more months of mail, or threads that do not span them all")
    day = datetime.fromtimestamp(cut, tz=times[int(test[0])].tzinfo).date()  # type: ignore[union-attr]
    return Split(train, test, f"by time: trained before {day}, tested on groups that began later", out)


def grouped(
    labels: Sequence[str], groups: Sequence[int] | Ints, folds: int = 5, seed: int = 7
) -> list[Split]:
    """Stratified folds of whole groups (scikit-learn's StratifiedGroupKFold, shuffled with a fixed seed).

    Fewer folds are made where a class has fewer groups. Raises NotEnoughData when a class lies in one group.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    least, scarce = _fewest_groups(labels, groups)
    if least < 2:
        raise NotEnoughData(
            f"all messages labelled {scarce!r} belong together (one thread, one sender, or one text)",
            cure="Label messages of other customers too; what was learned could not be tested otherwise",
        )
    n = min(folds, least)
    how = f"{n} folds of whole groups (thread, sender, near-duplicate text)"
    nothing, y = np.array([], dtype=np.int64), np.asarray(labels)
    for attempt in range(20):  # a large group may take all of a class along: deal again
        cutter = StratifiedGroupKFold(n, shuffle=True, random_state=seed + attempt)
        pairs: Any = list(cutter.split(np.zeros(len(y)), y, np.asarray(groups)))
        if all(len(set(y[train])) > 1 for train, _ in pairs):
            return [Split(train, test, how, nothing) for train, test in pairs if len(test)]
    raise NotEnoughData("too few groups to hold some of them out", cure="Label messages of more customers")


def random(labels: Sequence[str], test_share: float = 0.2, seed: int = 7) -> Split:
    """A random split, which flatters: relatives stand on both sides. The card says so."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(labels))
    train, test = train_test_split(rows, test_size=test_share, random_state=seed, stratify=list(labels))
    how = "at random, which flatters: threads, senders and templates stand on both sides"
    return Split(np.sort(train), np.sort(test), how, rows[:0])


class _Joiner:
    """Union-find over row numbers, with path halving."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def by(self, keys: Sequence[Hashable | None]) -> None:
        first: dict[Hashable, int] = {}
        for row, key in enumerate(keys):
            if key is not None:
                self._union(first.setdefault(key, row), row)

    def numbers(self) -> Ints:
        roots = [self._find(row) for row in range(len(self._parent))]
        return np.unique(np.array(roots, dtype=np.int64), return_inverse=True)[1].astype(np.int64)

    def _find(self, row: int) -> int:
        parent = self._parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def _union(self, one: int, other: int) -> None:
        a, b = self._find(one), self._find(other)
        self._parent[max(a, b)] = min(a, b)


def _fewest_groups(labels: Sequence[str], groups: Sequence[int] | Ints) -> tuple[int, str]:
    seen: dict[str, set[int]] = {}
    for label, group in zip(labels, groups, strict=True):
        seen.setdefault(label, set()).add(int(group))
    if not seen:
        raise NotEnoughData("there are no labelled messages", cure="Label some first: `mailml label`")
    return min((len(numbers), label) for label, numbers in seen.items())


def _both_sides(train: Ints, test: Ints, how: str, cure: str) -> None:
    if not len(train) or not len(test):
        empty = "training" if not len(train) else "test"
        raise NotEnoughData(f"splitting {how} leaves the {empty} side empty", cure=f"This needs {cure}")
