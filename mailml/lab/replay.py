"""`lab.replay`: every decision a bundle would have made, in order of arrival, with the code of production.

A decision depends on what happened before in its interaction (was it acknowledged, had a person answered?),
and that depends on earlier decisions. So every message is first decided with a guess of those facts, in any
order and on as many processors as asked for; then one walk in order of arrival finds where the guess was
wrong and decides those few again. The result is the same as deciding one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mailml.errors import ArchiveError
from mailml.lab.arrivals import Arrival, Key
from mailml.lab.deciding import Job, Jobs, decide_all, row_of
from mailml.lab.folders import queue_of
from mailml.lab.memory import Memory, memory_of
from mailml.lab.thanks import thanks_in
from mailml.lab.unseen import training_span
from mailml.lab.walk import Walk
from mailml.verdict import Context

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle

COLUMNS = (
    "at", "account", "folder", "uidvalidity", "uid", "sha256", "thread", "joined_by", "opens", "sent",
    "automatic", "from_addr", "subject", "kind", "row", "disposition", "queue", "filed_in", "priority",
    "category", "probability", "ack", "ack_reason", "due", "due_sum", "target", "rule",
    "final_queue", "bundle", "seen", "thanks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay with what it decided in: `contexts[n]` belongs to row `n` of `rows`, None for mail of ours."""

    rows: pd.DataFrame
    contexts: tuple[Context | None, ...]


def replay(
    archive: Archive, bundle: Bundle, *, loop_key: bytes = b"", workers: int = 1, decisions: bool = False
) -> pd.DataFrame:
    """Decide the whole archive with a bundle; one row per message, in order of arrival, ours included.

    Columns: `at` (INTERNALDATE, UTC), the key (account, folder, uidvalidity, uid), sha256, thread, joined_by,
    opens, sent (ours), automatic (ours, and a machine wrote it), from_addr, subject; of the decision kind,
    row (of the table of automated mail), disposition, queue ("" when filed), filed_in, priority, category,
    probability, ack, ack_reason, due, due_sum, target, rule; final_queue (the queue in whose folder agents
    left it, "" if none), bundle, seen (it came while the bundle's classifier was in training, so that it
    proves nothing), and thanks (a customer who only says thank you). With `decisions` the column `decision`
    holds the whole `Decision`s.

    What the first replay of an archive reads and classifies is kept while the archive is open, so that a
    bundle with other rules and the same classifier is replayed in a fraction of the time. `loop_key` verifies
    our own Message-IDs. With `workers` above 1 that many processes decide, and keep nothing; a script that
    does so needs the usual `if __name__ == "__main__"`.
    """
    return replayed(archive, bundle, loop_key=loop_key, workers=workers, decisions=decisions).rows


def replayed(
    archive: Archive,
    bundle: Bundle,
    *,
    queues: Iterable[str] = (),
    loop_key: bytes = b"",
    workers: int = 1,
    decisions: bool = False,
) -> Replayed:
    """The same with the context of every decision; `queues` are further folders that agents work in."""
    memory = memory_of(archive)
    places = sorted({*bundle.flow.queues(), *queues})
    history = memory.arrivals(
        archive, bundle.desk.identity.addresses, places, loop_key, bundle.desk.same_subject
    )
    guesses = _guess(history, loop_key)
    jobs = Jobs(archive, [Job(one.key, one.sha256, guesses[one.key]) for one in history])
    first = decide_all(jobs, bundle, memory, workers=workers, decisions=decisions)
    settled = _Settling(archive, memory.bundle(bundle), memory, guesses, decisions=decisions)
    rows, contexts = settled.walk(history, first, Walk(loop_key))
    made = _frame(history, rows, bundle, places, thanks_in(archive), decisions=decisions)
    return Replayed(made, tuple(contexts))


def _guess(history: Iterable[Arrival], loop_key: bytes) -> dict[Key, Context | None]:
    """The context of each message as it nearly always is: openers were acked, senders are people."""
    walk, guesses = Walk(loop_key), dict[Key, Context | None]()
    for arrival in history:
        if arrival.sent:
            guesses[arrival.key] = None
            walk.sent(arrival, automatic=arrival.subject.startswith("Auto:"))
        else:
            guesses[arrival.key] = walk.context(arrival)
            walk.received(arrival, human=True, acked=arrival.opens)
    return guesses


class _Settling:
    """The walk in order of arrival with the facts as they are, deciding again where the guess was another."""

    def __init__(
        self,
        archive: Archive,
        bundle: Bundle,
        memory: Memory,
        guesses: Mapping[Key, Context | None],
        *,
        decisions: bool,
    ) -> None:
        self._archive, self._bundle, self._memory = archive, bundle, memory
        self._guesses, self._decisions = guesses, decisions

    def walk(
        self, history: Iterable[Arrival], first: dict[Key, dict[str, Any]], walk: Walk
    ) -> tuple[list[dict[str, Any]], list[Context | None]]:
        rows, contexts = list[dict[str, Any]](), list[Context | None]()
        for arrival in history:
            row, context = first.get(arrival.key), None
            if row is None:
                what = f"message {arrival.key} is listed but cannot be read"
                raise ArchiveError(what, cure="Pull again into a new archive")
            if arrival.sent:
                walk.sent(arrival, automatic=row["automatic"])
            else:
                context = walk.context(arrival)
                if context != self._guesses[arrival.key]:
                    row = self._again(arrival, context)
                walk.received(arrival, human=row["kind"] == "human", acked=row["ack"])
            rows.append(row)
            contexts.append(context)
        return rows, contexts

    def _again(self, arrival: Arrival, context: Context) -> dict[str, Any]:
        raw = partial(self._archive.raw, arrival.key)
        decision = self._memory.decide(arrival.sha256, raw, self._bundle, context)
        return row_of(decision, keep=self._decisions)


def _frame(
    history: list[Arrival],
    rows: list[dict[str, Any]],
    bundle: Bundle,
    queues: list[str],
    thanks: frozenset[str],
    *,
    decisions: bool,
) -> pd.DataFrame:
    import pandas as pd

    span = training_span(bundle)
    facts = (
        {
            "at": arrival.at,
            **dict(zip(("account", "folder", "uidvalidity", "uid"), arrival.key, strict=True)),
            "sha256": arrival.sha256,
            "thread": arrival.thread,
            "joined_by": arrival.joined_by,
            "opens": arrival.opens,
            "sent": arrival.sent,
            "from_addr": arrival.from_addr,
            "subject": arrival.subject,
            "final_queue": "" if arrival.sent else queue_of(arrival.folder, queues),
            "bundle": bundle.id,
            "seen": span is not None and not arrival.sent and span[0] <= arrival.at <= span[1],
            "thanks": not arrival.sent and arrival.sha256 in thanks,
        }
        for arrival in history
    )
    columns = [*COLUMNS, "decision"] if decisions else list(COLUMNS)
    frame = pd.DataFrame([{**fact, **row} for fact, row in zip(facts, rows, strict=True)], columns=columns)
    for name in ("at", "due"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    flags = dict.fromkeys(("opens", "sent", "automatic", "ack", "seen", "thanks"), "bool")
    return frame.astype({"probability": "float64", **flags})
