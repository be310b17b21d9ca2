"""The service killed anywhere: every mail has exactly one interaction and one outcome, and no answer twice.

A bounded sample: kills by system-call injection (strace) at the calls that make things durable or visible,
and kills at random moments under load.
"""

from __future__ import annotations

import collections
import random
import shutil
import signal
import subprocess
import time

import pytest

from serve.journal import figures
from tests.conftest import ROOT
from tests.serve.service import Service, mail
from tests.servers.fault_proxy import FaultProxy

pytestmark = pytest.mark.scenario

# Calls by which the journal is written, IMAP and SMTP are spoken, and files are opened; the n-th one kills.
KILLS = [
    ("fdatasync", 1),
    ("fdatasync", 3),
    ("fdatasync", 5),
    ("fdatasync", 7),
    ("pwrite64", 9),
    ("pwrite64", 30),
    ("pwrite64", 55),
    ("sendto", 8),
    ("sendto", 14),
    ("sendto", 18),
    ("sendto", 22),
    ("sendto", 26),
    ("recvfrom", 12),
    ("recvfrom", 24),
]
MAILS = 3


def judge(service: Service, count: int) -> None:
    """Nothing lost, nothing doubled: the journal, the mailbox and the sink agree."""
    lines = service.decisions("--verify")
    assert len(lines) == count, "a mail without a row, or with two"
    assert {line["state"] for line in lines} == {"decided"}
    assert all(line["same_again"] for line in lines)
    references = [line["reference"] for line in lines]
    assert len(set(references)) == count, "two mails of strangers in one interaction"
    assert service.folders().get("Queues/General Support") == count
    assert "INBOX" not in service.folders()
    acks = collections.Counter(sent.message_id for sent in service.sink.mails)
    assert set(acks.values()) <= {1}, "an answer was sent twice"
    recipients = [sent.rcpt_to for sent in service.sink.mails]
    assert len(recipients) == len(set(recipients)), "somebody was answered twice"
    for line in lines:
        states = {one["effect"]: one for one in line["effects"]}
        assert states["move"]["state"] == "done"
        assert states["ack"]["state"] in {"sent", "uncertain"}
        if states["ack"]["state"] == "sent":
            assert acks[states["ack"]["message_id"]] == 1, "said to be sent, and was not"


def left_behind(service: Service) -> list[str]:
    """What a killed run left unfinished: messages not decided, effects not carried out."""
    with service.journal.read() as tx:
        left = [state for state, count in figures.states(tx).items() if state == "new" and count]
        for effect, states in figures.outbox_states(tx).items():
            left += [f"{effect} {state}" for state in states if state in {"pending", "sending", "doubt"}]
    return left


def test_killed_at_a_system_call(service: Service) -> None:
    """Killed at the n-th write, sync, send or receive, the next run finishes everything exactly once."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace (see tests/install-system-packages.sh)")
    count = killed = 0
    found: collections.Counter[str] = collections.Counter()
    for call, when in KILLS:
        for _ in range(MAILS):
            count += 1
            service.mailbox.deliver(mail(count, subject=f"Topic {count}", body=f"Words {count}"))
        service.write()
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}"]
        command = [strace, "-f", "-qq", "-o", "/dev/null", *inject, *service.command("run", "--once")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)
        killed += done.returncode in (-signal.SIGKILL, 137)
        found.update(left_behind(service))
        service.once()
        judge(service, count)
    print(f"{killed} of {len(KILLS)} runs were killed; left behind: {dict(found)}")
    assert killed >= len(KILLS) * 3 // 4, "the sample has drifted away from where the work is done"
    assert {"new", "move pending", "ack pending"} <= set(found), "no kill between two commits"


NEVER = 10**9  # bytes after which a connection that is not the subject is cut


@pytest.mark.parametrize("kind", ["rst", "fin"])
def test_connections_cut_at_any_byte(service: Service, kind: str) -> None:
    """IMAP or SMTP, watching, moving or sending, up or down: a cut anywhere loses and doubles nothing."""
    seed = random.Random(kind)
    imap, smtp = service.imap["port"], service.smtp["port"]
    count = 0
    for turn in range(12):
        count += 1
        service.mailbox.deliver(mail(count, subject=f"Topic {count}", body=f"Words {count}"))
        with FaultProxy(imap) as imap_proxy, FaultProxy(smtp) as smtp_proxy:
            service.imap["port"], service.smtp["port"] = imap_proxy.port, smtp_proxy.port
            direction = seed.choice(["up", "down"])
            if turn % 3 == 2:
                smtp_proxy.cut_after(seed.randint(1, 1400 if direction == "up" else 300), direction, kind)
            else:
                for _ in range(turn % 3):
                    imap_proxy.cut_after(NEVER)
                imap_proxy.cut_after(seed.randint(1, 700 if direction == "up" else 2500), direction, kind)
            service.once(good=None)
        service.imap["port"], service.smtp["port"] = imap, smtp
    service.wait(lambda: settled(service), "every effect to find its end", 60)
    judge(service, count)


def settled(service: Service) -> bool:
    """Run once more; whether nothing waits any longer."""
    service.once()
    return not left_behind(service)


def test_killed_at_random_under_load(service: Service) -> None:
    """Killed again and again while mail comes in, the service loses nothing and answers nobody twice."""
    seed = random.Random(20260302)
    service.limits = {"per_body_day": 1000, "per_subject_day": 1000, "global_hour": 1000}
    count = 0
    for _ in range(5):
        service.start()
        for _ in range(seed.randint(3, 6)):
            count += 1
            service.mailbox.deliver(mail(count, subject=f"Topic {count}", body=f"Words {count}"))
            time.sleep(seed.uniform(0, 0.25))
        time.sleep(seed.uniform(0, 0.3))
        service.stop(signal.SIGKILL)
    service.once()
    judge(service, count)
