"""The feedback file gives the table of a replay, as the service lived it; others are refused with a cure."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from mailml.errors import InputError
from mailml.lab.feedback import Feedback, read
from mailml.lab.misrouting import misrouting
from mailml.lab.replay import COLUMNS
from mailml.lab.sla_report import sla_report

HEAD = {"what": "head", "format": 1, "at": "2026-04-01T00:00:00+00:00"}


def message(number: int, **changes: Any) -> dict[str, Any]:
    """A line about one message that opened an interaction in Billing."""
    return {
        "what": "message", "sha256": f"{number:064x}", "message_id": f"<{number}@x>", "mailbox": "desk",
        "uidvalidity": 1, "uid": number, "at": "2026-03-05T09:00:00+00:00", "reference": f"R{number}",
        "opens": True, "joined_by": "new", "from": "anna@customer.example", "subject": "question",
        "kind": "human", "row": "14", "disposition": "deliver", "queue": "Billing", "folder": "",
        "rule": "billing", "category": "billing", "probability": 0.9, "priority": 0,
        "target": "4 business hours", "due_at": "2026-03-05T13:00:00+00:00", "bundle": "b9", "ack": True,
        "ack_reason": "", "queue_now": "Billing", "moved_to": "Queues/Billing",
        "moved_at": "2026-03-05T09:00:01+00:00", "moved_by_hand": False, "undone_at": None, "quarantined": "",
        **changes,
    }  # fmt: skip


def answer(number: int, at: str, *, automatic: bool = False) -> dict[str, Any]:
    """A line about a mail of ours."""
    return {"what": "answer", "reference": f"R{number}", "at": f"{at}+00:00", "automatic": automatic}


LINES = [
    HEAD,
    message(1),
    message(2, queue="Tech Support", queue_now="Billing"),
    message(3, kind="bounce", disposition="file", queue="", folder="Bounces", queue_now="", reference=""),
    message(4, subject="=cmd()"),
    answer(1, "2026-03-05T09:00:05", automatic=True),
    answer(1, "2026-03-05T11:00:00"),
]


def as_jsonl(folder: Path, lines: list[dict[str, Any]]) -> Path:
    """The lines as JSON Lines."""
    path = folder / "feedback.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def as_csv(folder: Path, lines: list[dict[str, Any]]) -> Path:
    """The lines as a spreadsheet has them."""
    path = folder / "feedback.csv"
    keys = list(dict.fromkeys(key for line in lines for key in line))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, keys, restval="")
        writer.writeheader()
        for line in lines:
            cells = {
                k: str(v).lower() if isinstance(v, bool) else v for k, v in line.items() if v is not None
            }
            writer.writerow({k: f"'{v}" if str(v).startswith("=") else v for k, v in cells.items()})
    return path


@pytest.fixture(params=[as_jsonl, as_csv], ids=["jsonl", "csv"])
def feedback(request: pytest.FixtureRequest, tmp_path: Path) -> Feedback:
    """The same file in both forms."""
    return read(request.param(tmp_path, LINES))


def test_the_ledger_is_a_replays(feedback: Feedback) -> None:
    """Columns and types are those of `lab.replay`; messages and mail of ours stand in order of time."""
    rows = feedback.ledger()
    assert list(rows.columns) == list(COLUMNS)
    assert rows["sent"].tolist() == [False] * 4 + [True] * 2
    assert rows["automatic"].tolist() == [False] * 4 + [True, False]
    assert rows["at"].is_monotonic_increasing
    assert rows["subject"].tolist()[3] == "=cmd()"
    assert rows["due"].dt.hour.tolist()[0] == 13


def test_a_resolving_queue_is_only_claimed_where_known(feedback: Feedback) -> None:
    """Answered where it was, or moved to another queue: known. Routed and never touched: unknown."""
    assert feedback.ledger()["final_queue"].tolist()[:4] == ["Billing", "Billing", "", ""]


def test_reports_are_made_from_it(feedback: Feedback, desk_bundle: Any) -> None:
    """First answers and misroutes by the bundle that really decided, and the source says so."""
    rows = feedback.ledger()
    sla = sla_report(rows, desk_bundle, source=feedback.source)
    assert sla.interactions["minutes"].tolist()[0] == 120.0
    assert len(sla.interactions) == 3
    assert "journal of mailml-serve" in sla.page().html()
    report = misrouting(rows, desk_bundle, source=feedback.source)
    assert (report.rate.hits, report.rate.of, report.unknown) == (1, 2, 1)
    assert report.by("bundle")["bundle"].tolist() == ["b9"]


def test_over_a_mailbox_the_services_word_counts(feedback: Feedback, history: Any) -> None:
    """Rule, queue and bundle are the service's; answers and folders the mailbox's; others stay out."""
    replayed = history(
        {
            "at": "2026-03-05 09:00",
            "sha256": f"{2:064x}",
            "queue": "General Support",
            "final_queue": "Billing",
        },
        {"at": "2026-03-05 09:00", "sha256": "f" * 64},
        {"at": "2026-03-05 10:00", "sent": True, "opens": False, "sha256": "e" * 64, "queue": ""},
    ).assign(row="", thanks=False)
    rows = feedback.overlay(replayed)
    assert len(rows) == 2
    assert rows.iloc[0][["queue", "final_queue", "rule", "bundle"]].tolist() == [
        "Tech Support", "Billing", "billing", "b9",
    ]  # fmt: skip
    assert bool(rows.iloc[1]["sent"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"SQLite format 3\0 and so on", "the journal itself"),
        (b"{}\n", "no line of a feedback file"),
        (b"not json\n", "is no JSON"),
        (b'{"what": "head", "format": 2, "at": ""}\n', "has format 2"),
        (b"", "has format none"),
    ],
)
def test_other_files_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    """Each kind of wrong file has its sentence and the command that writes the right one."""
    path = tmp_path / "f.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as told:
        read(path)
    assert "mailml-serve export-feedback" in str(told.value)


def test_a_database_address_is_refused_with_the_way_out() -> None:
    """Whoever names the journal's database learns how to export it."""
    with pytest.raises(InputError, match="database's address"):
        read("postgresql://user@host/journal")
