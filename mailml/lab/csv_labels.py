"""Labels from a CSV file, keyed by SHA-256 or Message-ID: what a spreadsheet or help desk exports."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailml.errors import InputError, LabelError
from mailml.files import read_text
from mailml.lab.labels import Label


def from_csv(
    path: str | os.PathLike[str],
    *,
    by: str = "",
    at: datetime | None = None,
    known: Iterable[str] | None = None,
    messages: Any = None,
) -> list[Label]:
    """Labels from a CSV file with the columns `message` (SHA-256 or Message-ID) and `label`.

    The columns `by`, `confidence` and `note` are optional. With `messages` (a frame or an archive)
    Message-IDs are looked up, and every label for a message that is not there is refused; so it is with
    `known`, the hashes of an archive. Raises LabelError naming the lines.
    """
    file = Path(path)
    try:
        text = read_text(file, most=0)
    except InputError as error:
        raise LabelError(error.what, where=str(file), cure=error.cure) from error
    reader = csv.DictReader(io.StringIO(text))
    if not {"message", "label"} <= set(reader.fieldnames or ()):
        cure = "The first line names the columns"
        raise LabelError("has no columns `message` and `label`", where=str(file), cure=cure)
    ids: dict[str, list[str]] = {}
    if messages is not None:
        ids, known = _message_ids(messages)
    at, author = at or datetime.now(UTC), by or file.name
    labels = [
        label
        for line, row in enumerate(reader, 2)
        for label in _from_row(row, author, at, ids, f"{file}:{line}")
    ]
    if known is not None:
        _refuse_unknown(labels, frozenset(known), str(file))
    return labels


def _message_ids(messages: Any) -> tuple[dict[str, list[str]], set[str]]:
    """Message-ID -> the messages that carry it, and every hash; an empty Message-ID names nothing."""
    columns = ["message_id", "sha256"]
    table = messages.table(columns=columns).to_pydict() if hasattr(messages, "table") else messages
    found: dict[str, list[str]] = {}
    for message_id, sha in zip(table["message_id"], table["sha256"], strict=True):
        if message_id and sha not in found.setdefault(str(message_id), []):
            found[str(message_id)].append(str(sha))
    return found, {str(sha) for sha in table["sha256"]}


def _from_row(
    row: Mapping[str, str | None], author: str, at: datetime, ids: Mapping[str, list[str]], where: str
) -> list[Label]:
    """The labels of one line: one, or one for every copy of a Message-ID."""
    cell = {key: (value or "").strip() for key, value in row.items() if isinstance(value, str)}
    if not cell.get("label"):
        raise LabelError("the label is empty", where=where)
    named = cell.get("message", "")
    if "@" in named and named not in ids:
        cure = "Pull again, or take the line out" if ids else "Pass the archive, so that it can be looked up"
        raise LabelError(f"no message has the Message-ID {named!r:.80}", where=where, cure=cure)
    try:
        sure = float(cell.get("confidence") or 1.0)
        by, note = cell.get("by") or author, cell.get("note", "")
        hashes = ids.get(named, [named.lower()])
        return [Label(sha, cell["label"], by, "csv", at, sure, note) for sha in hashes]
    except (LabelError, ValueError) as error:
        raise LabelError(str(error), where=where) from error


def _refuse_unknown(labels: list[Label], known: frozenset[str], where: str) -> None:
    gone = [label.message for label in labels if label.message not in known]
    if gone:
        shown = ", ".join(f"{message[:12]}…" for message in gone[:3])
        what = f"{len(gone)} of {len(labels)} labels are for messages that are not in the archive ({shown})"
        raise LabelError(what, where=where, cure="Pull again, or take these lines out")
