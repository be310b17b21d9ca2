"""Outages that say nothing, or the wrong thing: restarts, silence, throttling, full folders, wrong clocks."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from serve.instants import DAY, HOUR
from serve.journal import events, incoming, outbox
from tests.scenarios.conftest import logs_in
from tests.serve.room import Room
from tests.serve.service import Service, mail
from tests.servers import child
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import FaultProxy
from tests.servers.missing import ServerMissing
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.scenario

QUEUE = "Queues/General Support"


def test_a_server_that_restarts_is_found_again(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    """IMAP is gone for a while, SMTP as well: mail of before and after is routed and answered, each once."""
    try:
        server = Dovecot()
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server:
        user = server.user()
        child.wait_until(lambda: logs_in(user), 10, "the mailbox")
        with Service(tmp_path / "serve", user, smtp_sink) as service:
            user.deliver(mail(1))
            smtp_sink.wait_for(1)
            smtp_sink.stop()
            user.deliver(mail(2, subject="While SMTP is down"))
            service.wait(lambda: service.folders().get(QUEUE) == 2, "routing without SMTP")
            server.crash()
            service.wait(lambda: "mailbox failed" in service.log(), "the failure")
            server.start()
            smtp_sink.start()
            user.deliver(mail(3, subject="After"))
            service.wait(lambda: service.folders().get(QUEUE) == 3, "routing after the restart", 40)
            smtp_sink.wait_for(3, 40)
            assert service.stop() == 0
        assert len({sent.rcpt_to for sent in smtp_sink.mails}) == len(smtp_sink.mails) == 3


def test_a_line_that_goes_silent_is_given_up(service: Service) -> None:
    """Half-open TCP and an IDLE that dies quietly: the peer is there, says nothing, and is not waited for."""
    service.imap["timeout"] = 1
    with FaultProxy(service.imap["port"]) as proxy:
        service.imap["port"] = proxy.port
        with service:
            service.mailbox.deliver(mail(1))
            service.sink.wait_for(1)
            proxy.go_silent()  # nothing comes through any more, and nobody is told
            service.mailbox.deliver(mail(2, subject="Unheard of"))
            service.wait(lambda: service.folders().get(QUEUE) == 2, "another connection", 40)
            assert service.stop() == 0
        assert "no answer" in service.log()
    assert len(service.decisions()) == 2


def test_a_throttled_mailbox_waits_as_long_as_it_is_told(service: Service) -> None:
    """A suggested back-off is kept to before the next connection, and the mailbox resumes by itself."""
    told = b"* BYE Request is throttled. Suggested Backoff Time: 1500 milliseconds\r\n"
    with FaultProxy(service.imap["port"]) as proxy:
        service.imap["port"] = proxy.port
        proxy.greetings += [told] * 4
        with service:
            service.mailbox.deliver(mail(1))
            service.wait(lambda: service.folders().get(QUEUE) == 1, "routing", 40)
            assert service.stop() == 0
        # watcher and mover were told twice each, or one of them more often: no two attempts of one in 1.5 s
        first, *_, fifth = proxy.arrived[:5]
        assert fifth - first >= 1.5
    assert "come back later" in service.log()


UNRESOLVED = """
import socket, sys
from pathlib import Path
from serve.__main__ import main
flag, ask = Path(sys.argv.pop(1)), socket.getaddrinfo
def getaddrinfo(*words, **more):
    if flag.exists():
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return ask(*words, **more)
socket.getaddrinfo = getaddrinfo
main()
"""


def test_names_that_cannot_be_resolved_for_a_while(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS is gone while IMAP and SMTP have to connect anew: both say so, wait, and go on when it is back."""
    gone = tmp_path / "gone"
    command = [sys.executable, "-c", UNRESOLVED, str(gone), "run", "--config", str(service.toml)]
    monkeypatch.setattr(service, "command", lambda *_: command)
    service.smtp["host"] = "localhost"
    with service:
        service.mailbox.deliver(mail(1))
        service.sink.wait_for(1)
        gone.touch()
        service.mailbox.server.doveadm("kick", service.mailbox.name)
        service.mailbox.deliver(mail(2, subject="Unresolved"))
        told = "the host name localhost is not known"
        service.wait(lambda: service.log().count(told) >= 2, "the failure of watcher and mover")
        (tmp_path / "answer").write_text("Here you are.")
        service.call("reply", service.decisions()[0]["reference"], "--file", str(tmp_path / "answer"))
        service.wait(lambda: "server out of reach" in service.log(), "the sender's failure", 40)
        gone.unlink()
        service.wait(lambda: service.folders().get(QUEUE) == 2, "routing when it is back", 60)
        service.sink.wait_for(3, 60)
        assert service.stop() == 0
    assert len(service.sink.mails) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"NO [OVERQUOTA] Quota exceeded (mailbox for user is full)",
        b"NO [THROTTLED] Request is throttled. Suggested Backoff Time: 100 milliseconds",
    ],
    ids=["full", "throttled"],
)
def test_a_move_that_is_refused_for_now_is_made_later(service: Service, answer: bytes) -> None:
    """A full mailbox and a throttled command leave the mail in the inbox; the answer leaves all the same."""
    with FaultProxy(service.imap["port"]) as proxy:
        service.imap["port"] = proxy.port
        proxy.refusals["UID MOVE"] = [answer] * 2
        with service:
            service.mailbox.deliver(mail(1))
            service.sink.wait_for(1)
            service.wait(lambda: service.folders().get(QUEUE) == 1, "the move", 40)
            assert service.stop() == 0
        assert proxy.refusals["UID MOVE"] == []
        assert proxy.commands().count("UID MOVE") >= 3
    assert len(service.sink.mails) == 1
    with service.journal.read() as tx:
        alarms = [event["kind"] for event in events.latest(tx, 50) if event["kind"] == "move_refused"]
    assert len(alarms) == (b"OVERQUOTA" in answer)


def test_a_copy_over_quota_is_made_later(service: Service) -> None:
    """APPEND to Sent is answered OVERQUOTA: the mail counts as sent, and its copy is made with the next."""
    with FaultProxy(service.imap["port"]) as proxy:
        service.imap["port"] = proxy.port
        proxy.refusals["APPEND"] = [b"NO [OVERQUOTA] Quota exceeded"]
        service.mailbox.deliver(mail(1))
        service.once()
        assert service.folders() == {QUEUE: 1}
        service.once()
        assert service.folders() == {QUEUE: 1, "Sent": 1}
    assert len(service.sink.mails) == 1


def test_a_server_that_takes_the_call_and_says_nothing(service: Service) -> None:
    """SMTP without a greeting: surely not taken, told as out of reach, and sent by the next try, once."""
    service.smtp["timeout"] = 1
    with FaultProxy(service.sink.port) as proxy:
        service.smtp["port"] = proxy.port
        proxy.cut_after(0, kind="silent")
        service.mailbox.deliver(mail(1))
        service.once(good=1)
        assert [(one["effect"], one["state"]) for one in service.decisions()[0]["effects"]] == [
            ("move", "done"),
            ("ack", "pending"),
        ]
        service.once()
    assert len(service.sink.mails) == 1


def test_a_sent_folder_that_is_full_holds_nothing_up(service: Service) -> None:
    """Copies that Sent refuses wait; mail is routed and answered meanwhile; each copy is made once, later."""
    service.mailbox.deliver(mail("first", subject="First", body="first"))
    service.once()
    sent = service.mailbox.maildir("Sent")
    closed = [sent / "tmp", sent / "new", sent / "cur", sent]
    for path in closed:
        path.chmod(0o500)
    for number in range(2):
        service.mailbox.deliver(mail(number, subject=f"Topic {number}", body=f"Words {number}"))
        service.once()
    assert service.folders()[QUEUE] == 3
    assert len(service.sink.mails) == 3
    for path in closed:
        path.chmod(0o700)
    for _ in range(2):
        service.once()
        assert service.folders() == {QUEUE: 3, "Sent": 3}
    assert len(service.sink.mails) == 3


@pytest.mark.parametrize(
    "jump", [-400 * DAY, -DAY, -3 * HOUR, 3 * HOUR, 400 * DAY], ids=lambda ms: f"{ms // HOUR}h"
)
def test_a_clock_that_jumps_loses_nothing(room: Room, jump: int) -> None:
    """What was stored, decided or put off before the clock was set is carried out after it, at once."""
    room.decide(mail(1, subject="Before", body="before"))
    room.store(mail(2, subject="Stored", body="stored"))
    with room.journal.write() as tx:
        put_off = next(iter(outbox.next_sends(tx, room.now)), None)
        assert put_off is not None
        outbox.postpone(tx, put_off.id, room.now + HOUR, "greylisted")
        incoming.later(tx, 2, room.now + HOUR)
    room.now += jump
    for _ in itertools.takewhile(bool, iter(room.worker.batch, None)):
        pass
    room.now += 0 if jump < 0 else HOUR
    assert [line["state"] for line in room.all()] == ["decided", "decided"]
    with room.journal.read() as tx:
        assert len(outbox.moves(tx, room.mailbox, room.now)) == 2
    recipients = [sent.recipient for sent in room.mails()]
    assert recipients.count("c1@customer1.example") == 1
    assert len(recipients) == len(set(recipients))


def test_a_wait_that_is_none_of_a_clocks_making_is_kept(room: Room) -> None:
    """An hour's greylisting is waited for while the clock goes on as it should."""
    room.decide(mail(1))
    with room.journal.write() as tx:
        put_off = next(iter(outbox.next_sends(tx, room.now)), None)
        assert put_off is not None
        outbox.postpone(tx, put_off.id, room.now + HOUR, "greylisted")
    assert room.mails() == []
    room.now += HOUR
    assert len(room.mails()) == 1
