"""Texts -> counts in buckets of a hash, in one pass and without a vocabulary.

The hash is that of the served `HashedBlock`, so what is counted here is what production will look up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mailml.classifier.hashed import bucket
from mailml.classifier.ngrams import char_wb, fold, tokens
from mailml.lab.vocabulary import Counted, Ints, Mask

_REMEMBERED = 200_000  # words whose buckets are looked up once


def count_hashed(
    texts: Sequence[str], *, words: tuple[int, int], chars: tuple[int, int], buckets: int
) -> tuple[Counted, ...]:
    """The word block and the character block of many texts, as `vocabulary.count` gives them."""
    return (
        _counted("hashed_word", "word", words, buckets, texts),
        _counted("hashed_char", "char_wb", chars, buckets, texts),
    )


def _counted(name: str, analyzer: str, ngrams: tuple[int, int], size: int, texts: Sequence[str]) -> Counted:
    from scipy.sparse import csr_matrix

    single = np.full(size, analyzer != "word", dtype=bool)
    look = _words(ngrams, size, single) if analyzer == "word" else _pieces(ngrams, size)
    ids, counts, starts = list[Ints](), list[Ints](), [0]
    for text in texts:
        found, times = np.unique(look(fold(text)), return_counts=True)
        ids.append(found)
        counts.append(times)
        starts.append(starts[-1] + len(found))
    data = np.concatenate([np.empty(0, dtype=np.int32), *counts]).astype(np.int32)
    columns = np.concatenate([np.empty(0, dtype=np.int64), *ids])
    matrix = csr_matrix((data, columns, starts), shape=(len(texts), size))
    none = np.array([], dtype=object)
    return Counted(name, analyzer, ngrams, size, none, matrix, single, np.ones(size, dtype=bool))


def _pieces(ngrams: tuple[int, int], size: int) -> Callable[[str], Ints]:
    remembered: dict[str, Ints] = {}

    def of(word: str) -> Ints:
        known = remembered.get(word)
        if known is None:
            known = np.array([bucket(gram, size) for gram in char_wb(word, *ngrams)], dtype=np.int64)
            if len(remembered) < _REMEMBERED:
                remembered[word] = known
        return known

    return lambda folded: np.concatenate([np.empty(0, dtype=np.int64), *map(of, folded.split())])


def _words(ngrams: tuple[int, int], size: int, single: Mask) -> Callable[[str], Ints]:
    def grams(found: list[str]) -> Iterator[int]:
        for n in range(ngrams[0], ngrams[1] + 1):
            for at in range(len(found) - n + 1):
                place = bucket(" ".join(found[at : at + n]), size)
                single[place] |= n == 1  # a pair's absence is no sign of a foreign text, a word's is
                yield place

    return lambda folded: np.fromiter(grams(tokens(folded)), dtype=np.int64)
