"""Trails, answers and the service's own word brought together: one row per message, and labels from them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from mailml.lab.labels import Label, Labels
from mailml.lab.mine.caps import Candidate, Caps, capped
from mailml.lab.mine.moves import CONFIDENCE, NOT_HUMAN, SHARED, Known, Routed, bulk_moved, known
from mailml.lab.mine.places import trails
from mailml.lab.open_time import micros
from mailml.lab.queues import categories_of

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.feedback import Feedback

BY = "lab.mine"  # one author, so that a later run corrects an earlier one
_COLUMNS = (
    "sha256", "at", "thread", "from_addr", "subject", "kind", "opens", "first", "final", "how", "why_not",
    "proven", "label", "confidence",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Mined:
    """What agents' doings say. `rows` has one row per incoming message.

    Columns: sha256, at, thread, from_addr, subject, kind, opens, first (the queue it came to first), final
    (where agents left it), how, proven (their doings show where it belonged), label, confidence, and why_not
    ("" for a message that is labelled).
    """

    rows: pd.DataFrame = field(repr=False)
    as_of: datetime
    source: str

    @property
    def labels(self) -> list[Label]:
        """The labels, source "mined", each with how it became known in its note."""
        chosen = self.rows[self.rows["why_not"].eq("")]
        at = datetime.now(UTC)
        return [
            Label(row["sha256"], row["label"], BY, "mined", at, row["confidence"], _note(row))
            for row in chosen.to_dict("records")
        ]

    def summary(self) -> pd.DataFrame:
        """How many messages became labels, how, and how many were left out, and why."""
        import pandas as pd

        told = self.rows["how"].where(self.rows["why_not"].eq(""), "left out: " + self.rows["why_not"])
        counts = told.value_counts().rename_axis("what").reset_index(name="messages")
        return pd.DataFrame(counts)

    def moves(self) -> pd.DataFrame:
        """Messages that agents moved from one queue to another: what was misrouted."""
        rows = self.rows[self.rows["first"].ne("") & self.rows["final"].ne("")]
        return rows[rows["first"].ne(rows["final"])].reset_index(drop=True)

    def merge(self, store: Labels) -> tuple[int, int]:
        """Write what is new to a label file; returns how many labels were added and withdrawn.

        A label mined before is withdrawn where the message now says nothing (thrown away, say); one that is
        merely over a cap stays.
        """
        gone = self.rows["why_not"].ne("") & ~self.rows["why_not"].str.startswith("over the cap")
        mine = {label.message: label for label in store.current() if label.source == "mined"}
        at = datetime.now(UTC)
        reasons = zip(self.rows.loc[gone, "sha256"], self.rows.loc[gone, "why_not"], strict=True)
        back = [
            Label(sha, "", BY, "mined", at, 1.0, why)
            for sha, why in reasons
            if sha in mine and mine[sha].by == BY
        ]
        return store.merge(self.labels), store.add(back)

    def __str__(self) -> str:
        lines = [f"{row.messages:>8,}  {row.what}" for row in self.summary().itertuples()]
        return "\n".join((f"mined from {self.source}", *lines))


def mine(
    archive: Archive,
    bundle: Bundle,
    *,
    journal: str | os.PathLike[str] | Feedback | None = None,
    ledger: pd.DataFrame | None = None,
    categories: Mapping[str, str] | None = None,
    days: float = 14,
    bulk: int = 10,
    caps: Caps | None = None,
    as_of: datetime | None = None,
) -> Mined:
    """Labels from where agents left messages, from an archive and, where there is one, the service's journal.

    `journal` is the file of `mailml-serve export-feedback`: it tells the router's moves from agents'. Without
    it every filing is taken for a person's. `categories` maps queue to category; without it, what the flow's
    rules say. A message younger than `days` at `as_of` (the newest mail unless given) is not settled; `bulk`
    is how many moved in one go are too many. `ledger` is what `lab.replay` made of the archive, if at hand.
    """
    from mailml.lab.feedback import Feedback, read
    from mailml.lab.replay import replay

    told = journal if journal is None or isinstance(journal, Feedback) else read(journal)
    rows = replay(archive, bundle) if ledger is None else ledger
    end = as_of or (rows["at"].max().to_pydatetime() if len(rows) else datetime.now(UTC))
    incoming = rows[~rows["sent"]].drop_duplicates("sha256").copy()
    queues = sorted({*bundle.flow.queues(), *(categories or {})})
    settled = micros(incoming["at"]) <= micros([end - timedelta(days=days)])[0]
    states = _states(archive, queues, incoming, _answered(rows), settled, _routed(told), bulk)
    mapping = categories_of(bundle.flow) if categories is None else categories
    made = _labelled(incoming, states, mapping)
    _cap(made, archive, caps or Caps())
    source = f"{archive.path.name}, {len(incoming):,} incoming messages"
    return Mined(
        made[list(_COLUMNS)].reset_index(drop=True), end, f"{source}, {told.source}" if told else source
    )


def _routed(told: Feedback | None) -> dict[str, Routed]:
    if told is None:
        return {}
    rows = told.messages.to_dict("records")
    return {
        row["sha256"]: Routed(
            row["queue"],
            bool(row["moved_to"]),
            row["queue_now"] if row["undone_at"] == row["undone_at"] else "",
        )
        for row in rows
    }


def _answered(rows: pd.DataFrame) -> Mapping[str, np.datetime64]:
    """Thread -> when a person of ours answered last."""
    human = rows[rows["sent"] & ~rows["automatic"]]
    last = human.groupby("thread")["at"].max()
    return dict(zip(last.index, micros(last), strict=True))


def _states(
    archive: Archive,
    queues: Collection[str],
    incoming: pd.DataFrame,
    answered: Mapping[str, Any],
    settled: Any,
    routed: Mapping[str, Routed],
    bulk: int,
) -> dict[str, Known]:
    every = {trail.message: trail for trail in trails(archive)}
    many = bulk_moved(every.values(), queues, bulk)
    states = {}
    when = zip(incoming["sha256"], incoming["thread"], micros(incoming["at"]), settled, strict=True)
    for sha, thread, at, old in when:
        if sha in every:
            spoke = answered.get(thread, at - 1) >= at
            states[sha] = known(
                every[sha], queues, routed.get(sha), answered=spoke, bulk=sha in many, settled=bool(old)
            )
    return states


def _labelled(
    incoming: pd.DataFrame, states: Mapping[str, Known], mapping: Mapping[str, str]
) -> pd.DataFrame:
    none = Known("", "", "", "", "left out of the archive")
    found = [states.get(sha, none) for sha in incoming["sha256"]]
    made = incoming.assign(
        first=[one.first for one in found], final=[one.final for one in found], how=[one.how for one in found]
    )
    # over a cap, or in a queue of several categories: no label, and still known to belong there
    made["proven"] = [bool(one.final and not one.why_not) for one in found]
    made["label"] = [mapping.get(one.final, "") for one in found]
    made["confidence"] = [CONFIDENCE.get(one.how, 0.0) for one in found]
    made["why_not"] = [
        NOT_HUMAN if kind != "human" else one.why_not or ("" if label else SHARED)
        for kind, one, label in zip(made["kind"], found, made["label"], strict=True)
    ]
    return made


def _cap(made: pd.DataFrame, archive: Archive, caps: Caps) -> None:
    texts = archive.table(columns=["sha256", "own"]).to_pydict()
    own = dict(zip(texts["sha256"], texts["own"], strict=True))
    # a mail that only says thank you teaches nothing about its queue, and takes nobody's place
    chosen = made[made["why_not"].eq("")]
    rows = zip(
        chosen["sha256"], chosen["confidence"], chosen["from_addr"], chosen["thread"], chosen["thanks"],
        strict=True,
    )  # fmt: skip
    said = {sha: "only a thank-you" for sha, _, _, _, thanks in rows if thanks}
    left = chosen[~chosen["sha256"].isin(said)]
    candidates = [
        Candidate(row["sha256"], row["confidence"], row["from_addr"], row["thread"], own[row["sha256"]] or "")
        for row in left.to_dict("records")
    ]
    over = said | capped(candidates, caps)
    made["why_not"] = [over.get(sha, why) for sha, why in zip(made["sha256"], made["why_not"], strict=True)]


def _note(row: Mapping[Any, Any]) -> str:
    way = f"{row['first']} -> {row['final']}" if row["first"] != row["final"] else row["final"]
    return f"{row['how']}: {way}"
