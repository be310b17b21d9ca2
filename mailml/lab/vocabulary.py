"""Texts -> n-gram counts, and which n-grams a model may know: none that could name a customer.

An n-gram is kept when at least two senders and two threads wrote it, so names, addresses, order numbers and
pass phrases of one customer never reach a bundle; whatever holds an `@` or four digits is dropped anyway.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier.ngrams import LIMIT

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
_LEAST = 2  # distinct senders and distinct threads
_DIGITS = 4  # digits in one n-gram


@dataclass(frozen=True, eq=False)
class Counted:
    """One block's counts of every n-gram in every text: `counts` is a sparse matrix (texts, terms).

    `single` marks the terms whose absence is a sign of a foreign text (word pairs are not); `public` those
    that could not name anyone.
    """

    name: str
    analyzer: str
    ngrams: tuple[int, int]
    limit: int
    terms: NDArray[Any]
    counts: Any
    single: Mask
    public: Mask

    def kept(self, rows: Ints, senders: Ints, threads: Ints) -> Ints:
        """The columns a model trained on `rows` may know: wide-spread, public, the most frequent `limit`."""
        part = self.counts[rows]
        spread = (_distinct(part, senders[rows]) >= _LEAST) & (_distinct(part, threads[rows]) >= _LEAST)
        columns = np.flatnonzero(spread & self.public)
        if len(columns) > self.limit:
            total = np.asarray(part.sum(axis=0)).ravel()[columns]
            columns = np.sort(columns[np.argsort(-total, kind="stable")[: self.limit]])
        return columns

    def known(self, rows: Ints, columns: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Per row, how many n-grams `columns` hold and how many there are, as `Model.known` counts them."""
        part = self.counts[rows]
        held = np.asarray(part[:, columns].sum(axis=1), dtype=np.float64).ravel()
        missed = np.setdiff1d(np.flatnonzero(self.single), columns)
        return held, held + np.asarray(part[:, missed].sum(axis=1), dtype=np.float64).ravel()


def count(
    texts: Sequence[str], *, words: tuple[int, int], chars: tuple[int, int], limits: tuple[int, int]
) -> tuple[Counted, ...]:
    """The word block and the character block of many texts."""
    return (
        _count("word", "word", words, limits[0], texts),
        _count("char", "char_wb", chars, limits[1], texts),
    )


def numbers(keys: Sequence[Hashable]) -> Ints:
    """Equal keys as equal numbers; an empty key is nobody's and gets one of its own."""
    seen: dict[Hashable, int] = {}
    return np.array(
        [seen.setdefault(key if key else ("nobody", row), len(seen)) for row, key in enumerate(keys)],
        dtype=np.int64,
    )


def is_public(term: str) -> bool:
    """Whether an n-gram could not be part of an address or a number that names someone."""
    return "@" not in term and "\n" not in term and sum(map(str.isdigit, term)) < _DIGITS


def _count(name: str, analyzer: str, ngrams: tuple[int, int], limit: int, texts: Sequence[str]) -> Counted:
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=analyzer, ngram_range=ngrams, dtype=np.int32)
    try:
        counts = vectorizer.fit_transform([text[:LIMIT] for text in texts])
        terms = vectorizer.get_feature_names_out()
    except ValueError:  # no text holds any n-gram of this kind: an empty block is an honest one
        from scipy.sparse import csr_matrix

        counts, terms = csr_matrix((len(texts), 0), dtype=np.int32), np.array([], dtype=object)
    single = np.array([analyzer != "word" or " " not in term for term in terms], dtype=bool)
    public = np.array([is_public(term) for term in terms], dtype=bool)
    return Counted(name, analyzer, ngrams, limit, terms, counts, single, public)


def _distinct(counts: Any, owners: Ints) -> Ints:
    """By how many different owners each term was written."""
    from scipy.sparse import csr_matrix

    _, number = np.unique(owners, return_inverse=True)
    rows = np.arange(len(number))
    member = csr_matrix((np.ones(len(rows), dtype=np.int32), (number, rows)))
    return np.asarray(((member @ counts) > 0).sum(axis=0)).ravel().astype(np.int64)
