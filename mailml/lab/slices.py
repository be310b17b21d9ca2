"""The same figures on parts of the mail: by language, month, length and sender's domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mailml.errors import InputError
from mailml.lab.examples import Examples
from mailml.lab.intervals import wilson
from mailml.lab.resampling import Bootstrap, Floats

if TYPE_CHECKING:
    import pandas as pd

_MOST = 25  # rows of one table; the rest is summed up
KINDS = ("language", "month", "length", "sender_domain")
_LENGTHS = ((50, "up to 50 characters"), (200, "up to 200"), (1000, "up to 1,000"))


def by(
    what: str, examples: Examples, right: NDArray[np.bool_], costs: Floats, bootstrap: Bootstrap
) -> pd.DataFrame:
    """One row per part: messages, accuracy with its interval, cost per message."""
    import pandas as pd

    if what not in KINDS:
        raise InputError(f"there is no slice {what!r}", cure=f"Choose one of {', '.join(KINDS)}")
    names = np.array(_limited(parts(what, examples)), dtype=object)
    rows = []
    for name in sorted(set(names), key=lambda n: (n == "other", _order(n))):
        inside = names == name
        accuracy, count = bootstrap.share(right, inside), int(inside.sum())
        # drawing two messages again and again never shows a third: few messages get Wilson's interval too
        few = wilson(int((right & inside).sum()), count)
        low, high = min(accuracy.low, few.low), max(accuracy.high, few.high)
        rows.append((name, count, accuracy.value, low, high, float(costs[inside].mean())))
    columns = [what, "messages", "accuracy", "accuracy_low", "accuracy_high", "cost"]
    return pd.DataFrame(rows, columns=columns).set_index(what)


def parts(what: str, examples: Examples) -> list[str]:
    """The part every message belongs to, by name."""
    if what == "language":
        from mailml.text import detect_language

        return [detect_language(text) or "not told apart" for text in examples.texts]
    if what == "month":
        return [f"{time:%Y-%m}" if time is not None else "unknown" for time in examples.times]
    if what == "length":
        return [_length(len(text)) for text in examples.texts]
    return [sender.rpartition("@")[2] or "unknown" for sender in examples.senders]


def _length(characters: int) -> str:
    return next((name for limit, name in _LENGTHS if characters <= limit), "longer")


def _order(name: str) -> tuple[int, str]:
    lengths = [label for _, label in _LENGTHS] + ["longer"]
    return (lengths.index(name), "") if name in lengths else (0, name)


def _limited(names: Sequence[str]) -> list[str]:
    kept = {name for name, _ in Counter(names).most_common(_MOST)}
    return [name if name in kept else "other" for name in names]
