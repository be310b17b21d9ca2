"""All the real and malformed mail there is, through a real server and the running service."""

from __future__ import annotations

import collections
import json
import smtplib
from pathlib import Path

import pytest

from tests.serve.service import Service

pytestmark = [pytest.mark.scenario, pytest.mark.slow]


def test_every_real_message_ends_in_exactly_one_outcome(service: Service, shared: Path) -> None:
    """None lost, none blocking, none answered that is automatic, and every decision can be made again."""
    folder = shared / "mail"
    entries = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    server = service.mailbox.server
    with smtplib.LMTP("127.0.0.1", server.lmtp_port) as lmtp:
        for entry in entries:
            lmtp.sendmail("sender@example.org", [service.mailbox.name], (folder / entry["file"]).read_bytes())
    service.once()
    lines = service.decisions("--verify")
    assert len(lines) == len(entries)
    assert len({(line["uidvalidity"], line["uid"]) for line in lines}) == len(entries)
    assert {line["state"] for line in lines} <= {"decided", "quarantined"}
    assert all(line["same_again"] for line in lines if line["state"] == "decided")
    moved = collections.Counter(
        one["state"] for line in lines for one in line["effects"] if one["effect"] == "move"
    )
    assert set(moved) == {"done"}
    quarantined = sum(line["state"] == "quarantined" for line in lines)
    assert sum(service.folders().values()) == len(entries) + len(service.sink.mails)
    assert service.folders().get("INBOX", 0) == quarantined
    service.call("reconcile")
