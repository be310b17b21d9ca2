"""Teacher and student, tried beside the plain model and taken only where that is cheaper on unseen mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mailml.lab import examples as rows_of
from mailml.lab.calibration import calibrate
from mailml.lab.examples import Examples
from mailml.lab.fitting import Trained, check_classes, fit, fit_corpus, out_of_fold
from mailml.lab.models import learner_of
from mailml.lab.models.corpus import corpus_of
from mailml.lab.models.student import StudentLearner
from mailml.lab.resampling import Floats, Interval, paired_difference
from mailml.lab.settings import Settings

_LEAST = 50  # messages without a label; fewer teach nothing
# four chances in five that it is cheaper: with few labels, where a teacher is worth most, nothing is ever
# certain, and on three sets at 50 to 300 labels what passed this was cheaper on fresh mail as well
_SURE, _WIDTH = 0.84, 3.92  # standard errors, and how many of them a 95 % interval spans


def taught(examples: Examples, beside: Examples | None, settings: Settings) -> Trained:
    """The student of `settings.teacher` where its decided out-of-fold cost is lower in all likelihood.

    Else the plain model. A note says which, and by how much.
    """
    count = 0 if beside is None else len(beside)
    if beside is None or count < _LEAST:
        note = f"There is too little mail without a label to teach with ({count} messages)."
        return fit(examples.noting(note), settings)
    examples = rows_of.capped(examples, settings.per_sender)
    classes = check_classes(examples.labels, settings.least)
    corpus, student = corpus_of(examples, settings, beside), learner_of(settings)
    plain = fit_corpus(examples, corpus, student)
    teacher = student if settings.teacher == "self" else learner_of(settings, settings.teacher)
    if teacher is student:
        scores = plain.scores
    else:
        scores, _ = out_of_fold(teacher, corpus, plain.folds, plain.truth, classes)
    learner = StudentLearner(student, teacher, calibrate(scores, plain.truth), classes)
    candidate = fit_corpus(examples, corpus, learner)
    saved = cheaper(candidate, plain)
    taken = saved.value > _SURE * (saved.high - saved.low) / _WIDTH
    sentence = (
        f"{learner.name} on {len(beside)} messages without a label saves {saved} a message"
        f"{'' if taken else ': too little to be sure, so it was not taken'}."
    )
    chosen = candidate if taken else plain
    return replace(chosen, examples=chosen.examples.noting(sentence))


def without_label(frame: Any, labels: Any, settings: Settings) -> Examples:
    """Customers' messages of a frame that nobody labelled, a sample of at most `settings.unlabelled`.

    Our own mail is left out, and where the frame says so, whatever no person wrote.
    """
    told = labels.latest() if hasattr(labels, "latest") else dict(labels)
    rest = frame[~frame["sha256"].isin(list(told))].drop_duplicates("sha256")
    if "sent" in rest.columns:
        rest = rest[~rest["sent"].astype(bool)]
    if "kind" in rest.columns:
        rest = rest[rest["kind"].astype(str) == "human"]
    texts = np.array([bool(text.strip()) for text in rows_of.texts_of(rest)], dtype=bool)
    places = np.flatnonzero(texts)
    if len(places) > settings.unlabelled:
        chosen = np.random.default_rng(settings.seed).choice(places, settings.unlabelled, replace=False)
        places = np.sort(chosen)
    rest = rest.iloc[places]
    if not len(rest):
        return rows_of.from_lists([], [])
    return rows_of.from_frame(rest, dict.fromkeys(rest["sha256"], ""))


def cheaper(candidate: Trained, plain: Trained) -> Interval:
    """What a candidate's decided answers save per message out-of-fold, both by their own probabilities."""
    return paired_difference(costs(plain), costs(candidate), plain.groups)


def costs(trained: Trained) -> Floats:
    """The decided out-of-fold cost of every labelled message."""
    policy = replace(trained.policy, withheld="")
    said = policy.taken(np.round(trained.probabilities, 6), trained.known)
    said[trained.known < trained.model.min_known] = policy.actions.index(policy.fallback)
    return np.asarray(policy.matrix()[trained.truth, said], dtype=np.float64)
