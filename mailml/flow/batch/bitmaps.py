"""Answers as bits: a million of them are 125 KB, and recombining two such sets takes microseconds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.bool_]
Packed = npt.NDArray[np.uint8]


class Growing:
    """Answers that come in chunks, packed as they come."""

    def __init__(self) -> None:
        self._parts: list[Packed] = []
        self._rest = np.zeros(0, np.bool_)  # fewer than eight

    def add(self, answers: Bits) -> None:
        """The answers of the next messages."""
        answers = np.concatenate((self._rest, answers)) if len(self._rest) else answers
        whole = len(answers) - len(answers) % 8
        self._parts.append(np.packbits(answers[:whole]))
        self._rest = answers[whole:]

    def packed(self) -> Packed:
        """All of them; bits behind the last message are zero."""
        return np.concatenate([*self._parts, np.packbits(self._rest)])


def full(rows: int) -> Packed:
    """A bit for each of so many messages, all set."""
    return np.packbits(np.ones(rows, np.bool_))


def unpack(packed: Packed, rows: int) -> Bits:
    """One answer per message."""
    return np.unpackbits(packed, count=rows).view(np.bool_)


def count(packed: Packed) -> int:
    """How many are set."""
    return int(np.bitwise_count(packed).sum(dtype=np.int64))
