"""The texts that one training is about, turned into features once and shared by every fold and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mailml.lab import names, split, vocabulary
from mailml.lab.examples import Examples
from mailml.lab.models.encoder import Encoder
from mailml.lab.models.hashed import count_hashed
from mailml.lab.resampling import Floats
from mailml.lab.settings import Settings
from mailml.lab.vocabulary import Counted, Ints


@dataclass(frozen=True, eq=False)
class Corpus:
    """The labelled texts first, the unlabelled ones behind them; rows are positions in `texts`.

    `owners` are the sender and thread numbers of every row, `groups` what must stay on one side.
    """

    texts: Sequence[str] = field(repr=False)
    labelled: int
    owners: tuple[Ints, Ints] = field(repr=False)
    groups: Ints = field(repr=False)
    names: Sequence[str] = field(repr=False)
    senders: Sequence[str] = field(repr=False)
    settings: Settings = field(repr=False)

    @property
    def beside(self) -> Ints:
        """The rows without a label."""
        return np.arange(self.labelled, len(self.texts))

    @cached_property
    def blocks(self) -> tuple[Counted, ...]:
        """Counts of words and of pieces of words, customers' names hidden."""
        chosen = self.settings
        limits = (chosen.word_limit, chosen.char_limit)
        counted = vocabulary.count(self.texts, words=chosen.words, chars=chosen.chars, limits=limits)
        return names.hide(counted, self.owners[0], self.names, self.senders)

    @cached_property
    def hashed(self) -> tuple[Counted, ...]:
        """The same counts in buckets of a hash: no vocabulary to keep."""
        chosen = self.settings
        return count_hashed(self.texts, words=chosen.words, chars=chosen.chars, buckets=chosen.buckets)

    @cached_property
    def embedded(self) -> Floats:
        """The sentence encoder's vectors: (texts, dimensions)."""
        return Encoder(self.settings.encoder)(self.texts)


def corpus_of(examples: Examples, settings: Settings, unlabelled: Examples | None = None) -> Corpus:
    """The corpus of labelled examples and of messages without a label, grouped together."""
    both = examples if unlabelled is None else _behind(examples, unlabelled)
    senders = both.senders if settings.by_sender else None
    groups = split.groups_of(both.texts, both.threads, senders)
    return Corpus(
        texts=both.texts,
        labelled=len(examples),
        owners=owners_of(both, groups),
        groups=groups,
        names=both.names,
        senders=both.senders,
        settings=settings,
    )


def owners_of(examples: Examples, groups: Ints) -> tuple[Ints, Ints]:
    """Sender and thread numbers for the vocabulary; unknown ones and web forms fall back on the group."""
    group = [f"group {g}" for g in groups]
    forms = split.busy_senders(examples.senders)
    senders = [s if s and s not in forms else g for s, g in zip(examples.senders, group, strict=True)]
    threads = [t or g for t, g in zip(examples.threads, group, strict=True)]
    return vocabulary.numbers(senders), vocabulary.numbers(threads)


def _behind(examples: Examples, more: Examples) -> Examples:
    """Two sets of examples as one, the first in front."""
    names = [*examples.names, *more.names] if examples.names and more.names else []
    return Examples(
        texts=[*examples.texts, *more.texts],
        labels=[*examples.labels, *more.labels],
        messages=[*examples.messages, *more.messages],
        threads=[*examples.threads, *more.threads],
        senders=[*examples.senders, *more.senders],
        times=[*examples.times, *more.times],
        names=names,
    )
