"""What a split leaks: messages that stand on the test side and have a relative on the training side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mailml.lab import duplicates, split
from mailml.lab.escape import esc
from mailml.lab.examples import Examples

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.split import Ints, Split

_LISTED = 500  # pairs; the counts are of all
_SHOWN = 15  # in a notebook
_HASH = 12  # hex digits name a message well enough to be found
THREAD, SENDER, SAME, ALIKE = "thread", "sender", "same text", "similar text"


@dataclass(frozen=True, slots=True)
class Pair:
    """A test message and its relative in training: message hashes, what they share, likeness of the texts."""

    test: str
    train: str
    shares: str
    likeness: float


@dataclass(frozen=True)
class Leakage:
    """How many of the `tested` messages have a relative in training, and the pairs (500 at most).

    `threads`, `senders` and `texts` count test messages; one may count in all three.
    """

    tested: int
    threads: int = 0
    senders: int = 0
    texts: int = 0
    leaking: int = 0
    pairs: tuple[Pair, ...] = ()

    def __str__(self) -> str:
        if not self.leaking:
            return f"No leakage: none of {self.tested:,} test messages has a relative in training."
        return (
            f"Leakage: of {self.tested:,} test messages, {self.threads:,} share a thread, {self.senders:,} a "
            f"sender and {self.texts:,} a (nearly) equal text with training; the figures flatter."
        )

    def to_frame(self) -> pd.DataFrame:
        """The pairs, most alike first: hashes of both messages, what they share, likeness from 0 to 1."""
        import pandas as pd

        rows = sorted(self.pairs, key=lambda p: (-p.likeness, p.test))
        columns = ["test", "train", "shares", "likeness"]
        return pd.DataFrame([(p.test, p.train, p.shares, p.likeness) for p in rows], columns=columns)

    def _repr_html_(self) -> str:
        frame = self.to_frame().head(_SHOWN)
        frame["test"], frame["train"] = frame["test"].str[:_HASH], frame["train"].str[:_HASH]
        table = frame.to_html(index=False, border=0, justify="left") if self.pairs else ""
        return f"<p>{esc(self)}</p>{table}"


def leakage(folds: Split | Iterable[Split], examples: Examples) -> Leakage:
    """What one split, or several folds together, leak.

    Senders of more than a tenth of all mail are web forms and share nothing; see `split.busy_senders`.
    """
    folds = [folds] if isinstance(folds, split.Split) else list(folds)
    related = _relations(examples)
    codes: dict[int, frozenset[int]] = {}
    found = dict.fromkeys(related, 0)
    leaking, tested, pairs = 0, 0, list[Pair]()
    for fold in folds:
        mates = {name: _mates(keys, fold) for name, keys in related.items()}
        tested += len(fold.test)
        for name, column in mates.items():
            found[name] += int((column >= 0).sum())
        table = np.stack(list(mates.values()))
        touched = np.flatnonzero((table >= 0).any(axis=0))
        leaking += len(touched)
        for at in touched[: max(0, _LISTED - len(pairs))]:
            pairs.append(_pair(examples, int(fold.test[at]), [int(x) for x in table[:, at]], codes))
    texts = found[ALIKE]
    return Leakage(tested, found[THREAD], found[SENDER], texts, leaking, tuple(pairs))


def _relations(examples: Examples) -> dict[str, Ints]:
    """By what messages are related: for each kind one number per message, -1 for "to nobody"."""
    forms = split.busy_senders(examples.senders)
    senders = ["" if sender in forms else sender for sender in examples.senders]
    alike = duplicates.twins(examples.texts)
    return {
        THREAD: _numbers(examples.threads),
        SENDER: _numbers(senders),
        SAME: alike.exact,
        ALIKE: alike.alike,
    }


def _numbers(keys: Sequence[str]) -> Ints:
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(key, len(seen)) if key else -1 for key in keys], dtype=np.int64)


def _mates(keys: Ints, fold: Split) -> Ints:
    """For each test row a training row of the same key, -1 where there is none."""
    first = {int(key): int(row) for key, row in zip(keys[fold.train][::-1], fold.train[::-1], strict=True)}
    return np.array([first.get(int(key), -1) if key >= 0 else -1 for key in keys[fold.test]], dtype=np.int64)


def _pair(examples: Examples, row: int, mates: list[int], codes: dict[int, frozenset[int]]) -> Pair:
    """The pair to show: equal text before similar text before thread before sender."""
    kinds = dict(zip((THREAD, SENDER, SAME, ALIKE), mates, strict=True))
    kind = next(name for name in (SAME, ALIKE, THREAD, SENDER) if kinds[name] >= 0)
    mate = kinds[kind]
    for one in (row, mate):
        if one not in codes:
            codes[one] = duplicates.shingles(examples.texts[one])
    share = 1.0 if kind == SAME else duplicates.likeness(codes[row], codes[mate])
    shared = [name for name in (THREAD, SENDER) if kinds[name] >= 0]
    text = [SAME] if kinds[SAME] >= 0 else [ALIKE] if kinds[ALIKE] >= 0 else []
    return Pair(examples.messages[row], examples.messages[mate], ", ".join([*shared, *text]), round(share, 3))
