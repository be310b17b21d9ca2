"""The mail that reaches a flow, and what each rule of it does there: one bitmap per rule, put together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mailml.lab.columns import columns
from mailml.lab.labels import Labels
from mailml.lab.memory import memory_of
from mailml.lab.sides import Side, bundle_of, check_desk
from mailml.lab.truth import check_truth, folders, labelled
from mailml.lab.unseen import judgeable, training_span

if TYPE_CHECKING:
    import polars as pl

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.flow import Flow, Rule
    from mailml.flow.batch import Batch
    from mailml.flow.batch.bitmaps import Bits, Packed

DEFAULT = -1  # the number of the rule that decides where no rule places a message


@dataclass(frozen=True, eq=False)
class Reaching:
    """The messages of an archive that a flow decides; `incoming` is how many came at all.

    `truth` is the queue each belonged in, "" where it is unknown or must not be judged: mail that opens no
    interaction, and mail of the classifier's training time where enough other mail is there (`note` says so).
    """

    flow: Flow
    messages: pl.DataFrame = field(repr=False)
    incoming: int
    truth: npt.NDArray[Any] = field(repr=False)
    note: str = ""

    def __len__(self) -> int:
        return self.messages.height

    @property
    def share(self) -> str:
        """How much of the mail this is, in a sentence."""
        rest = self.incoming - len(self)
        what = f"{len(self):,} of {self.incoming:,} incoming messages reach the flow"
        return f"{what}; {rest:,} automated ones are handled before it" if rest else what

    @cached_property
    def batch(self) -> Batch:
        """The messages as the flow's evaluator takes them."""
        from mailml.flow.batch import Batch

        return Batch(self.messages)

    @cached_property
    def fits(self) -> list[Packed]:
        """Per rule the messages that its condition fits, whatever stands before it."""
        self.batch.prepare(ask for rule in self.flow.rules for ask in rule.asks())
        return [self.batch.packed(rule.when) for rule in self.flow.rules]

    @cached_property
    def acts(self) -> list[Packed]:
        """Per rule the messages that it fits and that no rule before it has ended the walk of."""
        from mailml.flow.batch.bitmaps import full

        walking, found = full(len(self)), list[Any]()
        for rule, fits in zip(self.flow.rules, self.fits, strict=True):
            found.append(walking & fits)
            walking = walking if rule.continue_ else walking & ~fits
        return found

    @cached_property
    def decided(self) -> npt.NDArray[np.int64]:
        """Per message the number of the rule that places it, or DEFAULT."""
        outcomes = self.batch.outcomes(self.flow)
        numbers = {rule.name: n for n, rule in enumerate(self.flow.rules)}
        return np.array([numbers.get(one.rule, DEFAULT) for one in outcomes.different])[outcomes.number]

    @cached_property
    def judged(self) -> Bits:
        """Which messages have a truth to judge by."""
        return np.asarray(self.truth != "", np.bool_)

    def right(self, queue: str) -> Bits:
        """Which of the judged belonged in a queue; none in "", where what is filed goes."""
        if queue not in self._right:
            self._right[queue] = np.asarray(self.truth == queue, np.bool_) & self.judged
        return self._right[queue]

    @cached_property
    def _right(self) -> dict[str, Bits]:
        return {}

    def bits(self, packed: Packed) -> Bits:
        """One answer per message."""
        from mailml.flow.batch.bitmaps import unpack

        return unpack(packed, len(self))


def reaching(
    archive: Archive,
    bundle: Bundle,
    flow: Side | None = None,
    *,
    truth: Mapping[str, str] | Labels | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> Reaching:
    """The mail of an archive that reaches the bundle's flow, or another one (a file, TOML text) on its desk.

    `truth` is that of `lab.backtest`; `keep` a folder for the columns (see lab.columns). Raises FlowError
    with every fault, InputError for a flow that knows none of the desk's queues, NotEnoughData where no
    message reaches the flow.
    """
    candidate = bundle if flow is None else bundle_of(flow, bundle)
    strange = check_desk(candidate, bundle, set(archive.table(columns=["folder"]).column(0).to_pylist()))
    messages = columns(archive, candidate, keep=keep)
    known, note = _truth(archive, bundle, candidate, truth, messages)
    judged, said = _judged(messages, known, candidate)
    desk = bundle.desk
    history = memory_of(archive).arrivals(
        archive, desk.identity.addresses, sorted(candidate.flow.queues()), b"", desk.same_subject
    )
    incoming = sum(not one.sent for one in history)
    return Reaching(candidate.flow, messages, incoming, judged, " ".join(filter(None, (said, note, strange))))


def _truth(
    archive: Archive,
    bundle: Bundle,
    candidate: Bundle,
    truth: Mapping[str, str] | Labels | None,
    messages: pl.DataFrame,
) -> tuple[Mapping[str, str], str]:
    """What is known, by SHA-256; a queue that only one of the flows knows is a queue all the same."""
    if truth is None:
        return {**folders(archive, candidate), **folders(archive, bundle)}, ""
    known = labelled(truth, bundle) if isinstance(truth, Labels) else truth
    queues = sorted({*bundle.flow.queues(), *candidate.flow.queues()})
    return known, check_truth(known, set(messages["sha256"]), queues)


def _judged(messages: pl.DataFrame, truth: Mapping[str, str], bundle: Bundle) -> tuple[npt.NDArray[Any], str]:
    """The truth of what may be judged, row by row, and the sentence that must stand beside the figures."""
    import pandas as pd

    span = training_span(bundle)
    opening = messages.select("sha256", "opens").iter_rows()
    known = [truth.get(sha, "") if opens else "" for sha, opens in opening]
    rows = pd.DataFrame({"truth": known, "at": messages["at"].to_list()})
    rows["seen"] = rows["at"].between(*span) if span is not None else False
    fair, note = judgeable(rows[rows["truth"].ne("")])
    rows.loc[~rows.index.isin(fair.index), "truth"] = ""
    return rows["truth"].to_numpy(dtype=object), note


def place_of(rule: Rule) -> tuple[str, str] | None:
    """Where a rule sends: (queue or file, its name); None when it leaves that to others."""
    then = rule.then
    return ("file", then.file) if then.file else ("queue", then.queue) if then.queue else None


def disagree(one: Rule, other: Rule) -> str:
    """What two rules set differently: "queue", "priority", both, or "" where they can stand together."""
    places = place_of(one), place_of(other)
    ranks = one.then.priority, other.then.priority
    differ = [None not in pair and pair[0] != pair[1] for pair in (places, ranks)]
    return " and ".join(name for name, yes in zip(("queue", "priority"), differ, strict=True) if yes)


def goes(rule: Rule) -> str:
    """Where a rule sends, for people."""
    place = place_of(rule)
    return "(goes on)" if place is None else f"file in {place[1]}" if place[0] == "file" else place[1]
