"""Text -> n-gram counts, exactly those of scikit-learn's `word` and `char_wb` analyzers.

The n-grams of a word never change, so each word is looked up once and remembered as packed ids; a text is
then one join of byte strings and one bincount instead of thousands of slices and dictionary look-ups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LIMIT = 20 * 1024  # characters read of a text; more says nothing new about its topic and costs time
_TOKEN = re.compile(r"\w\w+")  # greedy, so it equals scikit-learn's (?u)\b\w\w+\b
_REMEMBERED = 50_000  # words; a few MB, and hostile mail cannot grow it without end
_LONGEST_REMEMBERED = 40  # characters

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fold(text: str) -> str:
    """The text as both analyzers see it: capped and lower-case."""
    return text[:LIMIT].lower()


def tokens(folded: str) -> list[str]:
    """The words of two or more letters or digits, in order."""
    return _TOKEN.findall(folded)


def char_wb(word: str, low: int, high: int) -> Iterator[str]:
    """The character n-grams of one word with a blank at either end (scikit-learn's `_char_wb_ngrams`)."""
    padded = f" {word} "
    for n in range(low, high + 1):
        yield padded[:n]
        if len(padded) <= n:  # a short word counts once, whatever n
            return
        for start in range(1, len(padded) - n + 1):
            yield padded[start : start + n]


class _Memory(dict[str, bytes]):
    """Word -> its packed ids, filled on demand and emptied when full."""

    def __init__(self, pack: Callable[[str], bytes]) -> None:
        super().__init__()
        self._pack = pack

    def __missing__(self, word: str) -> bytes:
        packed = self._pack(word)
        if len(word) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[word] = packed
        return packed


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """The known n-grams of one text: ids in ascending order, how often, and how many were unknown."""

    ids: Ints
    counts: Floats
    unknown: int

    @property
    def known(self) -> float:
        """How many n-grams of the text the vocabulary holds, repeats counted."""
        return float(self.counts.sum())


class Block:
    """One TF-IDF block: its n-grams with their idf and their weight for every class.

    `idf` has shape (terms,), `coef` (terms, classes). Term frequency is sublinear (1 + ln n) and the block
    is normalised to length one, as in scikit-learn's TfidfVectorizer(sublinear_tf=True, norm="l2").
    """

    def __init__(
        self,
        name: str,
        analyzer: str,
        ngrams: tuple[int, int],
        terms: Sequence[str],
        idf: Floats,
        coef: Floats,
    ) -> None:
        self.name, self.analyzer, self.ngrams = name, analyzer, ngrams
        self.terms, self.idf, self.coef = tuple(terms), idf, np.ascontiguousarray(coef)
        self._ids: Mapping[str, int] = {term: i for i, term in enumerate(self.terms)}
        self._unknown = len(self.terms)  # the id every unknown n-gram is counted under
        self._memory = _Memory(self._pack)

    def __repr__(self) -> str:
        return f"Block({self.name!r}, {self.analyzer!r}, {self.ngrams}, {len(self.terms)} terms)"

    def weighing(self, coef: Floats) -> Block:
        """The same n-grams with other weights."""
        return Block(self.name, self.analyzer, self.ngrams, self.terms, self.idf, coef)

    def named(self, folded: str, ids: Ints) -> list[str]:
        """The n-grams behind these ids of a text."""
        return [self.terms[i] for i in ids]

    def number(self, gram: str) -> int:
        """The id of one n-gram; that of all unknown ones where it is unknown."""
        return self._ids.get(gram, self._unknown)

    def count(self, folded: str) -> Counts:
        """The block's n-gram counts of a folded text."""
        ids = self._found(folded)
        counts = np.bincount(ids, minlength=self._unknown + 1)
        known = np.flatnonzero(counts[:-1])
        return Counts(known, counts[known].astype(np.float64), int(counts[-1]))

    def values(self, counts: Counts) -> Floats:
        """The normalised TF-IDF values of the counted ids."""
        values: Floats = (1.0 + np.log(counts.counts)) * self.idf[counts.ids]
        length = float(np.sqrt(values @ values))
        return values / length if length > 0 else values

    def scores(self, texts: Sequence[str]) -> Floats:
        """What the block adds to every class's score for many folded texts at once: (texts, classes)."""
        found = [self._found(text) for text in texts]
        rows = np.repeat(np.arange(len(found)), [len(ids) for ids in found])
        width = self._unknown + 1
        keys = rows * width + np.concatenate(found) if found else rows
        keys, counts = np.unique(keys[keys % width != self._unknown], return_counts=True)
        rows, ids = np.divmod(keys, width)
        values = (1.0 + np.log(counts)) * self.idf[ids]
        lengths = np.sqrt(np.bincount(rows, weights=values * values, minlength=len(found)))
        values /= lengths[rows]
        out = np.zeros((len(found), self.coef.shape[1]))
        if rows.size:
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            out[rows[starts]] = np.add.reduceat(values[:, None] * self.coef[ids], starts, axis=0)
        return out

    def _found(self, folded: str) -> NDArray[np.int32]:
        return self._word_ids(folded) if self.analyzer == "word" else self._char_ids(folded)

    def _pack(self, word: str) -> bytes:
        grams = char_wb(word, *self.ngrams)
        return np.array([self._ids.get(gram, self._unknown) for gram in grams], dtype=np.int32).tobytes()

    def _char_ids(self, folded: str) -> NDArray[np.int32]:
        packed = b"".join(map(self._memory.__getitem__, folded.split()))
        return np.frombuffer(packed, dtype=np.int32)

    def _word_ids(self, folded: str) -> NDArray[np.int32]:
        found: list[int] = []
        words, get = tokens(folded), self._ids.get
        low, high = self.ngrams
        if low == 1:
            found += [get(word, self._unknown) for word in words]
        for n in range(max(low, 2), high + 1):
            grams = map(" ".join, zip(*(words[i:] for i in range(n)), strict=False))
            # unknown pairs of known words are no sign of a foreign text: only single words count as unknown
            found += [i for i in map(get, grams) if i is not None]
        return np.array(found, dtype=np.int32)
