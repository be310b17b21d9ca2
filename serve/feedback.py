"""`mailml-serve export-feedback`: the journal as a file that the lab reads, for labels and for reports.

The lab never opens the journal: it reads this file, so neither needs the other's schema or database. The
format has a number; the keys are described in serve/README.md.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mailml.errors import InputError
from mailml.message import Message, parse

from .arguments import DEFAULT, ConfigOption, opened
from .instants import DAY, Clock, now_ms, to_datetime
from .journal import Journal
from .journal import feedback as journal_feedback

FORMAT = 1  # raise it when a key changes its meaning; the lab refuses numbers it does not know
KEYS = (
    "what", "sha256", "message_id", "mailbox", "uidvalidity", "uid", "at", "reference", "opens", "joined_by",
    "from", "subject", "kind", "row", "disposition", "queue", "folder", "rule", "category", "probability",
    "priority", "target", "due_at", "bundle", "ack", "ack_reason", "queue_now", "moved_to", "moved_at",
    "moved_by_hand", "undone_at", "quarantined", "automatic", "to", "format",
)  # fmt: skip


def export_feedback(
    out: Annotated[Path, typer.Option("--out", help="The file: .jsonl, or .csv with the same keys.")],
    config: ConfigOption = DEFAULT,
    days: Annotated[float | None, typer.Option(help="Only what came in the last days.")] = None,
) -> None:
    """Write what the service decided, moved and sent, and what people undid, for `mailml` to read."""
    with opened(config) as (_, journal):
        count = write(out, feedback(journal, days=days))
    typer.echo(f"{count} lines: {out}")


def feedback(
    journal: Journal, *, days: float | None = None, clock: Clock = now_ms
) -> Iterator[dict[str, Any]]:
    """A head with the format number, then a line per message and per mail of ours that left."""
    now = clock()
    since = 0 if days is None else now - round(days * DAY)
    yield {"what": "head", "format": FORMAT, "at": _time(now)}
    with journal.read() as tx:
        for row in journal_feedback.messages(tx, since):
            yield _message(row)
        seen = set[tuple[str, int]]()
        for mail in journal_feedback.answers(tx, since):
            seen.add((mail["reference"], mail["done_at"]))
            yield {
                "what": "answer",
                "reference": mail["reference"],
                "message_id": mail["message_id"],
                "to": mail["recipient"],
                "at": _time(mail["done_at"]),
                "automatic": mail["effect"] == "ack",
            }
        # an answer that left by another way than our outbox stops the clock just the same
        for one in journal_feedback.answered(tx, since):
            if (one["reference"], one["answered_at"]) not in seen:
                at = _time(one["answered_at"])
                yield {"what": "answer", "reference": one["reference"], "at": at, "automatic": False}


def _message(row: dict[str, Any]) -> dict[str, Any]:
    made = json.loads(row["decision"]) if row["decision"] else None
    message = parse(row["raw"]) if row["raw"] is not None else None
    return {
        "what": "message",
        **{key: row[key] for key in ("sha256", "message_id", "mailbox", "uidvalidity", "uid")},
        "at": _time(row["received_at"]),
        "reference": row["reference"] or "",
        "opens": row["opened_by"] is not None and row["opened_by"] == row["id"],
        "joined_by": row["joined_by"] or "",
        **_people(row, message),
        **(_decided(made) if made else {}),
        "bundle": row["bundle"] or "",
        "queue_now": row["queue_now"] or "",
        **_moved(row["moves"]),
        "undone_at": _time(row["undone_at"]),
        "quarantined": (row["quarantined"] or "") if row["state"] == "quarantined" else "",
    }


def _people(row: dict[str, Any], message: Message | None) -> dict[str, str]:
    """Sender and subject; the interaction's own where the raw mail is no longer kept."""
    sender = message.from_.addr if message and message.from_ else row["sender"] or ""
    subject = message.subject if message else row["subject"] or ""
    # bytes of no charset must not keep the line from being written
    return {
        name: value.encode("utf-8", "replace").decode()
        for name, value in (("from", sender), ("subject", subject))
    }


def _decided(made: dict[str, Any]) -> dict[str, Any]:
    category, due = made["category"] or {}, made["due"] or {}
    return {
        "kind": made["verdict"]["kind"],
        "row": made["verdict"]["row"],
        "disposition": made["disposition"],
        "queue": made["queue"],
        "folder": made["folder"],
        "rule": made["rule"],
        "category": category.get("label"),
        "probability": category.get("probability"),
        "priority": made["priority"],
        "target": due.get("target", ""),
        "due_at": due.get("at"),
        "ack": made["ack"]["send"],
        "ack_reason": made["ack"]["reason"] or "",
    }


def _moved(moves: list[dict[str, Any]]) -> dict[str, Any]:
    """Where the router itself put the message; `moved_by_hand` when somebody was quicker."""
    done = [move for move in moves if move["state"] == "done"]
    return {
        "moved_to": done[-1]["folder"] if done else "",
        "moved_at": _time(done[-1]["done_at"]) if done else None,
        "moved_by_hand": any(move["state"] == "gone" for move in moves),
    }


def write(out: Path, lines: Iterable[dict[str, Any]]) -> int:
    """Write the lines as JSON Lines or CSV by the file's name, readable for its owner alone; how many.

    Raises InputError for another kind of file or a place that cannot be written to.
    """
    if out.suffix not in (".jsonl", ".csv"):
        raise InputError(f"{out.name} is neither .jsonl nor .csv", cure="Name the file feedback.jsonl")
    part = out.with_name(f".{out.name}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            count = _csv(file, lines) if out.suffix == ".csv" else _jsonl(file, lines)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(out)) from error
    return count


def _jsonl(file: Any, lines: Iterable[dict[str, Any]]) -> int:
    count = 0
    for line in lines:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        count += 1
    return count


def _csv(file: Any, lines: Iterable[dict[str, Any]]) -> int:
    writer = csv.DictWriter(file, KEYS, restval="")
    writer.writeheader()
    count = 0
    for line in lines:
        writer.writerow({key: "" if value is None else _cell(value) for key, value in line.items()})
        count += 1
    return count


def _cell(value: object) -> object:
    """A spreadsheet runs cells that begin like a formula; a quote in front keeps it text."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _time(ms: int | None) -> str | None:
    return None if ms is None else to_datetime(ms).isoformat()
