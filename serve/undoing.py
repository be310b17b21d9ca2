"""Requests of the workbench to put filed mail back: a file that `mailml-serve filed undo --from` carries out.

The workbench changes no mail. What an analyst marks there stands in a file of JSON Lines, and whoever runs
the service carries it out, once: a request for mail that lies in a queue already is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mailml.errors import InputError

from .config import Mailbox
from .filed import undo
from .instants import Clock, now_ms
from .journal import Journal, decisions

_LONGEST = 4096  # characters of a line; a request has a few hundred


@dataclass(frozen=True, slots=True)
class Request:
    """Put this message back: its SHA-256, into which queue ("" is the flow's default), and who says so."""

    message: str
    queue: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of a request: `done`, `before` (it lies in a queue already) or `unknown`."""

    request: Request
    state: str
    number: int = 0
    queue: str = ""
    reference: str = ""


def requests(path: Path) -> list[Request]:
    """The requests of a file, the last word on each message, withdrawn ones left out.

    Raises InputError with the line for one that is no request; a line torn by a crash at the end was never
    promised to anybody and is passed over.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from error
    found: dict[str, Request] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == len(lines) and not line.endswith("}")):
            continue
        message, request = _read(line, f"{path}:{number}")
        if request is None:
            found.pop(message, None)
        else:
            found[message] = request
    return list(found.values())


def _read(line: str, where: str) -> tuple[str, Request | None]:
    try:
        row = json.loads(line) if len(line) <= _LONGEST else None
    except ValueError:
        row = None
    message = row.get("message") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(message, str) or len(message) != 64:
        raise InputError(
            "is no request to undo a filing", where=where, cure="Write it with lab.panels.digest"
        )
    if row.get("withdrawn"):
        return message, None
    return message, Request(message, str(row.get("queue") or ""), str(row.get("by") or ""))


def carry_out(
    journal: Journal,
    asked: Collection[Request],
    mailboxes: Mapping[str, Mailbox],
    queues: Collection[str],
    default: str,
    *,
    labels: Path | None = None,
    clock: Clock = now_ms,
) -> list[Undone]:
    """Put back what is asked for, each in a transaction of its own; tells of every request what became of it.

    A message that came into several mailboxes is put back in each. Raises InputError, before anything is
    done, for a queue that the flow does not know.
    """
    strange = sorted({request.queue for request in asked} - {"", *queues})
    if strange:
        cure = f"The queues are {', '.join(sorted(queues))}"
        raise InputError(f"no queue has the name {strange[0]!r:.80}", cure=cure)
    done: list[Undone] = []
    for request in asked:
        with journal.read() as tx:
            copies = decisions.filings(tx, request.message)
        if not copies:
            done.append(Undone(request, "unknown"))
        for number, mailbox, undone in copies:
            if undone or mailbox not in mailboxes:
                done.append(Undone(request, "before" if undone else "unknown", number))
                continue
            queue = request.queue or default
            reference = undo(
                journal, number, mailboxes[mailbox], queue, labels=labels, by=request.by, clock=clock
            )
            done.append(Undone(request, "done", number, queue, reference))
    return done
