"""The supervisor: a role that fails is started again and stops no other; only the disk ends the process."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from serve import backoff
from serve.bells import Bells
from serve.journal import outbox
from serve.supervisor import Supervisor
from tests.serve.room import KEY, Room
from tests.serve.service import mail


@pytest.fixture
def supervisor(room: Room) -> Supervisor:
    """All roles over the room's journal, none of them started."""
    return Supervisor(room.config, room.journal, KEY, clock=room.clock)


def test_a_role_that_fails_is_started_again(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two failures of a kind nobody foresaw, and the third start serves to the end."""
    monkeypatch.setattr(backoff, "seconds", lambda *_: 0.0)
    starts: list[int] = []

    def run(bells: Bells) -> None:
        starts.append(1)
        if len(starts) < 3:
            raise ZeroDivisionError
        bells.end()

    supervisor._role("worker", "work", run)
    assert len(starts) == 3
    assert not supervisor.disk_failed


def test_a_disk_that_cannot_be_written_ends_everything(supervisor: Supervisor) -> None:
    """No second start: what is not on the disk must have no consequences."""
    starts: list[int] = []

    def run(_bells: Bells) -> None:
        starts.append(1)
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    supervisor._role("worker", "work", run)
    assert supervisor.disk_failed
    assert supervisor.bells.stop.is_set()
    assert len(starts) == 1


def test_every_role_is_there(supervisor: Supervisor) -> None:
    """Two threads for the mailbox, and one each for worker, sender and clock."""
    names = [name for name, _, _ in supervisor._roles()]
    assert names == ["vitals", "ringer", "watcher desk", "worker", "mover desk", "sender", "clock"]


def test_a_process_may_take_on_one_part(room: Room) -> None:
    """`mailml-serve send` moves and sends, and leaves the rest to others."""
    sending = Supervisor(room.config, room.journal, KEY, parts=["send"], clock=room.clock)
    assert [name for name, _, _ in sending._roles()] == ["vitals", "ringer", "mover desk", "sender"]


def test_only_the_sending_part_doubts_what_was_being_sent(room: Room) -> None:
    """A watcher that starts while another process is sending must not call that mail doubtful."""
    room.decide(mail(1))
    with room.journal.write() as tx:
        one = next(iter(outbox.next_sends(tx, room.now)), None)
        assert one is not None
        assert outbox.sending(tx, one.id)
    Supervisor(room.config, room.journal, KEY, parts=["watch"], clock=room.clock).recover()
    with room.journal.read() as tx:
        assert not outbox.in_doubt(tx)
    Supervisor(room.config, room.journal, KEY, parts=["send"], clock=room.clock).recover()
    with room.journal.read() as tx:
        assert outbox.in_doubt(tx)


def test_a_decision_wakes_the_mover_and_the_sender(supervisor: Supervisor) -> None:
    """Right after the commit both are told; a mail that was sent wakes the mover for its copy."""
    bells = supervisor.bells
    supervisor._decided({"desk"})
    assert bells.mover("desk").wait(0)
    assert bells.sender.wait(0)
    supervisor._sent(supervisor.movers[0].id)
    assert bells.mover("desk").wait(0)
