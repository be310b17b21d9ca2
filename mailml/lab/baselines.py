"""What a model must beat: everything to one queue, a keyword list, and itself on shuffled labels.

A classifier that decides by argmax can be dearer than none at all; and a set whose labels mean nothing still
gives some accuracy. So these lines stand in every comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mailml.classifier import ngrams
from mailml.errors import InputError
from mailml.lab.calibration import calibrate
from mailml.lab.resampling import Floats
from mailml.lab.vocabulary import Counted, Ints

if TYPE_CHECKING:
    from mailml.lab.fitting import Trained

_KEYWORDS = 10  # words a patient person would list per category


def keywords(trained: Trained) -> Ints:
    """The action a keyword list takes for every example, out-of-fold: (n,).

    Per class the ten words that most set it apart in training; the class with most of them in the text wins,
    none at all is the fallback.
    """
    block, truth, policy = trained.blocks[0], trained.truth, trained.policy
    fallback = policy.actions.index(policy.fallback)
    taken = np.full(len(truth), fallback, dtype=np.int64)
    for fold in trained.folds:
        hits = _hits(block, fold.train, fold.test, truth[fold.train], len(trained.classes))
        best = hits.argmax(axis=1)
        sure = hits[np.arange(len(best)), best] > 0
        taken[fold.test[sure]] = best[sure]
    return taken


def shuffled(trained: Trained, seed: int = 11) -> Floats:
    """Calibrated out-of-fold probabilities of the same model trained on shuffled labels: (n, classes).

    What is left of its accuracy owes nothing to the texts: a model that is no better has learned nothing.
    """
    from mailml.lab.fitting import out_of_fold

    truth = np.random.default_rng(seed).permutation(trained.truth)
    scores, _ = out_of_fold(trained.learner, trained.corpus, trained.folds, truth, trained.classes)
    return calibrate(scores, truth).proba(scores)


def _hits(block: Counted, train: Ints, test: Ints, truth: Ints, classes: int) -> Floats:
    columns = np.flatnonzero(block.single & block.public)
    present = block.counts[train][:, columns] > 0
    hits = np.zeros((len(test), classes))
    seen = block.counts[test][:, columns] > 0
    for k in range(classes):
        inside = truth == k
        hits[:, k] = np.asarray(seen[:, _telling(present, inside)].sum(axis=1)).ravel()
    return hits


def _telling(present: object, inside: Sequence[bool] | np.ndarray) -> Ints:
    """The columns with the highest smoothed log odds, weighted by how many messages they would catch."""
    rows = np.asarray(inside)
    own = np.asarray(present[rows].sum(axis=0)).ravel()  # type: ignore[index]
    other = np.asarray(present[~rows].sum(axis=0)).ravel()  # type: ignore[index]
    odds = np.log((own + 1) / (rows.sum() + 2)) - np.log((other + 1) / ((~rows).sum() + 2))
    return np.argsort(-odds * np.sqrt(own), kind="stable")[:_KEYWORDS]


def by_rules(trained: Trained, rules: Mapping[str, Sequence[str]]) -> Ints:
    """The action of plain rules for every example: the first category one of whose words is in the text.

    What a table of `text contains` rules would do: no word at all is the fallback. Raises InputError for a
    category that is no action of the policy.
    """
    policy, folded = trained.policy, [ngrams.fold(text) for text in trained.examples.texts]
    unknown = [name for name in rules if name not in policy.actions]
    if unknown:
        raise InputError(f"rules for {', '.join(unknown)}", cure=f"There are {', '.join(policy.actions)}")
    taken = np.full(len(folded), policy.actions.index(policy.fallback), dtype=np.int64)
    for name, words in reversed(list(rules.items())):
        hit = [any(ngrams.fold(word) in text for word in words) for text in folded]
        taken[np.array(hit, dtype=bool)] = policy.actions.index(name)
    return taken
