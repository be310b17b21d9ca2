"""A TF-IDF block without a vocabulary: n-grams are known by the bucket of their hash.

For archives whose vocabulary would not fit, and for bundles that must hold no word at all. The hash is CRC-32
(of the standard library, the same everywhere), taken modulo the number of buckets.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from mailml.classifier.ngrams import Block, Floats, Ints, char_wb, tokens


def bucket(gram: str, size: int) -> int:
    """The bucket of one n-gram among `size`."""
    return zlib.crc32(gram.encode("utf-8", "surrogatepass")) % size


class _Buckets(Mapping[str, int]):
    """N-gram -> its place among the buckets that are kept, as a vocabulary would say it."""

    def __init__(self, kept: Ints, size: int) -> None:
        self._size = size
        self._place = np.full(size, -1, dtype=np.int64)
        self._place[kept] = np.arange(len(kept))

    def __getitem__(self, gram: str) -> int:
        place = int(self._place[bucket(gram, self._size)])
        if place < 0:
            raise KeyError(gram)
        return place

    def __iter__(self) -> Iterator[str]:
        raise TypeError("a hash keeps no words to go through")

    def __len__(self) -> int:
        return int((self._place >= 0).sum())


class HashedBlock(Block):
    """A block whose n-grams are buckets: `kept` are their numbers, ascending, out of `size`."""

    def __init__(
        self,
        name: str,
        analyzer: str,
        ngrams: tuple[int, int],
        kept: Ints,
        size: int,
        idf: Floats,
        coef: Floats,
    ) -> None:
        super().__init__(name, analyzer, ngrams, (), idf, coef)
        self.kept, self.size = kept, size
        self._ids = _Buckets(kept, size)
        self._unknown = len(kept)

    def __repr__(self) -> str:
        shape = f"{len(self.kept)} of {self.size} buckets"
        return f"HashedBlock({self.name!r}, {self.analyzer!r}, {self.ngrams}, {shape})"

    def weighing(self, coef: Floats) -> HashedBlock:
        """The same buckets with other weights."""
        return HashedBlock(self.name, self.analyzer, self.ngrams, self.kept, self.size, self.idf, coef)

    def named(self, folded: str, ids: Ints) -> list[str]:
        """The text's own n-grams for these ids: the block itself knows none."""
        found: dict[int, str] = {}
        for gram in self._grams(folded):
            place = self._ids.get(gram)
            if place is not None:
                found.setdefault(place, gram)
        return [found.get(int(i), "") for i in ids]

    def _grams(self, folded: str) -> Iterator[str]:
        if self.analyzer != "word":
            for word in folded.split():
                yield from char_wb(word, *self.ngrams)
            return
        words = tokens(folded)
        for n in range(self.ngrams[0], self.ngrams[1] + 1):
            yield from (" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
