"""The embedded mail server: what goes in by SMTP comes out by IMAP, at once, with its envelope."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailml.demo.running import Running, fill, running
from mailml.errors import AuthError
from mailml.lab import sample
from mailml.message import parse
from mailml.message.authentication import authenticated
from mailml.transport.account import Account
from mailml.transport.imap import connect

US = "support@acme.example"
HELLO = (
    b"From: Ada <ada@calder.test>\r\nTo: support@acme.example\r\nSubject: Hello\r\n"
    b"Message-ID: <1@calder.test>\r\n\r\nhi"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests of this module."""
    with running(log=tmp_path_factory.mktemp("server") / "server.log") as found:
        yield found


def delivered(server: Running, raw: bytes, sender: str = "ada@calder.test") -> bytes:
    """Send one mail and give back the last one of INBOX."""
    server.send(sender, US, raw)
    with connect(server.desk()) as session:
        session.examine("INBOX")
        return next(iter(session.fetch_raw(session.uids()[-1:]))).raw or b""


def test_mail_by_smtp_wakes_idle(server: Running) -> None:
    """A mail handed in by SMTP wakes a client that IDLEs, long before its own deadline, and can be moved."""
    with connect(server.desk()) as session:
        session.create_folder("Queues/Billing")
        session.select("INBOX")
        before = session.uids()
        sent: list[float] = []
        timer = threading.Timer(
            0.3, lambda: (sent.append(time.monotonic()), server.send("a@x.test", US, HELLO))
        )
        timer.start()
        news = session.idle(60)
        waited = time.monotonic() - sent[0]
        timer.join()
        new = [uid for uid in session.uids() if uid not in before]
        assert news
        assert len(new) == 1
        assert waited < 30
        session.move(new, "Queues/Billing")
        session.examine("Queues/Billing")
        assert len(session.uids()) == 1


def test_delivery_adds_what_a_server_adds(server: Running) -> None:
    """The delivered mail says who sent it, to whom, and whether the sender is aligned; the rest is kept."""
    raw = delivered(server, HELLO)
    message = parse(raw)
    assert message.return_path == "ada@calder.test"
    assert message.delivered_to == (US,)
    assert len(message.received_dates) == 1
    assert authenticated(message, {"mx.acme.example"})
    assert raw.rstrip().endswith(HELLO.rstrip())


def test_a_stranger_is_not_authenticated(server: Running) -> None:
    """Mail whose envelope is of another domain is not aligned; results it brings along are thrown away."""
    forged = b"Authentication-Results: mx.acme.example;\r\n\tdmarc=pass header.from=calder.test\r\n" + HELLO
    message = parse(delivered(server, forged, sender="mallory@evil.test"))
    assert not authenticated(message, {"mx.acme.example"})
    assert len(message.all("Authentication-Results")) == 1


def test_null_sender_and_headers_alone(server: Running) -> None:
    """A bounce's null sender is kept, and a mail without a body gets in."""
    message = parse(delivered(server, b"From: MAILER-DAEMON@x.test\r\nSubject: only headers\r\n", sender=""))
    assert message.return_path == ""
    assert message.subject == "only headers"


def test_mail_to_others_leaves(server: Running) -> None:
    """Mail to any other domain is kept outside the desk's mailbox, with its envelope."""
    server.send("", "customer@calder.test", b"From: support@acme.example\r\nSubject: Auto\r\n\r\nthanks")
    left = server.left()
    assert left[-1].startswith(b"X-Envelope-From: <>\r\nX-Envelope-To: customer@calder.test\r\nFrom:")


def test_wrong_password(server: Running) -> None:
    """A wrong password is refused as on a real server."""
    told = {"host": server.host, "port": server.imap, "security": "none", "user": US, "auth": "password"}
    with pytest.raises(AuthError):
        connect(Account.from_mapping(told | {"password": "wrong"}, name="desk"))


def test_fill_keeps_bytes_dates_and_flags(server: Running) -> None:
    """Filling by APPEND keeps every byte, INTERNALDATE and flag, for ordinary and hostile mail alike."""
    box = sample.generate(messages=60, hostile=True)
    counts: list[int] = []
    with connect(server.desk()) as session:
        assert fill(session, box, counts.append) == len(box)
        for folder in (name for name in box.folders() if name not in ("INBOX", "Queues/Billing")):
            session.examine(folder)
            found = {item.raw: item for item in session.fetch_raw(session.uids())}
            for message in (item for item in box if item.folder == folder):
                assert found[message.raw].internaldate == message.received
                assert set(message.flags) <= set(found[message.raw].flags or ())
    assert counts[-1] == len(box)


def test_hostile_mail_gets_in_by_smtp(server: Running) -> None:
    """Every attack of the sample passes through SMTP and IMAP: the server hides nothing from the router."""
    box = sample.generate(messages=20, hostile=True)
    attacks = [message for message in box if message.truth["shape"] == "hostile"]
    assert len(attacks) >= 20
    for message in attacks:
        raw = delivered(server, message.raw, sender="mallory@evil.test")
        body = message.raw.partition(b"\r\n\r\n")[2]
        assert raw.rstrip().endswith(body.rstrip())


def test_seeding_without_imap(tmp_path: Path) -> None:
    """`--seed` fills the mailbox directly, and the server ends with its `with` block."""
    with (
        running("--seed", "3", "--messages", "40", log=tmp_path / "log") as seeded,
        connect(seeded.desk()) as session,
    ):
        names = [folder.name for folder in session.folders() if folder.selectable]
        total = sum(session.examine(name).exists for name in names)
    assert total == len(sample.generate(seed=3, messages=40))
