"""Labelled messages -> a calibrated classifier, judged on groups it never saw, or "not enough data".

Every figure comes from out-of-fold predictions of whole groups (thread, sender, near-duplicate text); the
same predictions fit the temperature. A model whose decided cost is not clearly below that of sending
everything to one queue is withheld: it is exported, and abstains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier import Model, Policy
from mailml.errors import NotEnoughData
from mailml.lab import examples as rows_of
from mailml.lab import linear, names, split, topics, vocabulary
from mailml.lab.examples import Examples
from mailml.lab.linear import Calibration, Floats
from mailml.lab.resampling import Interval, paired_difference
from mailml.lab.vocabulary import Counted, Ints


@dataclass(frozen=True, slots=True)
class Settings:
    """What training may be told; the defaults are the measured ones. Costs and thresholds as in `Policy`."""

    C: float = 10.0
    class_weight: str | None = "balanced"
    words: tuple[int, int] = (1, 2)
    chars: tuple[int, int] = (3, 5)
    word_limit: int = 20_000
    char_limit: int = 30_000
    folds: int = 5
    seed: int = 7
    least: int = 5  # labelled messages a class must have
    topic_weight: float = 0.5  # of held-out topics against held-out groups in the temperature
    per_sender: int = 50  # messages of one sender and class at most; raise it for a desk behind a web form
    by_sender: bool = True  # mail of one sender stays on one side
    fallback: str = "general"
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    withhold: bool = True  # abstain always when the data cannot support the model


@dataclass(frozen=True, slots=True)
class Enough:
    """Whether the data supports the model: its decided cost against the best single queue."""

    yes: bool
    sentence: str
    saved: Interval  # cost saved per message against the best constant answer; above 0 is good
    constant: str  # that answer


@dataclass(frozen=True, eq=False)
class Trained:
    """A model with the evidence of how good it is.

    `probabilities` are out-of-fold and calibrated: (examples, classes), each row predicted by a model that
    saw no message of its group; `known` is the share of its n-grams that model knew. `groups` numbers the
    groups, `folds` the splits. `gap` is the largest difference between the exported arrays and the estimator.
    Nothing of it prints customers' text.
    """

    model: Model
    examples: Examples
    classes: tuple[str, ...]
    probabilities: Floats
    scores: Floats
    known: Floats
    groups: Ints
    folds: tuple[split.Split, ...]
    calibration: Calibration
    settings: Settings
    enough: Enough
    gap: float
    blocks: tuple[Counted, ...] = field(repr=False)

    def __repr__(self) -> str:
        right = np.mean(np.argmax(self.probabilities, axis=1) == self.truth)
        return (
            f"Trained({len(self.examples)} messages, {len(set(self.groups.tolist()))} groups, "
            f"classes {', '.join(self.classes)}; out-of-fold accuracy {right:.3f}; {self.enough.sentence})"
        )

    @property
    def truth(self) -> Ints:
        """The given labels as positions in `classes`."""
        return rows_of.label_numbers(self.examples.labels, self.classes)

    @property
    def policy(self) -> Policy:
        """How the model decides."""
        return self.model.policy

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything training was told, as JSON values, for the manifest."""
        return {**asdict(self.settings), "temperature": self.calibration.temperature}

    def with_policy(self, policy: Policy) -> Trained:
        """The same model deciding by other costs or thresholds; nothing is trained again."""
        enough = _enough(self.probabilities, self.truth, self.groups, replace(policy, withheld=""))
        decided = _withheld(policy, enough, self.settings)
        return replace(self, model=self.model.with_policy(decided), enough=enough)


def train(
    messages: Any,
    labels: Any,
    *,
    threads: Sequence[Any] | None = None,
    senders: Sequence[str] | None = None,
    times: Sequence[datetime | None] | None = None,
    until: datetime | None = None,
    settings: Settings | None = None,
    **changes: Any,
) -> Trained:
    """Train on a frame and labels, or on plain lists of texts and labels.

    `messages` is a frame of `lab.frame` with `labels` a label store (or message hash -> label); or a list of
    texts with one label each, and threads, senders and times where known. Mail that came at `until` (aware)
    or later is held out, so that a back-test has mail to judge that the model never saw. Settings may be
    given as keywords (`C=1.0`). Raises NotEnoughData, naming the class, where an honest figure is impossible:
    no labels, one class, a class of fewer than `least` messages or of one group.
    """
    settings = replace(settings or Settings(), **changes)
    if hasattr(messages, "columns"):
        examples = rows_of.from_frame(messages, labels)
    else:
        examples = rows_of.from_lists(messages, labels, threads=threads, senders=senders, times=times)
    return fit(rows_of.before(examples, until) if until else examples, settings)


def fit(examples: Examples, settings: Settings) -> Trained:
    """`train` for rows that are already brought together."""
    examples = rows_of.capped(examples, settings.per_sender)
    classes = check_classes(examples.labels, settings.least)
    senders = examples.senders if settings.by_sender else None
    groups = split.groups_of(examples.texts, examples.threads, senders)
    folds = tuple(split.grouped(examples.labels, groups, settings.folds, settings.seed))
    limits = (settings.word_limit, settings.char_limit)
    blocks = vocabulary.count(examples.texts, words=settings.words, chars=settings.chars, limits=limits)
    owners = owners_of(examples, groups)
    blocks = names.hide(blocks, owners[0], examples.names, examples.senders)
    truth = rows_of.label_numbers(examples.labels, classes)
    scores, known = out_of_fold(blocks, folds, truth, owners, classes, settings)
    calibration = _calibrate(scores, blocks, truth, owners, groups, classes, settings)
    probabilities = calibration.proba(scores)
    plain = Policy(classes, settings.fallback, settings.costs, settings.thresholds)
    enough = _enough(probabilities, truth, groups, plain)
    fitted = linear.fit(blocks, np.arange(len(truth)), examples.labels, owners, asdict(settings))
    policy, least_known = _withheld(plain, enough, settings), _least_known(known)
    model, gap = linear.to_model(fitted, blocks, calibration, policy, least_known, examples.texts)
    return Trained(
        model=model,
        examples=examples,
        classes=classes,
        probabilities=probabilities,
        scores=scores,
        known=known,
        groups=groups,
        folds=folds,
        calibration=calibration,
        settings=settings,
        enough=enough,
        gap=gap,
        blocks=blocks,
    )


def _calibrate(
    scores: Floats,
    blocks: Sequence[Counted],
    truth: Ints,
    owners: tuple[Ints, Ints],
    groups: Ints,
    classes: Sequence[str],
    settings: Settings,
) -> Calibration:
    """Calibration on held-out groups, its temperature moved towards that of held-out topics."""
    calibration = linear.calibrate(scores, truth)
    labels = np.asarray(classes)[truth].tolist()
    whole = topics.folds(blocks, owners, labels, groups, settings.folds, settings.seed)
    if not settings.topic_weight or not whole:
        return calibration
    strange, _ = out_of_fold(blocks, whole, truth, owners, classes, settings)
    weights = np.repeat([1.0, settings.topic_weight], len(truth))
    return linear.temper(calibration, np.vstack([scores, strange]), np.tile(truth, 2), weights)


def out_of_fold(
    blocks: Sequence[Counted],
    folds: Sequence[split.Split],
    truth: Ints,
    owners: tuple[Ints, Ints],
    classes: Sequence[str],
    settings: Settings,
) -> tuple[Floats, Floats]:
    """Scores and known shares of every row by models that saw nothing of its group: (n, classes), (n,)."""
    scores, known = np.zeros((len(truth), len(classes))), np.zeros(len(truth))
    options, names = asdict(settings), np.asarray(classes)
    for fold in folds:
        fitted = linear.fit(blocks, fold.train, names[truth[fold.train]].tolist(), owners, options)
        columns = rows_of.label_numbers(fitted.classes, classes)
        # a class that is absent from a small fold must not look likely there
        scores[fold.test] = -10.0
        scores[np.ix_(fold.test, columns)] = fitted.scores(blocks, fold.test)
        known[fold.test] = fitted.known(blocks, fold.test)
    return scores, known


def owners_of(examples: Examples, groups: Ints) -> tuple[Ints, Ints]:
    """Sender and thread numbers for the vocabulary; unknown ones and web forms fall back on the group."""
    group = [f"group {g}" for g in groups]
    forms = split.busy_senders(examples.senders)
    senders = [s if s and s not in forms else g for s, g in zip(examples.senders, group, strict=True)]
    threads = [t or g for t, g in zip(examples.threads, group, strict=True)]
    return vocabulary.numbers(senders), vocabulary.numbers(threads)


def check_classes(labels: Sequence[str], least: int) -> tuple[str, ...]:
    """The classes in alphabetical order; raises NotEnoughData, naming what is missing."""
    names, counts = np.unique(np.asarray(labels, dtype=str), return_counts=True)
    if not len(names):
        raise NotEnoughData(
            "there are no labelled messages with text", cure="Label some first: `mailml label`"
        )
    if len(names) == 1:
        raise NotEnoughData(
            f"all {counts[0]} labels say {str(names[0])!r}", cure="A classifier needs at least two categories"
        )
    few = [f"{str(name)!r} has {n}" for name, n in zip(names, counts, strict=True) if n < least]
    if few:
        what = f"too few labelled messages: {', '.join(few)}; each category needs at least {least}"
        raise NotEnoughData(what, cure="Label more of them, or give those messages another category")
    return tuple(str(name) for name in names)


def _enough(probabilities: Floats, truth: Ints, groups: Ints, policy: Policy) -> Enough:
    matrix = policy.matrix()
    decided = matrix[truth, policy.taken(probabilities)]
    constant = int(np.argmin(matrix[truth].mean(axis=0)))
    saved = paired_difference(matrix[truth, constant], decided, groups)
    name = policy.actions[constant]
    price = f"{matrix[truth, constant].mean():.3f}"
    if saved.low > 0:
        sentence = f"enough data: saves {saved} of the {price} a message that sending all to {name!r} costs"
        return Enough(True, sentence, saved, name)
    sentence = f"not enough data: not clearly cheaper than sending all to {name!r} (saves {saved} of {price})"
    return Enough(False, sentence, saved, name)


def _withheld(policy: Policy, enough: Enough, settings: Settings) -> Policy:
    withhold = settings.withhold and not enough.yes
    return replace(policy, withheld=enough.sentence if withhold else "")


def _least_known(known: NDArray[np.float64]) -> float:
    """Three fifths of what 95 % of new customers' mail reaches; what stays below is another language."""
    return round(0.6 * float(np.quantile(known, 0.05)), 4)
