"""How cautious a classifier must be with mail of a new kind, learned from topics that were held out.

A third of mail is taken to be new (`novelty`). Where the decided cost on held-out topics is not below that of
one queue for all, more of it is, up to nearly all; where even that does not help, the model is withheld.
With few labels a margin is asked for: half a standard error at 100, a whole one at 50.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mailml.classifier import Policy
from mailml.classifier.caution import Caution
from mailml.lab.calibration import Calibration, temper
from mailml.lab.resampling import Floats, Ints

TRUST = 0.3  # of the flattened probabilities for new mail; the rest is the classes' frequencies
_STEPS = (0.4, 0.5, 0.6, 0.67, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
_MARGIN = 50.0  # standard errors, over the number of labels


def cautious(
    plain: Policy,
    calibration: Calibration,
    seen: tuple[Floats, Floats],
    strange: tuple[Floats, Floats],
    truth: Ints,
    groups: Ints,
    novelty: float,
) -> tuple[Policy, bool]:
    """The policy with the least caution that makes held-out topics cheaper than one queue, and whether any
    does. `seen` and `strange` are scores (n, classes) and known shares (n,) of held-out groups and topics.
    """
    if not novelty:
        return plain, True
    caution = _fitted(calibration, seen, strange, truth)
    probabilities, known = np.round(calibration.proba(strange[0]), 6), strange[1]
    matrix, fallback = plain.matrix(), plain.actions.index(plain.fallback)
    margin, nothing = _MARGIN / len(truth), matrix[truth, fallback]
    for share in (novelty, *(step for step in _STEPS if step > novelty)):
        policy = replace(plain, caution=caution.warier(float(np.log(share / (1 - share)))))
        saved = nothing - matrix[truth, policy.taken(probabilities, known)]
        if _low(saved, groups, margin) >= 0:
            return policy, True
    return replace(plain, caution=caution.warier(float(np.log(novelty / (1 - novelty))))), False


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


def _low(values: Floats, groups: Ints, margin: float) -> float:
    """The mean less `margin` standard errors, groups taken as one observation each."""
    number = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(number)
    mean = float(np.mean(values))
    rest = np.bincount(number, weights=values) - mean * sizes
    return mean - margin * float(np.sqrt((rest**2).sum())) / len(values)
