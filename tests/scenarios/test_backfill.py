"""Old mail of a folder is decided beside the running service, and nobody hears of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serve.journal import deliveries, events, figures
from serve.journal.deliveries import BACKFILLED
from tests.serve.service import Service, mail

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]


@pytest.fixture
def archive(service: Service) -> Service:
    """Three old mails in a folder: a question, its answer by the customer, an out-of-office."""
    with service.mailbox.client() as client:
        client.create_folder("Archive")
        second = mail("1b", sender="c1@customer1.example", In_Reply_To="<m1@customer.example>")
        for raw in (mail(1), second, mail(3, Auto_Submitted="auto-replied")):
            client.append("Archive", raw)
    return service


def told(service: Service, *options: str, good: int | None = 0) -> dict[str, Any]:
    """What the command reports."""
    found: dict[str, Any] = json.loads(
        service.call("backfill", "Archive", "--json", *options, good=good).stdout
    )
    return found


def test_it_is_decided_and_left_where_it_is(archive: Service) -> None:
    """Decisions and one closed conversation; no acknowledgement although the mail came a second ago."""
    report = told(archive)
    assert (report["messages"], report["quarantined"], report["known"]) == (3, 0, 0)
    lines = archive.decisions()
    assert [line["mailbox"] for line in lines] == [f"desk/Archive{BACKFILLED}"] * 3
    assert lines[0]["reference"] == lines[1]["reference"] != ""
    assert {line["decision"]["ack"]["send"] for line in lines} == {False}
    assert lines[0]["context"]["mailbox"] == "desk"
    assert archive.folders() == {"Archive": 3}
    with archive.journal.read() as tx:
        assert figures.conversations(tx, 10**15) == {"closed": 1, "late": 0}
        assert not figures.outbox_states(tx).get("ack")
        assert "pending" not in figures.outbox_states(tx)["move"]


def test_twice_is_once(archive: Service) -> None:
    """What is known is recognised."""
    told(archive)
    report = told(archive)
    assert (report["messages"], report["known"]) == (0, 3)
    assert len(archive.decisions()) == 3


def test_it_may_be_moved(archive: Service) -> None:
    """With --move it goes into the folders of its queues."""
    told(archive, "--move")
    assert archive.folders() == {"Queues/General Support": 2, "Automated/Replies": 1}


def test_beside_a_running_service(archive: Service) -> None:
    """The service goes on with its inbox, sends nothing for old mail, raises no alarm, and its worker never
    meets a message of the backfill.
    """
    with archive:
        told(archive)
        archive.mailbox.deliver(mail(9, subject="Something new"))
        archive.wait(lambda: archive.sink.mails, "the one acknowledgement")
        assert len(archive.sink.mails) == 1
        with archive.journal.read() as tx:
            assert not events.latest(tx, alarms=True)


def test_webhooks_do_not_hear_of_it(archive: Service) -> None:
    """Nobody wants to be told of last year's decisions."""
    with archive.journal.write() as tx:
        deliveries.begin(tx, "crm")
    told(archive)
    with archive.journal.read() as tx:
        assert deliveries.untold_decisions(tx, "crm") == []


def test_an_answer_to_an_old_conversation_opens_it(archive: Service) -> None:
    """A customer who answers later finds the thread."""
    told(archive)
    archive.mailbox.deliver(mail("1c", sender="c1@customer1.example", In_Reply_To="<m1@customer.example>"))
    archive.once()
    lines = archive.decisions()
    assert lines[-1]["reference"] == lines[0]["reference"]
    with archive.journal.read() as tx:
        assert figures.conversations(tx, 0)["open"] == 1


def test_what_cannot_be_done_is_said(archive: Service) -> None:
    """The inbox, an unknown mailbox, a folder that is not there, a day that is none."""
    assert "is the inbox" in archive.call("backfill", "INBOX", good=78).stderr
    assert "names no one mailbox" in archive.call("backfill", "Archive", "--mailbox", "x", good=78).stderr
    assert "Nowhere" in archive.call("backfill", "Nowhere", good=1).stderr
    assert "2026-01-31" in archive.call("backfill", "Archive", "--since", "soon", good=78).stderr
