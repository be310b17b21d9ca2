"""The report on automated mail finds what the Sent folder proves wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab.labels import Label, Labels

History = Callable[..., pd.DataFrame]


def _rows(history: History) -> pd.DataFrame:
    bounce: dict[str, Any] = {"kind": "bounce", "row": "3", "ack_reason": "bounce"}
    return history(
        {
            "at": "2026-03-05 09:00",
            "thread": "A",
            "row": "10",
            "kind": "list_bulk",
            "subject": "<b onclick=x>",
        },
        {"at": "2026-03-05 10:00", "thread": "A", "row": "", "kind": "", "sent": True},
        {"at": "2026-04-05 09:00", "thread": "B", **bounce},
        {"at": "2026-04-05 09:01", "thread": "B", "row": "", "kind": "", "sent": True, "automatic": True},
        {"at": "2026-04-06 09:00", "thread": "C", "row": "14"},
    )


def test_answered_and_acknowledged_machines_are_told_apart(history: History) -> None:
    """A person's answer shows a person silenced, an automatic one a machine acknowledged."""
    report = lab.autoreply_report(_rows(history))
    assert list(report.silenced()["evidence"]) == ["row 10"]
    assert list(report.acked()["evidence"]) == ["row 3"]
    assert report.by_month().loc["2026-04", "bounce"] == 1


def test_labels_give_precision_and_recall(history: History, tmp_path: Path) -> None:
    """Only messages with the labels automated or human count."""
    store, at = Labels(tmp_path / "labels.jsonl"), datetime(2026, 5, 1, tzinfo=UTC)
    said = {0: "human", 2: "automated", 4: "automated"}
    store.add([Label(f"{n:064x}", label, "anna", "panel", at) for n, label in said.items()])
    report = lab.autoreply_report(_rows(history), labels=store)
    assert (report.precision.hits, report.precision.of) == (1, 2)
    assert (report.recall.hits, report.recall.of) == (1, 2)


def test_strangers_words_stay_text(history: History) -> None:
    """Subjects are escaped and addresses masked in the notebook."""
    shown = lab.autoreply_report(_rows(history))._repr_html_()
    assert "&lt;b onclick=x&gt;" in shown
    assert "<b onclick" not in shown
    assert "anna@customer" not in shown


def test_on_an_archive_the_evidence_is_shown(mailbox: Archive, plain_bundle: Bundle) -> None:
    """An archive is replayed with the bundle and every machine's mail has evidence."""
    report = lab.autoreply_report(mailbox, plain_bundle)
    machines = report.incoming[report.incoming["kind"].ne("human")]
    assert len(machines)
    assert machines["evidence"].ne("").all()
    with pytest.raises(InputError, match="needs a bundle"):
        lab.autoreply_report(mailbox)
