"""`lab.train`: a frame and labels, or plain lists, become a trained model with its evidence.

How it is fitted and judged is in `fitting`, what a teacher adds in `teaching`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mailml.lab import examples as rows_of
from mailml.lab.fitting import Enough, Trained, check_classes, fit, fit_corpus, out_of_fold
from mailml.lab.models.corpus import owners_of
from mailml.lab.settings import Settings
from mailml.lab.teaching import taught, without_label

__all__ = ["Enough", "Settings", "Trained", "check_classes", "fit", "fit_corpus", "out_of_fold", "owners_of",
           "train"]  # fmt: skip


def train(
    messages: Any,
    labels: Any,
    *,
    threads: Sequence[Any] | None = None,
    senders: Sequence[str] | None = None,
    times: Sequence[datetime | None] | None = None,
    unlabelled: Sequence[str] | None = None,
    until: datetime | None = None,
    settings: Settings | None = None,
    **changes: Any,
) -> Trained:
    """Train on a frame and labels, or on plain lists of texts and labels.

    `messages` is a frame of `lab.frame` with `labels` a label store (or message hash -> label); or a list of
    texts with one label each, and threads, senders and times where known. Mail that came at `until` (aware)
    or later is held out, so that a back-test has mail to judge that the model never saw. Settings may be
    given as keywords (`model="hashing"`, `C=1.0`). With `teacher=` the mail without labels is used as well:
    the frame's, or the texts in `unlabelled`; it is kept out where it does not lower the grouped out-of-fold
    cost. Raises NotEnoughData, naming the class, where an honest figure is impossible: no labels, one class,
    a class of fewer than `least` messages or of one group.
    """
    settings = replace(settings or Settings(), **changes)
    beside = None
    if hasattr(messages, "columns"):
        examples = rows_of.from_frame(messages, labels)
        if settings.teacher:
            beside = without_label(messages, labels, settings)
    else:
        examples = rows_of.from_lists(messages, labels, threads=threads, senders=senders, times=times)
        if settings.teacher and unlabelled:
            beside = rows_of.from_lists(list(unlabelled), [""] * len(unlabelled))
    if until is not None:
        examples, beside = rows_of.before(examples, until), beside and rows_of.before(beside, until)
    return taught(examples, beside, settings) if settings.teacher else fit(examples, settings)
