"""Many decisions at once, in this process or in several: raw bytes and a context in, plain columns out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.lab.arrivals import Key
from mailml.lab.memory import Memory
from mailml.message import Message, parse
from mailml.sla import in_words
from mailml.verdict import Context, Decision

_BATCH = 100  # messages per task: enough to hide the cost of handing them over
_AHEAD = 4  # tasks per worker in flight: the archive is read no faster than it is decided


@dataclass(frozen=True, slots=True)
class Job:
    """One message to decide; without a context it is ours, and only read."""

    key: Key
    sha256: str
    context: Context | None


@dataclass(frozen=True, slots=True)
class Jobs:
    """The messages of an archive to decide, and how to read them."""

    archive: Archive
    jobs: list[Job]

    def read(self, wanted: Collection[Key]) -> Iterator[tuple[Job, bytes]]:
        """The raw messages with these keys in the archive's own order, which is the fast one to read."""
        if not wanted:
            return
        known = {job.key: job for job in self.jobs}
        for row, raw in self.archive.messages():
            key = (row.account, row.folder, row.uidvalidity, row.uid)
            if key in wanted:
                yield known[key], raw


def decide_all(
    jobs: Jobs, bundle: Bundle, memory: Memory, *, workers: int = 1, decisions: bool = False
) -> dict[Key, dict[str, Any]]:
    """Key -> the columns of the decision (see `row_of`), with the `Decision` itself where asked."""
    # a bundle that was changed in memory exists in this process only: workers would load the one on disk
    if workers <= 1 or Bundle.load(bundle.path).id != bundle.id:
        return _remembered(jobs, memory.bundle(bundle), memory, decisions=decisions)
    # spawn, not fork: a notebook's process has threads that a fork would leave half alive
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(bundle.path,))
    everything = jobs.read({job.key for job in jobs.jobs})
    with pool:
        return dict(_spread(pool, everything, workers * _AHEAD, decisions=decisions))


def _remembered(jobs: Jobs, bundle: Bundle, memory: Memory, *, decisions: bool) -> dict[Key, dict[str, Any]]:
    """Decide what is at hand without reading the archive, then the rest in the order in which it lies."""

    def row(job: Job, raw: Callable[[], bytes]) -> dict[str, Any]:
        if job.context is None:
            return {**_OURS, "automatic": memory.is_ours_automatic(job.sha256, raw, is_automatic)}
        return row_of(memory.decide(job.sha256, raw, bundle, job.context), keep=decisions)

    at_hand = [job for job in jobs.jobs if memory.holds(job.sha256)]
    made = {job.key: row(job, partial(jobs.archive.raw, job.key)) for job in at_hand}
    missing = {job.key for job in jobs.jobs} - made.keys()
    for job, raw in jobs.read(missing):
        made[job.key] = row(job, partial(bytes, raw))
    return made


def row_of(decision: Decision, *, keep: bool = False) -> dict[str, Any]:
    """The columns of a decision: what a table of a hundred thousand can hold."""
    category, due = decision.category, decision.due
    row: dict[str, Any] = {
        "automatic": False,
        "kind": decision.kind.value,
        "row": decision.verdict.row,
        "disposition": decision.disposition.value,
        "queue": decision.queue,
        "filed_in": decision.folder,
        "priority": decision.priority,
        "category": category.label if category else None,
        "probability": category.probability if category else None,
        "ack": decision.ack.send,
        "ack_reason": decision.ack.reason.value if decision.ack.reason else "",
        "due": due.at if due else None,
        "due_sum": in_words(due) if due else "",
        "target": due.target if due else "",
        "rule": decision.rule,
    }
    if keep:
        row["decision"] = decision
    return row


_OURS: dict[str, Any] = {
    "kind": "", "row": "", "disposition": "", "queue": "", "filed_in": "", "priority": 0, "category": None,
    "probability": None, "ack": False, "ack_reason": "", "due": None, "due_sum": "", "target": "", "rule": "",
}  # fmt: skip


def is_automatic(message: Message) -> bool:
    """Whether a mail of ours was written by a machine: it says so itself (RFC 3834), as our acks do."""
    said = (message.get("auto-submitted") or "no").split(";")[0].split("(")[0].strip().lower()
    return said != "no" or message.get("x-auto-response-suppress") is not None


def _done(job: Job, raw: bytes, bundle: Bundle, *, decisions: bool) -> tuple[Key, dict[str, Any]]:
    message = parse(raw)
    if job.context is None:
        return job.key, {**_OURS, "automatic": is_automatic(message)}
    return job.key, row_of(decide(message, bundle, job.context), keep=decisions)


_worker_bundle: Bundle | None = None  # loaded once per worker process


def _begin(path: Path) -> None:
    global _worker_bundle
    _worker_bundle = Bundle.load(path)


def _batch(jobs: tuple[tuple[Job, bytes], ...], *, decisions: bool) -> list[tuple[Key, dict[str, Any]]]:
    if _worker_bundle is None:
        raise RuntimeError("the worker was started without its bundle")
    return [_done(job, raw, _worker_bundle, decisions=decisions) for job, raw in jobs]


def _spread(
    pool: ProcessPoolExecutor, jobs: Iterator[tuple[Job, bytes]], ahead: int, *, decisions: bool
) -> Iterator[tuple[Key, dict[str, Any]]]:
    waiting: list[Future[list[tuple[Key, dict[str, Any]]]]] = []
    while True:
        while len(waiting) < ahead and (part := tuple(islice(jobs, _BATCH))):
            waiting.append(pool.submit(_batch, part, decisions=decisions))
        if not waiting:
            return
        yield from waiting.pop(0).result()
