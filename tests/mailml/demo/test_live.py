"""The demo's second wave: customers who are away answer our acknowledgements, and their answers say so."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.autoreply import judge
from mailml.demo import running as server_room
from mailml.demo.delivery import as_delivered, as_sent, results
from mailml.demo.live import away
from mailml.errors import ConnectError, MissingExtraError
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Context, Identity, Kind

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
US = Identity(addresses=frozenset({"support@acme.example"}), domains=frozenset({"acme.example"}))


def ack(number: int) -> bytes:
    """An acknowledgement as it left the server."""
    raw = (
        f"From: Acme Support <support@acme.example>\r\nTo: Ada {number} <ada{number}@calder.test>\r\n"
        f"Subject: Auto: [#K7Q2-9M4D] Bill {number}\r\nMessage-ID: <ack{number}@acme.example>\r\n\r\nok"
    )
    return as_sent(raw.encode(), "", f"ada{number}@calder.test")


def test_each_answers_the_acknowledgement() -> None:
    """Every out-of-office answer comes from the customer who got the acknowledgement, and names it."""
    mails = away([ack(number) for number in range(6)], count=5)
    assert len(mails) == 5
    for number, mail in enumerate(mails):
        parsed = parse(mail.raw)
        assert parsed.in_reply_to == (f"<ack{number}@acme.example>",)
        assert parsed.from_ is not None
        assert parsed.from_.addr == f"ada{number}@calder.test"
        assert (mail.kind, mail.ack) == ("auto_reply", False)


def test_the_table_knows_them() -> None:
    """As delivered they are automatic replies and forbid an acknowledgement, whatever product wrote them."""
    for mail in away([ack(number) for number in range(10)]):
        parsed = parse(as_delivered(mail.raw, mail.mail_from, mail.recipient, NOW))
        verdict = judge(parsed, own_words(parsed), US, Context(received_at=NOW, now=NOW))
        assert verdict.kind is Kind.AUTO_REPLY, mail.name
        assert not verdict.ack_allowed


@pytest.mark.parametrize(
    ("sender", "says"),
    [
        ("ada@calder.test", "dmarc=pass"),
        ("x@evil.test", "dmarc=fail"),
        ("", "dmarc=none"),
        ("broken", "dmarc=fail"),
    ],
)
def test_what_our_server_thinks_of_a_sender(sender: str, says: str) -> None:
    """Only an envelope of the From's own domain is aligned; without one nothing is known."""
    assert says in results(b"Subject: x\r\nFrom: Ada <ada@Calder.test>\r\n", sender)


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"no colon", b"Subject: a\n\nbody\n", b"A: b\r\n\r\nbody", b"A: b"]
)
def test_delivery_keeps_the_rest(raw: bytes) -> None:
    """Whatever comes, what was sent follows unchanged after what the server adds."""
    delivered = as_delivered(raw, "a@x.test", "support@acme.example", NOW)
    assert delivered.startswith(b"Return-Path: <a@x.test>\r\n")
    assert delivered.endswith(raw)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the embedded server is not installed, one sentence says what to install."""
    monkeypatch.setattr(server_room, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mailml\[demo\]"), server_room.running():
        pass


def test_a_server_that_does_not_start(tmp_path: Path) -> None:
    """A server that ends before it has said where it is makes a clear error with what it said."""
    log = tmp_path / "log"
    with (
        pytest.raises(ConnectError, match="unrecognized arguments"),
        server_room.running("--nonsense", log=log),
    ):
        pass


def test_a_server_that_does_not_stop_is_ended() -> None:
    """On a busy machine the demo ends with its answers, not with a time-out."""
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); input()"
    command = [sys.executable, "-c", deaf]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        server_room.stop(process, seconds=0.2)
        assert process.returncode == -signal.SIGKILL
