"""The digest of filed mail and its undoing: back to a queue, with an interaction and a label for the lab."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailml.errors import InputError
from mailml.message import parse
from mailml.text.printable import one_line
from mailml.thread import copy_key, parties_of

from .config import Mailbox
from .instants import DAY, Clock, now_ms, to_datetime, words
from .journal import Journal, Tx, decisions, events, incoming, interactions, outbox
from .threads import open_interaction


@dataclass(frozen=True, slots=True)
class Filed:
    """One filed message as the digest shows it: number, where it lies, and the evidence that put it there."""

    number: int
    mailbox: str
    kind: str
    folder: str
    at: str
    sender: str
    subject: str
    evidence: str
    message: str  # its SHA-256, by which the workbench names it


def digest(journal: Journal, days: float = 1.0, *, clock: Clock = now_ms) -> list[Filed]:
    """What was filed in the last days and not put back."""
    with journal.read() as tx:
        rows = decisions.filed(tx, clock() - round(days * DAY))
    return [_shown(row) for row in rows]


def _shown(row: dict[str, Any]) -> Filed:
    message = parse(row["raw"] or b"")
    verdict = json.loads(row["decision"])["verdict"]
    first = verdict["evidence"][0] if verdict["evidence"] else {"name": row["rule"], "value": ""}
    return Filed(
        number=row["id"],
        mailbox=row["mailbox"],
        kind=row["kind"],
        folder=row["folder"],
        at=words(row["decided_at"]),
        sender=one_line(message.from_.addr) if message.from_ else "",
        subject=one_line(message.subject),
        evidence=one_line(f"row {verdict['row']}, {first['name']}: {first['value']}"),
        message=row["sha256"],
    )


def undo(
    journal: Journal,
    number: int,
    mailbox: Mailbox,
    queue: str,
    *,
    labels: Path | None = None,
    by: str = "",
    clock: Clock = now_ms,
) -> str:
    """Put filed mail into a queue after all: a person wrote it. Returns the interaction's reference.

    No acknowledgement is sent. The mail moves out of the folder it was filed in, and the label `human` is
    written to `labels` (JSON Lines, appended and synced). Raises InputError when there is nothing to undo.
    """
    if not queue.strip() or not queue.isprintable():
        raise InputError(f"{queue!r:.100} is no queue", cure="Name one of the flow's queues")
    now = clock()
    with journal.write() as tx:
        mail = next(iter(incoming.claimed(tx, [number])), None)
        row = decisions.one(tx, number)
        if mail is None or row is None or not decisions.undo(tx, number, now):
            raise InputError(f"no filed message has number {number}", cure="See: mailml-serve filed list")
        reference = _interaction(tx, mail, queue)
        source, target = mailbox.filed_folder(row["folder"]), mailbox.queue_folder(queue)
        outbox.add_move(tx, mail.mailbox_id, mail.id, target, now, source=source)
        events.add(tx, "filing_undone", now, row["kind"], mailbox=mail.mailbox_id, incoming=mail.id)
    if labels is not None:
        _label(labels, mail.sha256, row["kind"], by or os.environ.get("USER", "operator"), now)
    return reference


def _interaction(tx: Tx, mail: incoming.Claimed, queue: str) -> str:
    """The interaction the message was an event of already, or a new one."""
    message = parse(mail.raw)
    found = interactions.of_message(tx, mail.id)
    if found is None:
        found = open_interaction(tx, mail, message, queue=queue)
        sender = message.from_.addr if message.from_ else ""
        interactions.arrive(
            tx,
            found.id,
            mail.id,
            mail.received_at,
            sender=sender,
            kind="human",
            joined_by="undo",
            copy_key=copy_key(message),
        )
    interactions.add_parties(tx, found.id, parties_of(message))
    return found.reference


def _label(path: Path, sha256: str, kind: str, by: str, now: int) -> None:
    entry = {
        "message": sha256,
        "label": "human",
        "by": by,
        "source": "panel",
        "at": to_datetime(now).isoformat(),
        "confidence": 1.0,
        "note": f"was filed as {kind}",
    }
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
