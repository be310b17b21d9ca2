"""What the running service did with the mail that just came in, as a section of a report."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mailml.autoreply.reasons import REASONS
from mailml.errors import InputError
from mailml.lab.escape import mask
from mailml.lab.report.page import Section, Tile, table

_SHOWN = 25  # mails that are shown at once; the rest opens on demand
_COLUMNS = ("subject", "from", "kind", "went to", "priority", "category", "acknowledged", "after")
Live = Iterable[Mapping[str, Any]] | str | os.PathLike[str]


def read_live(live: Live) -> list[dict[str, Any]]:
    """Decisions of the running service: mappings, or the file of `mailml-serve decisions --jsonl`.

    Known keys: subject, from, kind, queue, folder, priority, category, probability, ack, reason, seconds
    (from arrival to routed), or the service's own `decision` and `seconds_to_moved`. Others are ignored,
    missing ones are shown as a dash. Raises InputError for a line that is no JSON object.
    """
    if not isinstance(live, (str, os.PathLike)):
        return [_flat(row) for row in live]
    rows = []
    for number, line in enumerate(Path(live).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"is no JSON ({error})", where=f"{live}:{number}") from error
        if not isinstance(row, dict):
            raise InputError("is no JSON object", where=f"{live}:{number}")
        rows.append(_flat(row))
    return rows


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the service with its decision spread out; what is flat already stays as it is."""
    decision = row.get("decision")
    if not isinstance(decision, Mapping):
        if row.get("quarantined"):
            return {**row, "folder": "quarantine", "reason": row["quarantined"]}
        return dict(row)
    told = {
        "kind": decision["verdict"]["kind"],
        "queue": decision["queue"],
        "folder": decision["folder"],
        "priority": decision["priority"],
        "category": decision["category"],
        "ack": decision["ack"]["send"],
        "reason": decision["ack"]["reason"],
        "seconds": row.get("seconds_to_moved"),
        # a journal that keeps the raw mail no longer tells no subject: a rule may have found it
        "subject": row.get("subject") or _subject(decision) or f"message {str(row.get('sha256', ''))[:12]}",
        "from": row.get("from") or decision["verdict"].get("reply_to", ""),
    }
    return {**{name: value for name, value in row.items() if name != "decision"}, **told}


def _subject(decision: Mapping[str, Any]) -> str:
    """The subject as a rule found it."""
    tests = (test for step in decision.get("trace", ()) for test in step["tests"])
    return next((str(test["found"]) for test in tests if test["field"] == "subject"), "")


def live_tiles(rows: list[dict[str, Any]]) -> tuple[Tile, ...]:
    """How many, how fast, and that no machine was answered."""
    seconds = [float(row["seconds"]) for row in rows if row.get("seconds") is not None]
    answered = sum(bool(row.get("ack")) and row.get("kind") != "human" for row in rows)
    fast = (
        f"median {statistics.median(seconds):.2f} s from arrival to its queue" if seconds else "routed live"
    )
    return (
        Tile("mails routed live", f"{len(rows):,}", fast, "good"),
        Tile(
            "machines answered",
            f"{answered:,}",
            "no reply to a robot, no loop",
            "bad" if answered else "good",
        ),
    )


def live_section(rows: list[dict[str, Any]], *, addresses: bool = False) -> Section:
    """One line per mail: where it went, how urgent, and whether it was acknowledged."""
    now = [row for row in rows if _why(row) != "too_old"]
    old = [row for row in rows if _why(row) == "too_old"]
    parts = (
        (now[:_SHOWN], "", False),
        (now[_SHOWN:], "The mails after these", True),
        (old, "Old mail that lay in the inbox when the service started: routed, not acknowledged", True),
    )
    tables = tuple(
        table(_COLUMNS, [_cells(row, str if addresses else mask) for row in part], caption, folded=folded)
        for part, caption, folded in parts
        if part
    )
    lead = "Mail that reached the running service over SMTP, in order, with what was done about it."
    return Section("The mail that just came in", lead, None, tables)


def _cells(row: Mapping[str, Any], hide: Callable[[object], str]) -> tuple[object, ...]:
    return (
        hide(row.get("subject") or "(no subject)"),
        hide(row.get("from") or row.get("from_addr") or ""),
        str(row.get("kind") or "").replace("_", " "),
        row.get("queue") or f"filed: {row.get('folder') or ''}",
        row.get("priority"),
        _category(row),
        _ack(row),
        None if row.get("seconds") is None else f"{float(row['seconds']):.2f} s",
    )


def _category(row: Mapping[str, Any]) -> str | None:
    label = row.get("category")
    if isinstance(label, Mapping):
        row, label = {**row, "probability": label.get("probability")}, label.get("label")
    if not label:
        return None
    chance = row.get("probability")
    return f"{label} {float(chance):.0%}" if chance is not None else str(label)


def _ack(row: Mapping[str, Any]) -> str:
    if row.get("ack"):
        return "yes"
    why = _why(row)
    return f"no: {REASONS.get(why, why)}" if why else "no"


def _why(row: Mapping[str, Any]) -> str:
    return str(row.get("reason") or row.get("ack_reason") or "")
