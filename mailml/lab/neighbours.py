"""The labelled messages most like a text: what the classifier learned its answer from, for people to read.

This is the lab's: it holds customers' mail, and no bundle does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mailml.classifier.ngrams import LIMIT
from mailml.errors import NotEnoughData
from mailml.lab.examples import Examples

_TERMS = 50_000
_FEW = 50  # messages; among fewer a word that half of them hold still tells something


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled message: its hash, label, likeness (cosine, 0 to 1) and text."""

    message: str
    label: str
    likeness: float
    text: str


class Neighbours:
    """Labelled messages to look in; building it reads them all once (a second for three thousand)."""

    def __init__(self, examples: Examples) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        if not len(examples):
            raise NotEnoughData("there are no labelled messages to compare with", cure="Label some first")
        self.examples = examples
        self._vectorizer: Any = TfidfVectorizer(
            ngram_range=(1, 2),
            sublinear_tf=True,
            min_df=1,
            max_df=0.5 if len(examples) > _FEW else 1.0,
            max_features=_TERMS,
            dtype=np.float32,
        )
        texts = [text[:LIMIT] for text in examples.texts]
        try:
            self._rows: Any = self._vectorizer.fit_transform(texts)
        except ValueError:  # no word but what half of all mail holds: nothing can be told apart by words
            self._vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), dtype=np.float32)
            self._rows = self._vectorizer.fit_transform([text or " " for text in texts])

    def of(self, text: str, n: int = 5, *, leaving_out: Sequence[str] = ()) -> tuple[Neighbour, ...]:
        """The `n` messages most like a text, the most alike first; none that shares nothing with it.

        `leaving_out` are hashes: the message itself, when it is labelled.
        """
        query = self._vectorizer.transform([text[:LIMIT]])
        likeness = np.asarray((self._rows @ query.T).todense()).ravel()
        out, found = set(leaving_out), list[Neighbour]()
        for row in np.argsort(-likeness, kind="stable"):
            message = self.examples.messages[row]
            if likeness[row] <= 0 or len(found) == n:
                break
            if message not in out and self.examples.texts[row] != text:
                share = round(min(1.0, float(likeness[row])), 4)
                found.append(Neighbour(message, self.examples.labels[row], share, self.examples.texts[row]))
        return tuple(found)
