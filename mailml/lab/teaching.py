"""Teacher and student, tried beside the plain model and taken only where that is cheaper on unseen mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mailml.lab import examples as rows_of
from mailml.lab.calibration import calibrate
from mailml.lab.evaluation import decided
from mailml.lab.examples import Examples
from mailml.lab.fitting import Trained, check_classes, fit, fit_corpus, out_of_fold
from mailml.lab.models import learner_of
from mailml.lab.models.corpus import corpus_of
from mailml.lab.models.student import StudentLearner
from mailml.lab.resampling import Floats, Interval, paired_difference
from mailml.lab.settings import Settings

_LEAST = 50  # messages without a label; fewer teach nothing
# four chances in five that it is cheaper: with few labels, where a teacher is worth most, nothing is certain
_SURE = 0.84  # standard errors


def taught(examples: Examples, beside: Examples | None, settings: Settings) -> Trained:
    """The student of `settings.teacher` where its decided out-of-fold cost is lower in all likelihood.

    Else the plain model, and also where it would cost more on held-out topics: a student that repeats what
    its teacher believes knows the archive's topics better, and is surer of what is in none of them. A note
    says which it was, and by how much.
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
    objection = against(saved, candidate, plain)
    sentence = (
        f"{learner.name} on {len(beside)} messages without a label saves {saved} a message"
        f"{f': {objection}, so it was not taken' if objection else ''}."
    )
    chosen = plain if objection else candidate
    return replace(chosen, examples=chosen.examples.noting(sentence))


def against(saved: Interval, candidate: Trained, plain: Trained) -> str:
    """What speaks against a candidate; "" where nothing does."""
    if not saved.above_nothing(_SURE):
        return "too little to be sure"
    before, after = costs_by_topic(plain), costs_by_topic(candidate)
    more = float(np.mean(after - before)) if before is not None and after is not None else 0.0
    return f"on topics that were held out it costs {more:.3f} more" if more > 1e-9 else ""


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
    return _paid(trained, trained.probabilities, trained.known)


def costs_by_topic(trained: Trained) -> Floats | None:
    """The same where nothing of a message's topic was seen in training; None where there are no topics."""
    if trained.strange is None:
        return None
    scores, known = trained.strange
    return _paid(trained, trained.calibration.proba(scores), known)


def _paid(trained: Trained, probabilities: Floats, known: Floats) -> Floats:
    policy = replace(trained.policy, withheld="")
    said = decided(policy, probabilities, known, trained.model.min_known)
    return np.asarray(policy.matrix()[trained.truth, said], dtype=np.float64)
