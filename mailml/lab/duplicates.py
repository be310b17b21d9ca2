"""Texts that are (nearly) the same: candidates by MinHash, each proven on its shingles, in linear time.

Broder, "On the resemblance and containment of documents" (1997). Two texts of which four fifths of the
three-word shingles are shared are found with a probability of .9998; nothing is called a duplicate unproven.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

ALIKE = 0.8  # share of the shingles
_WORDS = re.compile(r"[^\W\d_]+")
_SHINGLE = 3  # words
_HASHES, _BANDS = 64, 16
_NEIGHBOURS = 4  # of one bucket that a text is compared with, and the first: a template fills buckets


@dataclass(frozen=True, slots=True)
class Twins:
    """`exact` numbers texts of equal words, `alike` those that are chained by likeness; -1: like no other."""

    exact: Ints
    alike: Ints


def shingles(text: str) -> frozenset[int]:
    """The three-word shingles of a text as numbers; digits and case make no difference."""
    words = _WORDS.findall(text.casefold())
    if len(words) < 2 * _SHINGLE:  # shorter texts are alike by chance: they have none
        return frozenset()
    return frozenset(
        zlib.crc32(" ".join(words[i : i + _SHINGLE]).encode()) for i in range(len(words) - _SHINGLE + 1)
    )


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of all shingles that both have (Jaccard), from 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 0.0


def twins(texts: Sequence[str], at_least: float = ALIKE) -> Twins:
    """Which texts are equal in words, and which are chained by a likeness of `at_least`."""
    exact: dict[str, int] = {}
    same = np.full(len(texts), -1, dtype=np.int64)
    parent = list(range(len(texts)))
    buckets: dict[tuple[int, bytes], list[int]] = {}
    seen: dict[int, frozenset[int]] = {}
    for row, text in enumerate(texts):
        words = " ".join(_WORDS.findall(text.casefold()))
        if not words:
            continue
        same[row] = exact.setdefault(words, row)
        if same[row] != row:
            parent[row] = _root(parent, int(same[row]))
        elif codes := shingles(text):
            seen[row] = codes
            for other in _near(row, codes, buckets):
                ours, theirs = _root(parent, row), _root(parent, other)
                if ours != theirs and likeness(codes, seen[other]) >= at_least:
                    parent[max(ours, theirs)] = min(ours, theirs)
    alike = np.array([_root(parent, row) for row in range(len(texts))], dtype=np.int64)
    return Twins(same, np.where(same < 0, -1, alike))


def _near(row: int, codes: frozenset[int], buckets: dict[tuple[int, bytes], list[int]]) -> list[int]:
    """Earlier rows that share a band with this one; the row is put into its buckets."""
    found: dict[int, None] = {}
    for band, key in enumerate(_bands(codes)):
        bucket = buckets.setdefault((band, key), [])
        found |= dict.fromkeys(bucket)
        bucket.append(row)
        if len(bucket) > _NEIGHBOURS + 1:
            del bucket[1]
    return list(found)


def _bands(codes: frozenset[int]) -> list[bytes]:
    column = np.fromiter(codes, dtype=np.uint64, count=len(codes))[:, None]
    least = ((column * _A + _B) >> np.uint64(16)).min(axis=0)
    return [part.tobytes() for part in np.split(least, _BANDS)]


def _root(parent: list[int], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


_SEEDS = np.random.default_rng(7)
_A = _SEEDS.integers(1, 2**63, _HASHES, dtype=np.uint64) | np.uint64(1)
_B = _SEEDS.integers(0, 2**63, _HASHES, dtype=np.uint64)
