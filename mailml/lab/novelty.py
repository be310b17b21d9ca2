"""How cautious a classifier must be with mail of a new kind, learned from topics that were held out.

A third of mail is taken to be new (`novelty`). Less is where that would make known topics dearer than by the
likeliest class; more is, up to nearly all, where held-out topics would cost more than one queue for all, and
where even that does not help, the model is withheld. Both are judged on mail no model had seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mailml.classifier import Policy
from mailml.classifier.caution import Caution
from mailml.lab.calibration import Calibration, temper
from mailml.lab.resampling import Floats, Ints

TRUST = 0.3  # of the flattened probabilities for new mail; the rest is the classes' frequencies
_SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.4, 0.5, 0.6, 0.67, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
_EQUAL = 1e-9  # costs that differ by less are the same


def cautious(
    plain: Policy,
    calibration: Calibration,
    seen: tuple[Floats, Floats],
    strange: tuple[Floats, Floats],
    truth: Ints,
    novelty: float,
) -> tuple[Policy, bool]:
    """The policy with its caution, and whether held-out topics bear it out: cheaper than one queue for all.

    `seen` and `strange` are scores (n, classes) and known shares (n,) of held-out groups and topics.
    Thresholds, which come on top, are no part of the comparison.
    """
    if not novelty:
        return plain, True
    caution, matrix = _fitted(calibration, seen, strange, truth), plain.matrix()
    groups, topics = [(np.round(calibration.proba(scores), 6), known) for scores, known in (seen, strange)]
    likeliest = matrix[truth, groups[0].argmax(axis=1)].mean()
    one_queue = matrix[truth, plain.actions.index(plain.fallback)].mean()

    def taking(share: float) -> Policy:
        return replace(plain, caution=caution.warier(float(np.log(share / (1 - share)))))

    def costs(share: float, probabilities: Floats, known: Floats) -> float:
        said = replace(taking(share), thresholds={}).taken(probabilities, known)
        return float(matrix[truth, said].mean()) - _EQUAL

    shares = sorted({novelty, *_SHARES})
    low = [share for share in shares if share <= novelty]
    least = next((share for share in reversed(low) if costs(share, *groups) <= likeliest), low[0])
    for share in (share for share in shares if share >= least):
        if costs(share, *topics) <= one_queue:
            return taking(share), True
    return taking(novelty), False


def _fitted(
    calibration: Calibration, seen: tuple[Floats, Floats], strange: tuple[Floats, Floats], truth: Ints
) -> Caution:
    """The odds of new mail by its unknown n-grams, and how far its probabilities must be flattened."""
    from sklearn.linear_model import LogisticRegression

    unknown = np.log(np.maximum(1.0 - np.concatenate([seen[1], strange[1]]), 0.003))
    centre, width = float(np.mean(unknown)), float(np.std(unknown)) or 1.0
    is_new = np.repeat([0, 1], len(truth))
    odds = LogisticRegression(C=1.0).fit((unknown[:, None] - centre) / width, is_new)
    slope = float(odds.coef_[0, 0]) / width
    hot = temper(calibration, strange[0], truth, np.ones(len(truth))).temperature
    base = np.bincount(truth, minlength=strange[0].shape[1]) / len(truth)
    return Caution(
        offset=round(float(odds.intercept_[0]) - slope * centre, 6),
        slope=round(slope, 6),
        power=round(min(calibration.temperature / hot, 10.0), 6),
        trust=TRUST,
        base=tuple(round(float(share), 6) for share in base),
    )
