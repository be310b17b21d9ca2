"""A row of a back-test in words: what changes, whether it is better, and what agents did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailml.lab.escape import mask

BETTER, WORSE, NO_BETTER, UNKNOWN = "better", "worse", "no better", "unknown"


def judgement(row: Mapping[str, Any]) -> str:
    """Better, worse, no better or unknown: by the queue the message belonged in."""
    if not row["changed_queue"]:
        return "other " + ", ".join(name for name in ("priority", "ack", "due") if row[f"changed_{name}"])
    if not row["truth"]:
        return UNKNOWN
    before, after = row["queue_before"] == row["truth"], row["queue_after"] == row["truth"]
    return BETTER if after and not before else WORSE if before and not after else NO_BETTER


def what_changes(row: Mapping[str, Any]) -> str:
    """`Billing → Tech Support; priority 0 → 10; gains the acknowledgement`."""
    places = [row[f"queue_{side}"] or f"filed in {row[f'filed_in_{side}']}" for side in ("before", "after")]
    told = [" → ".join(places) if row["changed_queue"] else f"stays in {places[1]}"]
    if row["changed_priority"]:
        told.append(f"priority {row['priority_before']} → {row['priority_after']}")
    if row["changed_ack"]:
        told.append(f"{'gains' if row['ack_after'] else 'loses'} the acknowledgement")
    if row["changed_due"]:
        told.append(f"due {_when(row['due_before'])} → {_when(row['due_after'])}")
    return "; ".join(told)


def what_agents_did(row: Mapping[str, Any], *, masked: bool = True) -> str:
    """Where agents left the message, and who answered when."""
    place = f"Agents left it in {row['folder']}"
    if row["truth"] and row["truth"].casefold() not in row["folder"].casefold():
        place += f"; it belonged in {row['truth']}"
    if not isinstance(row["answered_at"], datetime) or row["answered_at"] != row["answered_at"]:
        return f"{place}. Nobody answered it."
    hours = (row["answered_at"] - row["at"]).total_seconds() / 3600
    who = mask(row["answered_by"]) if masked else row["answered_by"]
    return f"{place}. {who} answered {row['answered_at']:%Y-%m-%d %H:%M} UTC, {hours:,.1f} hours later."


def _when(value: Any) -> str:
    return f"{value:%a %d %b %H:%M}" if value is not None and value == value else "never"
