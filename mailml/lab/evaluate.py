"""How good a classifier is, on messages it never saw: `evaluate` says all there is to say in one object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.classifier import Model
from mailml.errors import InputError, NotEnoughData
from mailml.lab import baselines, card, split
from mailml.lab import examples as rows_of
from mailml.lab.evaluation import ARGMAX, DECIDED, Evaluation, Line, decided
from mailml.lab.examples import Examples
from mailml.lab.leakage import leakage
from mailml.lab.resampling import Floats, Ints
from mailml.lab.train import Trained, out_of_fold
from mailml.lab.unseen import LEAST, training_span

if TYPE_CHECKING:
    from mailml.bundle import Bundle

GROUPED, TIME, RANDOM = "grouped", "time", "random"
SPLITS = (GROUPED, TIME, RANDOM)

__all__ = ["ARGMAX", "DECIDED", "Line", "Report", "decided", "evaluate"]


@dataclass(frozen=True, eq=False)
class Report(Evaluation):
    """An evaluation that shows itself: in a notebook it is the evaluation card, as JSON it is card.json."""

    def to_dict(self) -> dict[str, Any]:
        """All figures as JSON values, for card.json."""
        return card.figures(self)

    def _repr_html_(self) -> str:
        return card.page(self)._repr_html_()


def evaluate(
    model: Trained | Model | Bundle,
    frame: Any = None,
    labels: Any = None,
    *,
    by: str = GROUPED,
    control: bool = True,
) -> Report:
    """Evaluate a trained model on its own out-of-fold predictions, or anything on a frame and labels.

    `by` is "grouped" (the folds it was trained with), "time" (trained on the past, tested on what began
    later) or "random", which flatters and says so; the last two train anew. With a frame, messages that a
    `Trained` was trained on are judged by their out-of-fold prediction, and mail of the time that a bundle
    was trained on is left out. With `control` the keyword list and the shuffled-label control are computed
    too (as long as training took). Raises NotEnoughData when no labelled message is left to judge.
    """
    if by not in SPLITS:
        raise InputError(f"there is no split {by!r}", cure=f"Choose one of {', '.join(SPLITS)}")
    if frame is None:
        if not isinstance(model, Trained):
            raise InputError("a bundle can only be judged on messages", cure="Pass a frame and labels")
        return _own(model, control=control) if by == GROUPED else _anew(model, by)
    if by != GROUPED:
        cure = "Leave out the frame to judge a trained model by time or at random"
        raise InputError(f"messages of a frame are not split {by!r}", cure=cure)
    served = model.model if hasattr(model, "model") else model
    if served is None:
        raise InputError("this bundle has no classifier", cure="Export one with a trained model")
    examples = _unseen(model, _judged(rows_of.from_frame(frame, labels), served.classes))
    probabilities = served.probas(examples.texts)
    known = np.array([served.known(text) for text in examples.texts])
    how = f"{len(examples):,} labelled messages of a frame; whether any was trained on is not known"
    if isinstance(model, Trained):
        seen = _use_own(model, examples, probabilities, known)
        how = f"{len(examples):,} labelled messages of a frame, {seen:,} of them by out-of-fold prediction"
    elif hasattr(model, "manifest"):
        how = f"{len(examples):,} labelled messages of a frame"
    groups = split.groups_of(examples.texts, examples.threads, examples.senders)
    policy = replace(served.policy, withheld="")
    return Report(
        examples, served.classes, probabilities, known, served.min_known, policy, groups, how, served.id,
        notes=examples.notes,
    )  # fmt: skip


def _own(trained: Trained, *, control: bool) -> Report:
    policy = replace(trained.policy, withheld="")
    others: list[tuple[str, Ints]] = []
    if control:
        others.append(("keyword list", baselines.keywords(trained)))
        chance = baselines.shuffled(trained)
        others.append(("shuffled labels (control)", decided(policy, chance, trained.known, 0.0)))
    how = f"{len(trained.examples):,} messages, each predicted by a model that saw nothing of its group: "
    return Report(
        examples=trained.examples,
        classes=trained.classes,
        probabilities=trained.probabilities,
        known=trained.known,
        min_known=trained.model.min_known,
        policy=policy,
        groups=trained.groups,
        how=how + trained.folds[0].how,
        model=trained.model.id,
        enough=trained.enough,
        parameters=trained.parameters,
        others=tuple(others),
        notes=trained.examples.notes,
        leakage=leakage(trained.folds, trained.examples),
    )


def _anew(trained: Trained, by: str) -> Report:
    """The figures of the same kind of model under another split, trained again for it."""
    examples = trained.examples
    if by == TIME:
        made = split.by_time(examples.times, trained.groups)
        missing = sorted(set(trained.truth[made.test].tolist()) - set(trained.truth[made.train].tolist()))
        if missing:
            names = ", ".join(trained.classes[k] for k in missing)
            raise NotEnoughData(
                f"before the cut nothing is labelled {names}", cure="Label older mail of it too"
            )
    else:
        made = split.random(examples.labels)
    scores, known = out_of_fold(trained.learner, trained.corpus, [made], trained.truth, trained.classes)
    notes = [f"{len(made.left_out):,} late messages of older threads are on neither side."]
    return Report(
        examples=examples.rows(made.test),
        classes=trained.classes,
        probabilities=trained.calibration.proba(scores[made.test]),
        known=known[made.test],
        min_known=trained.model.min_known,
        policy=replace(trained.policy, withheld=""),
        groups=trained.groups[made.test],
        how=f"{len(made.test):,} of {len(examples):,} messages, split {made.how}",
        model=trained.model.id,
        parameters=trained.parameters,
        notes=(*examples.notes, *(notes if len(made.left_out) else ())),
        leakage=leakage(made, examples),
    )


def _unseen(model: Any, examples: Examples) -> Examples:
    """The rows a bundle may be judged on: not those of the time its classifier was trained on."""
    span = training_span(model) if hasattr(model, "manifest") else None
    if span is None:
        return examples
    fresh = [i for i, at in enumerate(examples.times) if at is not None and not span[0] <= at <= span[1]]
    if len(fresh) == len(examples):
        return examples
    if len(fresh) >= LEAST:
        gone = len(examples) - len(fresh)
        note = f"{gone:,} messages of the time that the bundle was trained on were left out."
        return examples.rows(fresh).noting(note)
    return examples.noting(
        "The bundle was trained on mail of this very time, so these figures flatter it. Judge the model "
        "that `mailml train` wrote, whose predictions are out-of-fold, or label newer mail."
    )


def _judged(examples: Examples, classes: tuple[str, ...]) -> Examples:
    """Only rows whose label the model can say at all."""
    kept = [i for i, label in enumerate(examples.labels) if label in classes]
    if not kept:
        raise NotEnoughData(
            "no message has a label that this model knows", cure=f"It says {', '.join(classes)}"
        )
    strange = sorted(set(examples.labels) - set(classes))
    dropped = len(examples) - len(kept)
    note = f"{dropped:,} messages labelled {', '.join(strange)} were left out: the model does not know that."
    return examples.rows(kept).noting(note if dropped else "")


def _use_own(trained: Trained, examples: Examples, probabilities: Floats, known: Floats) -> int:
    """Put out-of-fold predictions in place of the model's on what it was trained on; how many there were."""
    row_of = {message: row for row, message in enumerate(trained.examples.messages)}
    pairs = [(i, row_of[m]) for i, m in enumerate(examples.messages) if m in row_of]
    for here, there in pairs:
        probabilities[here], known[here] = trained.probabilities[there], trained.known[there]
    return len(pairs)
