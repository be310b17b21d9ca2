"""What goes wrong outside: servers that are down, cut, refuse or rebuild; mail that cannot be decided."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serve.journal import events, incoming
from tests.conftest import ROOT
from tests.scenarios.conftest import logs_in
from tests.serve.service import Service, bundle, mail
from tests.servers import child
from tests.servers.dovecot import Dovecot, User
from tests.servers.dovecot_config import Settings
from tests.servers.fault_proxy import FaultProxy
from tests.servers.smtp_sink import CUT, CUT_REPLY, HANG, SmtpSink

pytestmark = pytest.mark.scenario


def outcome(service: Service, number: int = 0) -> dict[str, str]:
    """Effect -> state of one message."""
    return {one["effect"]: one["state"] for one in service.decisions()[number]["effects"]}


def test_a_server_without_idle_is_polled(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    """A server that offers neither IDLE, MOVE nor ESEARCH still has its mail routed within a poll."""
    with Dovecot(Settings(capability="IMAP4rev1 UIDPLUS AUTH=PLAIN")) as server:
        user = server.user()
        child.wait_until(lambda: logs_in(user), 10, "the mailbox")
        with Service(tmp_path / "serve", user, smtp_sink, poll_seconds=0.3) as service:
            service.mailbox.deliver(mail(1))
            service.wait(lambda: service.folders().get("Queues/General Support") == 1, "routing")
            assert service.stop() == 0
        assert "INBOX" not in service.folders()


def test_mail_is_moved_while_smtp_is_down_and_acknowledged_later(service: Service) -> None:
    """An SMTP server that is down holds up no queue; the acknowledgement leaves when it is back, once."""
    service.sink.stop()
    service.mailbox.deliver(mail(1))
    service.once(good=1)
    assert outcome(service) == {"move": "done", "ack": "pending"}
    assert service.folders() == {"Queues/General Support": 1}
    service.sink.start()
    service.once()
    service.once()
    assert len(service.sink.mails) == 1
    assert outcome(service) == {"move": "done", "ack": "sent"}


@pytest.mark.parametrize(
    ("reply", "state", "taken"),
    [
        ("550 5.7.1 no thanks", "failed", 0),
        ("451 4.7.1 come back later", "pending", 0),
        (CUT, "uncertain", 1),
        (CUT_REPLY, "uncertain", 1),
        (HANG, "uncertain", 1),
    ],
)
def test_what_the_smtp_server_says_decides(service: Service, reply: str, state: str, taken: int) -> None:
    """Refused for good, for now, or in doubt: only what was surely not taken is ever sent again."""
    service.smtp["timeout"] = 1
    service.sink.replies.append(reply)
    service.mailbox.deliver(mail(1))
    service.once()
    assert outcome(service) == {"move": "done", "ack": state}
    service.once()
    # what may be tried again is so after its pause, which may be over by now
    again = {0, 1} if state == "pending" else {taken}
    assert len(service.sink.mails) in again, "an uncertain mail was sent again"


def test_a_doubt_is_settled_by_the_sent_folder(service: Service) -> None:
    """Where the server itself keeps what it sent, a doubtful mail that lies there was sent."""
    service.sink.replies.append(CUT)
    with service:
        service.mailbox.deliver(mail(1))
        (taken,) = service.sink.wait_for(1)
        with service.mailbox.client() as client:
            client.append("Sent", taken.raw)  # as Gmail and Microsoft 365 do
        service.wait(lambda: outcome(service)["ack"] == "sent", "the Sent folder to be asked", 30)
        assert service.stop() == 0
    assert len(service.sink.mails) == 1
    assert service.folders()["Sent"] == 1, "copied although it was there"


def test_a_greylisted_mail_leaves_after_a_pause(service: Service) -> None:
    """A temporary refusal is tried again by the running service, with the same Message-ID."""
    service.sink.replies.append("451 4.7.1 greylisted")
    with service:
        service.mailbox.deliver(mail(1))
        service.sink.wait_for(1, 30)
        service.wait(lambda: outcome(service)["ack"] == "sent", "the second try")
        assert service.stop() == 0
    assert len(service.sink.mails) == 1


def test_cut_connections_are_opened_again(service: Service) -> None:
    """When the server cuts every connection, the mailbox resumes by itself and nothing is lost or doubled."""
    with service:
        service.mailbox.deliver(mail(1, subject="Before", body="before"))
        service.sink.wait_for(1)
        service.mailbox.server.doveadm("kick", service.mailbox.name)
        service.mailbox.deliver(mail(2, subject="After", body="after"))
        service.sink.wait_for(2, 40)
        service.wait(
            lambda: service.folders().get("Queues/General Support") == 2, "routing after the cut", 40
        )
        assert service.stop() == 0
    with service.journal.read() as tx:
        kinds = [event["kind"] for event in events.latest(tx, 50)]
    assert "mailbox_failed" in kinds
    assert "mailbox_recovered" in kinds
    assert len(service.decisions()) == 2


def test_a_rebuilt_folder_is_recognised(service: Service) -> None:
    """After a UIDVALIDITY change mail that is known is known again, by its bytes; new mail is new."""
    service.serve["max_message_mb"] = 0.01
    service.mailbox.deliver(mail(1, body="x" * 20_000))  # set aside: it stays in the inbox
    service.once()
    service.mailbox.server.set_uidvalidity(service.mailbox, "INBOX")
    service.mailbox.deliver(mail(2))
    service.once()
    lines = service.decisions()
    assert [line["state"] for line in lines] == ["quarantined", "decided"]
    assert len({line["uidvalidity"] for line in lines}) == 1
    assert len(service.sink.mails) == 1
    assert service.call("reconcile").stdout.startswith("desk: 1 on the server, 1 known, 0 new, 0 unknown")


def test_a_restored_folder_is_not_answered_again(service: Service) -> None:
    """Mail that comes back with a restored mailbox, even without a Message-ID, gets no second answer."""
    raws = [mail(1), mail(2, Message_ID="")]
    with service.mailbox.client() as client:
        for raw in raws:
            client.append("INBOX", raw)
    service.once()
    assert len(service.sink.mails) == 2
    service.mailbox.server.set_uidvalidity(service.mailbox, "INBOX")
    with service.mailbox.client() as client:
        for raw in raws:
            client.append("INBOX", raw)
    service.once()
    assert len(service.sink.mails) == 2
    assert len({line["reference"] for line in service.decisions()}) == 2
    assert service.folders()["Queues/General Support"] == 4


def test_mail_over_the_limit_is_set_aside_and_the_rest_goes_on(service: Service) -> None:
    """An oversized mail is quarantined with head and reason; tried again it is decided on its head."""
    service.serve["max_message_mb"] = 0.05
    service.mailbox.deliver(mail(1, body="word " * 30_000))
    service.mailbox.deliver(mail(2))
    service.once()
    (held,) = json.loads(service.call("quarantine", "list", "--json").stdout)
    assert "larger than 0.05 MB" in held["reason"]
    assert held["size"] > 100_000
    assert service.call("quarantine", "show", str(held["id"])).raw.startswith(b"Return-Path:")
    assert service.folders() == {"INBOX": 1, "Queues/General Support": 1, "Sent": 1}
    service.call("quarantine", "retry", str(held["id"]))
    service.once()
    assert service.folders() == {"Queues/General Support": 2, "Sent": 2}
    assert json.loads(service.call("quarantine", "list", "--json").stdout) == []
    service.call("quarantine", "retry", str(held["id"]), good=78)


def test_what_is_set_aside_is_neither_fetched_again_nor_missed(service: Service) -> None:
    """A quarantined mail stays in the inbox: no poll reads it again, and reconciliation knows it."""
    service.serve |= {"max_message_mb": 0.05, "poll_seconds": 0.2, "idle": False}
    service.mailbox.deliver(mail(1, body="word " * 30_000))
    service.once()
    assert service.decisions()[0]["state"] == "quarantined"
    with FaultProxy(service.imap["port"]) as proxy:
        service.imap["port"] = proxy.port
        with service:
            service.wait(lambda: proxy.commands().count("UID SEARCH") >= 8, "eight polls")
            assert service.stop() == 0
        told = json.loads(service.call("reconcile", "--json").stdout)[0]
        assert "UID FETCH" not in proxy.commands()
    assert (told["on_server"], told["known"], told["vanished"], told["good"]) == (1, 1, 0, True)
    assert service.folders() == {"INBOX": 1}
    assert len(service.decisions()) == 1
    with service.mailbox.client() as client:  # a colleague takes it out: now it has vanished, and is no fault
        client.select_folder("INBOX")
        client.delete_messages(client.search())
        client.expunge()
    told = json.loads(service.call("reconcile", "--json").stdout)[0]
    assert (told["vanished"], told["good"]) == (1, True)


MEASURED = """
import resource
from serve.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(service: Service) -> int:
    """Megabytes of memory that one whole run took at most."""
    service.write()
    command = [sys.executable, "-c", MEASURED, "run", "--once", "--config", str(service.toml)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return int(done.stdout.rpartition("peak ")[2])


def test_mails_of_sixty_megabytes_are_set_aside_in_bounded_memory(service: Service) -> None:
    """The heads of huge mails are kept and the rest goes on; three of them cost what one costs."""
    nothing = peak(service)
    for number in range(3):
        service.mailbox.deliver(mail(number, body="0123456789abcdef " * (60 * 1024 * 1024 // 17)))
    service.mailbox.deliver(mail(3))
    most = peak(service)
    print(f"{nothing} MB at rest, {most} MB at most")
    assert most - nothing < 50 * 8
    *big, small = service.decisions()
    assert {one["state"] for one in big} == {"quarantined"}
    assert "larger than 50 MB" in big[0]["quarantined"]
    assert small["state"] == "decided"
    with service.journal.read() as tx:
        (claimed,) = incoming.claimed(tx, [big[0]["number"]])
    assert len(claimed.raw) == 50 * 1024 * 1024


@pytest.mark.parametrize("once", [True, False])
def test_a_full_disk_ends_the_service_and_loses_nothing(service: Service, once: bool) -> None:
    """When the journal cannot grow the service ends with code 74; with room again it goes on, once each."""
    service.once()  # the journal is there, and small
    for number in range(3):
        service.mailbox.deliver(
            mail(number, subject=f"Topic {number}", body=f"Words {number} " + "x" * 200_000)
        )

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    command = service.command("run", *(["--once"] if once else []))
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, preexec_fn=little_room
    )
    assert done.returncode == 74, done.stderr[-2000:]
    assert "cannot be written to" in done.stderr
    service.once()
    assert [line["state"] for line in service.decisions()] == ["decided"] * 3
    assert service.folders()["Queues/General Support"] == 3
    assert len({sent.rcpt_to for sent in service.sink.mails}) == len(service.sink.mails) == 3


def test_one_broken_mailbox_stops_no_other(service: Service, dovecot_server: Dovecot) -> None:
    """A mailbox with a wrong password fails loudly, again and again, while the other one is served."""
    service.more_mailboxes.append({"name": "billing", **service.imap, "password": "wrong"})
    with service:
        service.mailbox.deliver(mail(1))
        service.wait(lambda: service.folders().get("Queues/General Support") == 1, "routing")
        service.wait(lambda: "refused the login" in service.log(), "the refusal")
        assert service.stop() == 0
    boxes = {box["name"]: box for box in json.loads(service.call("status", "--json").stdout)["mailboxes"]}
    assert "refused the login" in boxes["billing"]["failure"]
    assert boxes["desk"]["failure"] == ""
    assert "wrong" not in service.log()


def test_a_bundle_is_exchanged_without_a_restart(service: Service, tmp_path: Path) -> None:
    """When the link leads to another bundle it is used from the next mail on; a bad one is refused loudly."""
    first = bundle(service.folder / "bundles" / "first")
    second = bundle(service.folder / "bundles" / "second", flow='default = "Second Queue"\n')
    link = service.folder / "current"
    link.symlink_to(first.path)
    service.serve["bundle"] = "current"

    def point_to(target: Path) -> None:
        fresh = service.folder / "fresh"
        fresh.symlink_to(target)
        fresh.replace(link)

    with service:
        service.mailbox.deliver(mail(1))
        service.sink.wait_for(1)
        point_to(second.path)
        service.send(signal.SIGHUP)
        service.wait(lambda: second.id in service.log(), "the new bundle")
        service.mailbox.deliver(mail(2))
        service.wait(lambda: service.folders().get("Queues/Second Queue") == 1, "routing by the new bundle")
        point_to(tmp_path)
        service.wait(lambda: "bundle refused" in service.log(), "the refusal")
        service.mailbox.deliver(mail(3))
        service.wait(lambda: service.folders().get("Queues/Second Queue") == 2, "the old one still in use")
        assert service.stop() == 0
    assert [line["bundle"] for line in service.decisions()] == [first.id, second.id, second.id]


def test_reconciliation_finds_what_was_missed(service: Service) -> None:
    """A mail behind the cursor that nobody stored is found, told, and read again."""
    service.mailbox.deliver(mail(1))
    config = service.config
    uidvalidity = int(service.mailbox.client().folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"])
    with service.journal.write() as tx:
        number = incoming.mailbox_id(tx, "desk", config.mailboxes[0].places.inbox)
        incoming.store(tx, number, uidvalidity, (), 0, reached=1)
    service.once()
    assert service.decisions() == []
    told = json.loads(service.call("reconcile", "--json", good=3).stdout)
    assert told[0]["unknown"] == [1]
    service.once()
    assert len(service.decisions()) == 1
    service.call("reconcile")


def test_the_doctor_names_each_failure_with_a_cure(service: Service) -> None:
    """All is well when it is; a wrong password and a closed port are named, with what to do."""
    assert "failed" not in service.call("doctor").stdout
    service.imap["password"] = "wrong"
    service.smtp["port"] = 1
    told = {one["name"]: one for one in json.loads(service.call("doctor", "--json", good=3).stdout)}
    assert "refused the login" in told["mailbox desk"]["found"]
    assert told["mailbox desk"]["cure"]
    assert told["smtp"]["state"] == "failed"
    assert told["smtp"]["cure"]


def test_a_wrong_start_ends_in_one_sentence(service: Service, dovecot: User) -> None:
    """A missing or damaged bundle and a journal that is none end the start with code 78 and the reason."""
    service.write()
    (service.bundle_path / "flow.toml").write_bytes(b"default = 'Elsewhere'\n")
    assert "flow.toml" in service.call("run", "--once", good=78).stderr
    service.serve["bundle"] = "nowhere"
    assert "nowhere" in service.call("check", good=78).stderr
    service.serve["journal"] = "log.txt"
    (service.folder / "log.txt").write_text("this is no database\n" * 100)
    assert "cannot be read" in service.call("status", good=78).stderr
