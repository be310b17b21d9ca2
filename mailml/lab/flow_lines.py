"""A flow in the table of models: its answers on the labelled messages, scored on the archive's columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mailml.errors import InputError
from mailml.lab.columns import columns
from mailml.lab.evaluation import decided
from mailml.lab.flow_classifier import FlowClassifier, answers_of
from mailml.lab.sides import Side, bundle_of
from mailml.lab.train import Trained
from mailml.lab.vocabulary import Ints

if TYPE_CHECKING:
    import polars as pl

    from mailml.archive import Archive
    from mailml.bundle import Bundle


@dataclass(frozen=True, eq=False)
class FlowEntry:
    """A flow that enters the contest, and the columns of the mail that reaches it."""

    flow: FlowClassifier
    columns: pl.DataFrame


def flow_entry(archive: Archive, bundle: Bundle, flow: Side | None = None) -> FlowEntry:
    """The bundle's flow, or another one on its desk; a queue stands for what either flow sends there."""
    candidate = bundle if flow is None else bundle_of(flow, bundle)
    fallback = bundle.desk.fallback
    queues = {**answers_of(bundle.flow, fallback), **answers_of(candidate.flow, fallback)}
    # the bundle's own classifier was taught with these very labels: its answers are replaced below
    silent = columns(archive, replace(candidate, model=None))
    return FlowEntry(FlowClassifier(candidate.flow, fallback, queues).fit(), silent)


def flow_lines(entry: FlowEntry, name: str, first: Trained) -> tuple[list[tuple[str, Ints]], str]:
    """The flow's actions for every example, one line each for asking a classifier and for asking none.

    Where rules ask for the category, `first` (called `name`) answers as it does for messages of groups that
    it never saw. Returns the lines and what must be said beside them. Raises InputError when no labelled
    message reaches the flow.
    """
    at = {sha: row for row, sha in enumerate(entry.columns["sha256"].to_list())}
    here = np.array([n for n, sha in enumerate(first.examples.messages) if sha in at], np.int64)
    if not len(here):
        cure = "Label messages of this archive, and give lab.frame(archive) as the messages"
        raise InputError("no labelled message reaches the flow", cure=cure)
    mail = entry.columns[[at[first.examples.messages[n]] for n in here]]
    silent = _actions(entry.flow, mail, here, first)
    passed = entry.flow.passed_over_
    notes = (
        [f"the flow answers with what its queues stand for, so {_quoted(passed)} are passed over"]
        if passed
        else []
    )
    if missing := len(first.examples) - len(here):
        notes.append(f"{missing} labelled messages never reach it and count as the fallback")
    if not entry.flow.flow_.asks("category"):
        return [("flow", silent)], "; ".join(notes)
    asking = _actions(entry.flow, _answered(mail, here, first), here, first)
    lines = [(f"flow, asking {name}", asking), ("flow, no classifier", silent)]
    return lines, "; ".join(notes)


def _answered(mail: pl.DataFrame, here: Ints, first: Trained) -> pl.DataFrame:
    """The columns with what the classifier says of each message: a class and its probability, or nothing."""
    import polars as pl

    policy = replace(first.policy, withheld="")
    said = decided(policy, first.probabilities, first.known, first.model.min_known)[here]
    p, known = np.round(first.probabilities[here], 6), first.known[here]
    fallback = policy.actions.index(policy.fallback)
    sure = ((said != fallback) | (p.argmax(axis=1) == fallback)) & (known >= first.model.min_known)
    labels = [policy.actions[n] if yes else None for n, yes in zip(said, sure, strict=True)]
    chances = [
        float(row[n]) if yes and n < len(row) else None for row, n, yes in zip(p, said, sure, strict=True)
    ]
    return mail.with_columns(
        pl.Series("category", labels, pl.String), pl.Series("probability", chances, pl.Float64)
    )


def _actions(flow: FlowClassifier, mail: pl.DataFrame, here: Ints, first: Trained) -> Ints:
    """The flow's answers as positions among the actions; what is no action counts as the fallback."""
    policy = first.policy
    taken = np.full(len(first.examples), policy.actions.index(policy.fallback), np.int64)
    number = {action: n for n, action in enumerate(policy.actions)}
    taken[here] = [number.get(said, number[policy.fallback]) for said in flow.predict(mail)]
    return taken


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
