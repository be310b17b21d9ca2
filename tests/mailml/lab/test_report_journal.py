"""Reports of what the service really did: from its feedback file, alone or with the mailbox's history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.cli import app
from mailml.errors import InputError
from mailml.lab.replay import replay
from mailml.lab.report import FROM_JOURNAL, report
from tests.mailml.lab.test_report import checked


@pytest.fixture(scope="module")
def journal(mailbox: Archive, word_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file a service would write that had decided the sample mailbox, hostile mails included."""
    rows = replay(mailbox, word_bundle)
    lines: list[dict[str, Any]] = [{"what": "head", "format": 1, "at": "2026-11-01T00:00:00+00:00"}]
    lines += [_line(row) for row in rows.to_dict("records")]
    path = tmp_path_factory.mktemp("journal") / "feedback.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _line(row: dict[Any, Any]) -> dict[str, Any]:
    at = row["at"].isoformat()
    if row["sent"]:
        return {"what": "answer", "reference": row["thread"], "at": at, "automatic": row["automatic"]}
    return {
        "what": "message", "sha256": row["sha256"], "mailbox": "desk", "uidvalidity": 1, "uid": row["uid"],
        "at": at, "reference": row["thread"], "opens": row["opens"], "joined_by": row["joined_by"],
        "from": row["from_addr"], "subject": row["subject"], "kind": row["kind"], "row": row["row"],
        "disposition": row["disposition"], "queue": row["queue"], "folder": row["filed_in"],
        "rule": row["rule"], "category": row["category"], "probability": None, "priority": row["priority"],
        "target": row["target"], "due_at": None if pd.isna(row["due"]) else row["due"].isoformat(),
        "bundle": row["bundle"], "ack": row["ack"], "ack_reason": row["ack_reason"],
        "queue_now": row["final_queue"] or row["queue"], "moved_to": f"Queues/{row['queue']}",
        "moved_by_hand": False, "undone_at": None, "quarantined": "",
    }  # fmt: skip


@pytest.mark.parametrize("with_archive", [False, True], ids=["alone", "with the mailbox"])
@pytest.mark.parametrize("kind", FROM_JOURNAL)
def test_every_page_says_its_source_and_is_safe(
    kind: str, with_archive: bool, mailbox: Archive, word_bundle: Bundle, journal: Path
) -> None:
    """Whatever hostile mail the service met, the page runs nothing, loads nothing, and names the journal."""
    archive = mailbox if with_archive else None
    html = report(kind, archive, word_bundle, journal=journal, days=200).html()
    document = checked(html)
    assert document.tags.count("h1") == 1
    assert "the journal of mailml-serve" in html
    assert ("from the mailbox" in html) == with_archive
    assert "mallory@evil.test" not in html


def test_both_sources_agree(mailbox: Archive, word_bundle: Bundle, journal: Path) -> None:
    """A service that decided as the bundle does has the replay's answers: the tiles are the same."""
    plain = report("sla", mailbox, word_bundle)
    lived = report("sla", mailbox, word_bundle, journal=journal)
    alone = report("sla", None, word_bundle, journal=journal)
    assert plain.tiles == lived.tiles == alone.tiles


def test_what_no_report_can_be_made_of(word_bundle: Bundle, mailbox: Archive, journal: Path) -> None:
    """Neither archive nor journal, and a back-test from a journal, are refused with what to do."""
    with pytest.raises(InputError, match="nothing to report on"):
        report("sla", None, word_bundle)
    with pytest.raises(InputError, match="nothing to report on"):
        report("drift", None, word_bundle)
    with pytest.raises(InputError, match="not made from a journal"):
        report("overview", mailbox, word_bundle, journal=journal)


def test_the_command_takes_a_journal(word_bundle: Bundle, journal: Path, tmp_path: Path) -> None:
    """`mailml report --journal` needs no archive, writes the file and says what it was made from."""
    out = tmp_path / "sla.html"
    arguments = ["report", "--kind", "sla", "--bundle", str(word_bundle.path), "--out", str(out)]
    done = CliRunner().invoke(app, [*arguments, "--journal", str(journal)])
    assert done.exit_code == 0, done.output
    assert "made from: the journal of mailml-serve" in done.output
    checked(out.read_text(encoding="utf-8"))
    (tmp_path / "j.sqlite").write_bytes(b"SQLite format 3\0")
    refused = CliRunner().invoke(app, [*arguments, "--journal", str(tmp_path / "j.sqlite")])
    assert "mailml-serve export-feedback" in str(refused.exception)
