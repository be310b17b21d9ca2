"""A history made by hand: the table that `lab.replay` gives, with only the cells a test cares about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle, write
from mailml.bundle import desk as desks
from mailml.flow import source
from mailml.lab.sample_archive import sample_archive
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


DESK = {
    "identity": {
        "addresses": ["support@acme.example", "billing@acme.example"],
        "primary": "support@acme.example",
        "domains": ["acme.example"],
        "authserv_ids": ["mx.acme.example"],
    },
    "calendar": {
        "zone": "Europe/Berlin",
        "week": {"mon-fri": ["09:00-17:00"]},
        "country": "DE",
        "subdiv": "BE",
    },
    "sla": {"target": "4 business hours"},
}
_URGENT = """
default = "General Support"
[[rule]]
name = "urgent"
when = { subject = { contains = "[URGENT]" } }
then = { queue = "Priority Support", priority = 10 }
"""
WORDS = """
[[rule]]
name = "money"
when = { text = { contains = ["invoice", "Rechnung", "facture", "factura", "factuur", "refund"] } }
then = { queue = "Billing" }
[[rule]]
name = "broken"
when = { text = { contains = ["error", "crash", "Fehler", "erreur", "sync"] } }
then = { queue = "Tech Support" }
"""


@pytest.fixture(scope="session")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The sample mailbox, small, with its hostile mails."""
    return sample_archive(tmp_path_factory.mktemp("archive") / "a", messages=400, hostile=True)


@pytest.fixture(scope="session")
def plain_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that knows urgent mail only; all else goes to the default queue."""
    return _bundle(tmp_path_factory.mktemp("plain") / "b", _URGENT)


@pytest.fixture(scope="session")
def word_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with two rules by words on top."""
    return _bundle(tmp_path_factory.mktemp("words") / "b", _URGENT + WORDS)


def _bundle(path: Path, flow: str) -> Bundle:
    made = datetime(2026, 11, 1, tzinfo=UTC)
    return write(path, flow=source.loads(flow), desk=desks.from_mapping(DESK), created=made)
