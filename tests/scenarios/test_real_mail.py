"""Real and malformed mail through a real server: every message has one outcome, none is lost, none blocks."""

from __future__ import annotations

import json
import smtplib
from collections import Counter
from pathlib import Path

import pytest

from mailml import lab
from mailml.bundle import Bundle
from mailml.lab.pull import pull
from mailml.lab.report import report
from serve.limits import Limits
from tests.serve.service import Service

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.timeout(900)]


def test_every_real_mail_ends_in_one_outcome_and_can_be_reported_on(
    service: Service, shared: Path, tmp_path: Path
) -> None:
    """All shared mail delivered by LMTP, routed by the running service, then pulled, framed and reported."""
    files = sorted((shared / "mail").glob("*/*.eml"))
    refused = deliver_all(service, files)
    arrived = service.folders()["INBOX"]
    assert arrived + refused == len(files)
    assert refused <= 5  # what the server itself does not take, never reached us

    service.limits = dict.fromkeys((name for name in Limits.model_fields if name != "freemail"), 1_000_000)
    with service:
        service.wait(lambda: ended(service) == arrived, "an outcome for every mail", 600)
        service.wait(
            lambda: service.folders().get("INBOX", 0) == outcomes(service)["quarantined"], "moves", 300
        )
        assert service.stop() == 0
    print("outcomes:", dict(outcomes(service)), "refused by the server:", refused)
    assert set(outcomes(service)) <= {"decided", "quarantined"}
    lines = service.decisions()
    assert len({(line["mailbox"], line["uid"]) for line in lines}) == len(lines)
    assert not [line for line in lines if line["decision"]["queue"] and line["decision"]["folder"]]
    assert service.call("reconcile").code == 0

    archive = lab.Archive.open(tmp_path / "archive", create=True)
    folders = [name for name in service.folders() if name != "Sent"]
    assert pull(service.mailbox.account("none"), archive, folders, False).new == arrived
    bundle = Bundle.load(service.bundle_path)
    frame = lab.frame(archive, bundle)
    assert len(frame) == arrived
    assert frame["kind"].isin(["bounce"]).sum() > 250
    page = report("automated", archive, bundle).html()
    assert "<script" not in page.lower()


def deliver_all(service: Service, files: list[Path]) -> int:
    """Deliver every file over one LMTP connection; returns how many the server refused."""
    refused = 0
    with smtplib.LMTP("127.0.0.1", service.mailbox.server.lmtp_port) as lmtp:
        for file in files:
            try:
                lmtp.sendmail("sender@example.org", [service.mailbox.name], file.read_bytes())
            except smtplib.SMTPDataError:
                refused += 1
    return refused


def ended(service: Service) -> int:
    """How many messages have their outcome."""
    return outcomes(service)["decided"] + outcomes(service)["quarantined"]


def outcomes(service: Service) -> Counter[str]:
    """How many messages the journal holds in each final state."""
    return Counter(json.loads(service.call("status", "--json").stdout)["messages"])
