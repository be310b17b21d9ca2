"""What customers write about that the classifier does not know: clusters of the mail it abstains on.

A cluster is new when mail like it is a much larger share of the recent mail than it was of the training time:
mail in a rare language, or of a kind that was always unclear, is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.lab.topics import clusters

if TYPE_CHECKING:
    import pandas as pd

LEAST = 8  # messages of a topic
SENDERS = 3  # what one or two people write about is theirs, and its words may name them
_PER_TOPIC, _MOST_TOPICS, _WORDS, _EXAMPLES = 12, 12, 8, 3
_READ = 4_000  # characters of a text
_TIMES = 3.0  # how much larger its share must be than it was
_LEVEL = 0.01
_COMPARED = 2_000  # texts of a side that are looked at; of more, an even sample is
_WORD = r"(?u)\b[^\W\d_]{3,}\b"
_ADDRESS = re.compile(r"\S{1,200}@\S{1,200}|https?://\S{1,500}|<[^<>]{0,300}>")


@dataclass(frozen=True, slots=True)
class Topic:
    """Messages of one matter: how many, their share of recent mail, its words, and examples to read.

    `before` is the share of mail like it in the training time; `examples` are pairs (SHA-256, subject).
    """

    messages: int
    share: float
    before: float
    words: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]


def new_topics(
    texts: Mapping[str, str], unsure: Sequence[str], then: Sequence[str], now: pd.DataFrame
) -> tuple[Topic, ...]:
    """Topics among the messages `unsure` of the recent mail `now` that are new against `then`; largest first.

    `now` has sha256, subject and from_addr. Addresses, links and words of fewer than three senders are no
    words of a topic.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    recent = _even([sha for sha in now["sha256"] if texts.get(sha, "").strip()])
    past = _even([sha for sha in then if texts.get(sha, "").strip()])
    asked = set(unsure)
    places = [at for at, sha in enumerate(recent) if sha in asked]
    if len(places) < LEAST:
        return ()
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, min_df=3, max_df=0.5, max_features=8_000, token_pattern=_WORD
    )
    try:
        matrix = vectorizer.fit_transform([_read(texts[sha]) for sha in (*recent, *past)])
    except ValueError:
        return ()  # no three of them share a word
    found = _Found(matrix[: len(recent)], matrix[len(recent) :], recent, now, vectorizer)
    vectors = np.asarray(matrix[places].toarray(), dtype=np.float64)
    count = max(1, min(_MOST_TOPICS, len(places) // _PER_TOPIC))
    member = clusters(vectors, count, seed=7)
    made = [found.topic(np.asarray(places)[member == n], vectors[member == n], count) for n in range(count)]
    return tuple(sorted((one for one in made if one), key=lambda one: (-one.messages, one.words)))


class _Found:
    """Recent and past mail as vectors, and whose the recent mail is."""

    def __init__(
        self, recent: Any, past: Any, shas: Sequence[str], now: pd.DataFrame, vectorizer: Any
    ) -> None:
        senders = dict(zip(now["sha256"], now["from_addr"], strict=True))
        self._subjects = dict(zip(now["sha256"], now["subject"], strict=True))
        self._recent, self._past, self._shas = recent, past, shas
        self._senders = np.array([str(senders[sha]) for sha in shas], dtype=object)
        self._words = vectorizer.get_feature_names_out()

    def topic(self, inside: Any, vectors: Any, looks: int) -> Topic | None:
        """The topic around some unsure messages; None when it is too small, too few people's, or not new."""
        if len(inside) < LEAST or len(set(self._senders[inside])) < SENDERS:
            return None
        centre = vectors.mean(axis=0)
        alike = vectors @ centre
        near = float(np.quantile(alike, 0.25))  # as near as three quarters of them: that is mail like it
        now_hits = int((np.asarray(self._recent @ centre).ravel() >= near).sum())
        then_hits = int((np.asarray(self._past @ centre).ravel() >= near).sum())
        now_of, then_of = self._recent.shape[0], max(self._past.shape[0], 1)
        if near <= 0 or not _larger(now_hits, now_of, then_hits, then_of, looks):
            return None
        words = self._telling(inside, vectors)
        if not words:
            return None
        order = inside[np.argsort(-alike, kind="stable")][:_EXAMPLES]
        examples = tuple((self._shas[int(at)], str(self._subjects[self._shas[int(at)]])) for at in order)
        return Topic(now_hits, now_hits / now_of, then_hits / then_of, words, examples)

    def _telling(self, inside: Any, vectors: Any) -> tuple[str, ...]:
        """The words that stand in these messages more than in those of the training time."""
        held = (vectors > 0).mean(axis=0)
        past = np.asarray((self._past > 0).mean(axis=0)).ravel() if self._past.shape[0] else 0 * held
        order = np.argsort(-held * np.log((held + 0.02) / (past + 0.02)), kind="stable")
        senders = self._senders[inside]
        wide = (
            at
            for at in order[: 4 * _WORDS]
            if held[at] > 0.2 and len(set(senders[vectors[:, at] > 0])) >= SENDERS
        )
        return tuple(str(self._words[at]) for _, at in zip(range(_WORDS), wide, strict=False))


def _larger(now_hits: int, now_of: int, then_hits: int, then_of: int, looks: int) -> bool:
    """Whether the share now is larger than it was, by much and not by chance, for so many looks."""
    from scipy.stats import fisher_exact

    if now_hits / now_of < _TIMES * then_hits / then_of:
        return False
    table = [[now_hits, now_of - now_hits], [then_hits, then_of - then_hits]]
    return float(fisher_exact(table, alternative="greater").pvalue) * looks < _LEVEL


def _even(shas: Sequence[str]) -> list[str]:
    if len(shas) <= _COMPARED:
        return list(shas)
    return [shas[int(at)] for at in np.linspace(0, len(shas) - 1, _COMPARED)]


def _read(text: str) -> str:
    return _ADDRESS.sub(" ", text[:_READ])
