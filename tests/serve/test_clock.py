"""What time does: SLA warnings and breaches once each, silence noticed, nothing said of a fresh start."""

from __future__ import annotations

from serve.instants import DAY, HOUR, MINUTE
from serve.journal import events, incoming, interactions
from tests.serve.room import Room
from tests.serve.service import mail


def kinds(room: Room, *wanted: str) -> list[str]:
    """The events of these kinds, oldest first."""
    with room.journal.read() as tx:
        told = [str(event["kind"]) for event in events.latest(tx, 100)]
    return [kind for kind in reversed(told) if kind in wanted]


def test_an_answer_that_is_late_is_told_once(room: Room) -> None:
    """Half an hour before it is due there is a warning, afterwards a breach, and each only once."""
    (row,) = room.decide(mail(1))
    with room.journal.read() as tx:
        found = interactions.of_message(tx, row["id"])
    assert found is not None
    assert found.due_at is not None
    room.now = found.due_at - 31 * MINUTE
    room.timekeeper.tick()
    assert kinds(room, "sla_due", "sla_breached") == []
    room.now = found.due_at - 29 * MINUTE
    for _ in range(2):
        room.timekeeper.tick()
    assert kinds(room, "sla_due", "sla_breached") == ["sla_due"]
    room.now = found.due_at + MINUTE
    for _ in range(2):
        room.timekeeper.tick()
    assert kinds(room, "sla_due", "sla_breached") == ["sla_due", "sla_breached"]


def test_an_answered_interaction_is_never_late(room: Room) -> None:
    """Once a person of ours has answered, the clock is silent."""
    (row,) = room.decide(mail(1))
    with room.journal.write() as tx:
        found = interactions.of_message(tx, row["id"])
        assert found is not None
        interactions.answered(tx, found.id, room.now)
    room.now += 30 * DAY
    room.timekeeper._reconciled_at = room.now  # no server here to reconcile with
    room.timekeeper.tick()
    assert kinds(room, "sla_due", "sla_breached") == []


def test_a_silent_mailbox_is_an_alarm_once_until_it_speaks(room: Room) -> None:
    """Not at the start, then once, and again only after it has been heard of in between."""
    room.timekeeper.tick()
    assert kinds(room, "mailbox_silent") == []
    room.now += HOUR
    for _ in range(3):
        room.timekeeper.tick()
    assert kinds(room, "mailbox_silent") == ["mailbox_silent"]
    with room.journal.write() as tx:
        incoming.fresh(tx, room.mailbox, room.now)
    room.timekeeper.tick()
    room.now += HOUR
    room.timekeeper.tick()
    assert kinds(room, "mailbox_silent") == ["mailbox_silent"] * 2
