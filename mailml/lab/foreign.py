"""How many of its words a model must know to answer: what sets its own languages apart from all others.

Pieces of words do not: "faktura" and "factuur" share theirs with half of Europe. A model of five languages
knew 45 to 60% of the n-grams of Danish, Swedish and Italian mail, which it had never been shown; of their
whole words it knew 9 to 43%, and of its own languages' 40% and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mailml.classifier import Model
from mailml.classifier.model import FEWEST_WORDS
from mailml.lab.models.corpus import Corpus
from mailml.lab.split import Split

_SHARE = 0.6  # of what nearly all held-out mail of its own languages reaches
_MOST = 0.4
_LEAST_TEXTS = 20


def with_least_words(model: Model, corpus: Corpus, folds: Sequence[Split]) -> Model:
    """The model with the share of known words below which a text is in another language."""
    return replace(model, min_words=least_words(corpus, folds)).named()


def least_words(corpus: Corpus, folds: Sequence[Split]) -> float:
    """Three fifths of the share of words that 95% of held-out texts reach, two fifths at most.

    Shares are those of a model that saw nothing of the text's group. 0 where too few texts are long enough.
    """
    block, shares = corpus.blocks[0], list[float]()
    for fold in folds:
        columns = block.kept(fold.train, *corpus.owners)
        held, total = block.known(fold.test, columns)
        long = total >= FEWEST_WORDS
        shares += (held[long] / total[long]).tolist()
    if len(shares) < _LEAST_TEXTS:
        return 0.0
    return round(min(_MOST, _SHARE * float(np.quantile(shares, 0.05))), 4)
