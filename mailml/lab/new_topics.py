"""What customers write about that the classifier does not know: clusters of the mail it abstains on."""

from __future__ import annotations

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
_WORD = r"(?u)\b[^\W\d_]{3,}\b"
_READ = 4_000  # characters of a text
_LIFT = 3.0  # how much more often its words come than they did in the training time
_COMPARED = 2_000  # texts of then: enough to know what was written about


@dataclass(frozen=True, slots=True)
class Topic:
    """Messages of one matter: how many, their share of recent mail, its words, and examples to read.

    `lift` is how much more often the words come now than then; `examples` are pairs (SHA-256, subject).
    """

    messages: int
    share: float
    words: tuple[str, ...]
    lift: float
    examples: tuple[tuple[str, str], ...]


def new_topics(
    texts: Mapping[str, str], unsure: Sequence[str], then: Sequence[str], recent: int, rows: pd.DataFrame
) -> tuple[Topic, ...]:
    """Topics among the messages `unsure` whose words are new against those of `then`, the largest first.

    `recent` is how much mail there was altogether. A message that agrees with no other is in no topic.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = [sha for sha in unsure if texts.get(sha, "").strip()]
    if len(found) < LEAST:
        return ()
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, min_df=3, max_df=0.5, max_features=4_000, ngram_range=(1, 2),
        token_pattern=_WORD,
    )  # fmt: skip
    try:
        matrix = vectorizer.fit_transform([texts[sha][:_READ] for sha in found])
    except ValueError:
        return ()  # no two of them share a word
    vectors = np.asarray(matrix.toarray(), dtype=np.float64)
    count = max(1, min(_MOST_TOPICS, len(found) // _PER_TOPIC))
    member = clusters(vectors, count, seed=7)
    past = _past(vectorizer, texts, then)
    subjects = dict(zip(rows["sha256"], rows["subject"], strict=True))
    senders = dict(zip(rows["sha256"], rows["from_addr"], strict=True))
    made = [
        _topic(np.flatnonzero(member == number), vectors, vectorizer, past, found, subjects, recent)
        for number in range(count)
        if len({senders.get(found[int(at)]) for at in np.flatnonzero(member == number)}) >= SENDERS
    ]
    good = [topic for topic in made if topic.messages >= LEAST and topic.lift >= _LIFT]
    return tuple(sorted(good, key=lambda topic: (-topic.messages, topic.words)))


def _past(vectorizer: Any, texts: Mapping[str, str], then: Sequence[str]) -> Any:
    """How often each word came in the training time: the share of messages that hold it."""
    read = [texts[sha][:_READ] for sha in then if texts.get(sha)]
    if len(read) > _COMPARED:
        read = [read[int(at)] for at in np.linspace(0, len(read) - 1, _COMPARED)]
    if not read:
        return np.zeros(len(vectorizer.get_feature_names_out()))
    return np.asarray((vectorizer.transform(read) > 0).mean(axis=0)).ravel()


def _topic(
    inside: Any,
    vectors: Any,
    vectorizer: Any,
    past: Any,
    found: Sequence[str],
    subjects: Mapping[str, str],
    recent: int,
) -> Topic:
    words = vectorizer.get_feature_names_out()
    held = (vectors[inside] > 0).mean(axis=0) if len(inside) else np.zeros(len(words))
    telling = np.argsort(-held * np.log((held + 0.02) / (past + 0.02)), kind="stable")
    best = [int(at) for at in telling[:_WORDS] if held[at] > 0.15]
    lift = float(np.median((held[best] + 0.01) / (past[best] + 0.01))) if best else 0.0
    # the examples are those nearest to the middle: the most like the others
    centre = vectors[inside].mean(axis=0) if len(inside) else vectors[:0].sum(axis=0)
    nearest = inside[np.argsort(-(vectors[inside] @ centre), kind="stable")][:_EXAMPLES]
    agree = int((vectors[inside] @ centre > 0.05).sum())
    examples = tuple((found[int(at)], subjects.get(found[int(at)], "")) for at in nearest)
    return Topic(agree, agree / max(recent, 1), tuple(str(words[at]) for at in best), lift, examples)
