"""A history made by hand: the table that `lab.replay` gives, with only the cells a test cares about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from mailml.sla import Calendar, due, in_words, parse_target

BERLIN = Calendar.from_mapping(
    {"zone": "Europe/Berlin", "week": {"mon-fri": ["09:00-17:00"]}, "country": "DE", "subdiv": "BE"}
)
_BLANK: dict[str, Any] = {
    "account": "desk", "folder": "INBOX", "uidvalidity": 1, "uid": 1, "sha256": "0" * 64, "thread": "T",
    "joined_by": "new", "opens": True, "sent": False, "automatic": False,
    "from_addr": "anna@customer.example", "subject": "question", "kind": "human", "disposition": "deliver",
    "queue": "Billing", "filed_in": "",
    "priority": 0, "category": None, "probability": None, "ack": False, "ack_reason": "",
    "target": "4 business hours", "rule": "default", "final_queue": "", "bundle": "b1", "seen": False,
}  # fmt: skip


def when(text: str) -> datetime:
    """`2026-03-05 13:00` as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ledger(*rows: Mapping[str, Any], calendar: Calendar = BERLIN) -> pd.DataFrame:
    """A history from rows that give at least `at`; due times are computed as production does."""
    made = []
    for number, row in enumerate(rows):
        full = {**_BLANK, "sha256": f"{number:064x}", "uid": number, "due": None, "due_sum": "", **row}
        full["at"] = when(str(row["at"]))
        if full["opens"] and not full["sent"] and full["kind"] == "human":
            promise = due(full["at"], parse_target(full["target"]), calendar)
            full["due"], full["due_sum"] = promise.at, in_words(promise)
        made.append(full)
    frame = pd.DataFrame(made)
    for name in ("at", "due"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype({"probability": "float64"})


@pytest.fixture
def desk_bundle() -> Any:
    """As much of a bundle as the reports look at: its id, its calendar, its queues."""
    flow = SimpleNamespace(queues=lambda: frozenset({"Billing", "Tech Support", "General Support"}))
    return SimpleNamespace(id="b1", desk=SimpleNamespace(calendar=BERLIN), flow=flow)


@pytest.fixture(scope="session")
def history() -> Callable[..., pd.DataFrame]:
    """The maker of histories."""
    return ledger
