"""Labelled messages -> a calibrated classifier, judged on groups it never saw, or "not enough data".

Every figure comes from out-of-fold predictions of whole groups (thread, sender, near-duplicate text); the
same predictions fit the temperature. A model whose decided cost is not clearly below that of sending
everything to one queue is withheld: it is exported, and abstains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.classifier import Model, Policy
from mailml.classifier.hashed import HashedBlock
from mailml.errors import NotEnoughData
from mailml.lab import examples as rows_of
from mailml.lab import split, topics
from mailml.lab.calibration import Calibration, calibrate
from mailml.lab.examples import Examples
from mailml.lab.foreign import with_least_words
from mailml.lab.models import learner_of
from mailml.lab.models.corpus import Corpus, corpus_of
from mailml.lab.models.learner import Fitted, Learner, Lesson, aligned
from mailml.lab.novelty import cautious
from mailml.lab.resampling import Floats, Interval, paired_difference
from mailml.lab.settings import Settings
from mailml.lab.vocabulary import Counted, Ints

_SURE = 1.645  # standard errors: nineteen chances in twenty that it is cheaper
_ONLY_KNOWN = (
    "not enough data: on topics it was not shown, the classifier is no cheaper than one queue for all, "
    "however careful it is"
)


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
    saw no message of its group; `known` is the share of its n-grams that model knew. `strange` are scores and
    known shares by models that saw nothing of a row's topic, where there are topics. `groups` numbers the
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
    corpus: Corpus = field(repr=False)
    learner: Learner = field(repr=False)
    made_by: str  # the learner's name: a taught model that is read back has no teacher any more
    strange: tuple[Floats, Floats] | None = field(default=None, repr=False)

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
    def blocks(self) -> tuple[Counted, ...]:
        """The counted n-grams of the training texts."""
        return self.corpus.blocks

    @property
    def policy(self) -> Policy:
        """How the model decides."""
        return self.model.policy

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything training was told, as JSON values, for the manifest."""
        told = {**asdict(self.settings), "encoder": Path(self.settings.encoder).name}
        return {**told, "made_by": self.made_by, "temperature": self.calibration.temperature}

    def refit(self, rows: Ints) -> Fitted:
        """The same kind of model trained on some of the labelled rows only."""
        labels = np.asarray(self.classes)[self.truth[rows]].tolist()
        return self.learner.fit(self.corpus, Lesson(rows, labels))

    def with_policy(self, policy: Policy) -> Trained:
        """The same model, as careful as before, deciding by other costs or thresholds; nothing is trained."""
        wanted = replace(policy, withheld="", caution=policy.caution or self.policy.caution)
        enough = _enough(self.probabilities, self.known, self.truth, self.groups, wanted)
        if self.enough.sentence == _ONLY_KNOWN:
            enough = self.enough
        decided = _withheld(wanted, enough, self.settings)
        return replace(self, model=self.model.with_policy(decided), enough=enough)


def fit(examples: Examples, settings: Settings) -> Trained:
    """`lab.train` for rows that are already brought together, without a teacher."""
    examples = rows_of.capped(examples, settings.per_sender)
    check_classes(examples.labels, settings.least)
    return fit_corpus(examples, corpus_of(examples, settings), learner_of(settings))


def fit_corpus(examples: Examples, corpus: Corpus, learner: Learner) -> Trained:
    """Train a learner on a corpus whose labelled rows are `examples`."""
    settings = corpus.settings
    classes = check_classes(examples.labels, settings.least)
    truth = rows_of.label_numbers(examples.labels, classes)
    groups = corpus.groups[: len(truth)]
    folds = tuple(split.grouped(examples.labels, groups, settings.folds, settings.seed))
    seen = out_of_fold(learner, corpus, folds, truth, classes)
    strange = _by_topic(learner, corpus, examples.labels, truth, classes)
    calibration = calibrate(seen[0], truth, strange[0] if strange else None)
    probabilities = calibration.proba(seen[0])
    policy, holds = Policy(classes, settings.fallback, settings.costs, settings.thresholds), True
    if strange:
        policy, holds = cautious(policy, calibration, seen, strange, truth, settings.novelty)
    enough = _enough(probabilities, seen[1], truth, groups, policy)
    if not holds:
        enough = replace(enough, yes=False, sentence=_ONLY_KNOWN)
    everything = Lesson(np.arange(len(truth)), examples.labels, beside=corpus.beside)
    fitted = learner.fit(corpus, everything)
    policy = _withheld(policy, enough, settings)
    least_known = _least_known(seen[1])
    model, gap = learner.to_model(fitted, corpus, calibration, policy, least_known)
    if isinstance(model, Model) and not isinstance(model.blocks[0], HashedBlock):
        model = with_least_words(model, corpus, folds)
    return Trained(
        model=model,
        examples=examples,
        classes=classes,
        probabilities=probabilities,
        scores=seen[0],
        known=seen[1],
        groups=groups,
        folds=folds,
        calibration=calibration,
        settings=settings,
        enough=enough,
        gap=gap,
        corpus=corpus,
        learner=learner,
        made_by=learner.name,
        strange=strange,
    )


def _by_topic(
    learner: Learner, corpus: Corpus, labels: Sequence[str], truth: Ints, classes: Sequence[str]
) -> tuple[Floats, Floats] | None:
    """Scores and known shares by models that saw nothing of a row's topic; None where there are no topics."""
    chosen = corpus.settings
    whole, topic = topics.folds(
        corpus.blocks, corpus.owners, labels, corpus.groups, chosen.folds, chosen.seed
    )
    return out_of_fold(learner, corpus, whole, truth, classes, apart=topic) if whole else None


def out_of_fold(
    learner: Learner,
    corpus: Corpus,
    folds: Sequence[split.Split],
    truth: Ints,
    classes: Sequence[str],
    *,
    apart: Ints | None = None,
) -> tuple[Floats, Floats]:
    """Scores and known shares of every labelled row by models that saw nothing of its group.

    Unlabelled rows of a held-out group (by `apart`, the corpus's groups unless given) are kept from the
    learner as well. Shapes (n, classes), (n,).
    """
    scores, known = np.zeros((len(truth), len(classes))), np.zeros(len(truth))
    names, group = np.asarray(classes), corpus.groups if apart is None else apart
    for fold in folds:
        beside = corpus.beside[~np.isin(group[corpus.beside], group[fold.test])]
        lesson = Lesson(fold.train, names[truth[fold.train]].tolist(), beside=beside)
        fitted = learner.fit(corpus, lesson)
        scores[fold.test] = aligned(fitted, corpus, fold.test, classes)
        known[fold.test] = fitted.known(corpus, fold.test)
    return scores, known


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


def _enough(probabilities: Floats, known: Floats, truth: Ints, groups: Ints, policy: Policy) -> Enough:
    matrix = policy.matrix()
    decided = matrix[truth, policy.taken(np.round(probabilities, 6), known)]
    constant = int(np.argmin(matrix[truth].mean(axis=0)))
    saved = paired_difference(matrix[truth, constant], decided, groups)
    name = policy.actions[constant]
    price = f"{matrix[truth, constant].mean():.3f}"
    if saved.above_nothing(_SURE):
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
