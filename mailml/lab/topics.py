"""Folds of whole topics: how sure a model may be of mail about something it was never shown.

Customers find new things to write about. Held-out groups of known topics flatter the confidence there: on
intents that training never saw, one that was calibrated on them alone costs up to half as much again. So the
temperature is fitted half on folds of whole topics, found by clustering the training texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mailml.errors import NotEnoughData
from mailml.lab import split
from mailml.lab.resampling import Floats
from mailml.lab.vocabulary import Counted, Ints

_LEAST = 40  # texts; fewer have no topics
_PER_TOPIC, _FEWEST, _MOST = 25, 6, 20  # coarse on purpose: half a topic held out teaches nothing
_ROUNDS = 30
_DIMENSIONS = 50


def folds(
    blocks: Sequence[Counted],
    owners: tuple[Ints, Ints],
    labels: Sequence[str],
    groups: Ints,
    folds: int,
    seed: int,
) -> tuple[list[split.Split], Ints]:
    """Folds of whole topics, each made of whole groups, and the topic of every row.

    Rows behind the labelled ones have a topic too. No folds where texts are too few or all of a kind.
    """
    count, n = len(groups), len(labels)
    if n < _LEAST:
        return [], np.zeros(count, dtype=np.int64)
    topic_of = clusters(_vectors(blocks, owners, seed), max(_FEWEST, min(_MOST, n // _PER_TOPIC)), seed)
    # a group lies in the topic of most of its messages, so that it is never on both sides
    _, number = np.unique(groups, return_inverse=True)
    votes = np.zeros((int(np.max(number)) + 1, int(np.max(topic_of)) + 1))
    np.add.at(votes, (number, topic_of), 1)
    topic = np.asarray(votes.argmax(axis=1)[number], dtype=np.int64)
    try:
        return split.grouped(labels, topic[:n], folds, seed), topic
    except NotEnoughData:
        return [], topic


def clusters(vectors: Floats, k: int, seed: int) -> Ints:
    """Spherical k-means on rows of length one: the cluster of each row.

    Ours, because it gives the same answer on any number of threads (Dhillon and Modha, 2001).
    """
    centres = _spread(vectors, k, np.random.default_rng(seed))
    member = np.full(len(vectors), -1, dtype=np.int64)
    for _ in range(_ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1).astype(np.int64)
        if np.array_equal(nearest, member):
            break
        member = nearest
        sums = np.zeros_like(centres)
        np.add.at(sums, member, vectors)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(length > 0, sums / np.maximum(length, 1e-12), centres)
    return member


def _spread(vectors: Floats, k: int, rng: np.random.Generator) -> Floats:
    """First centres far from each other (k-means++, Arthur and Vassilvitskii, 2007)."""
    chosen = [int(rng.integers(len(vectors)))]
    far = np.full(len(vectors), np.inf)
    while len(chosen) < min(k, len(vectors)):
        far = np.minimum(far, 1 - vectors @ vectors[chosen[-1]])
        weight = np.clip(far, 0, None)
        if weight.sum() <= 1e-9:
            break
        chosen.append(int(rng.choice(len(vectors), p=weight / weight.sum())))
    return vectors[chosen].copy()


def _vectors(blocks: Sequence[Counted], owners: tuple[Ints, Ints], seed: int) -> Floats:
    """Latent semantic vectors of length one over the n-grams a model may know: (texts, at most 50)."""
    from scipy.sparse import hstack
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer
    from threadpoolctl import threadpool_limits

    rows = np.arange(blocks[0].counts.shape[0])
    parts = [block.counts[:, block.kept(rows, *owners)] for block in blocks]
    parts = [TfidfTransformer(sublinear_tf=True).fit_transform(part) for part in parts if part.shape[1]]
    if not parts or sum(part.shape[1] for part in parts) <= _DIMENSIONS:
        return np.zeros((len(rows), 1))
    dimensions = min(_DIMENSIONS, len(rows) // 3)
    with threadpool_limits(1):  # the same vectors on any number of cores
        found = TruncatedSVD(dimensions, random_state=seed).fit_transform(hstack(parts, format="csr"))
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(length, 1e-9), dtype=np.float64)
