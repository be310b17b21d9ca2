"""Placing a message: copies, strangers, references that are taken, and the facts of the thread."""

from __future__ import annotations

from mailml.message import parse
from mailml.thread import reference_of
from serve.instants import DAY
from serve.journal import incoming, interactions
from serve.threads import open_interaction, place
from tests.serve.room import KEY, Room
from tests.serve.service import mail


def placed(room: Room, raw: bytes) -> object:
    """Where a mail would belong, without deciding it."""
    (number,) = room.store(raw)
    with room.journal.write() as tx:
        (claimed,) = incoming.claimed(tx, [number])
        return place(tx, claimed, parse(raw), KEY)


def test_a_new_mail_belongs_nowhere_yet(room: Room) -> None:
    """No interaction, nothing known, joined by nothing."""
    found = placed(room, mail(1))
    assert found.interaction is None  # type: ignore[attr-defined]
    assert found.thread.reference == ""  # type: ignore[attr-defined]
    assert found.joined.by == "new"  # type: ignore[attr-defined]


def test_the_thread_tells_what_happened_before(room: Room) -> None:
    """Acknowledged, answering ours, seconds since ours, and that this person wrote lately."""
    room.decide(mail(1))
    (ack,) = room.mails()
    room.now += DAY
    thread = placed(room, mail(2, sender="c1@customer1.example", In_Reply_To=ack.message_id)).thread  # type: ignore[attr-defined]
    assert thread.acked
    assert not thread.answered
    assert thread.answers_ours
    assert thread.human_within_30_days
    assert thread.seconds_since_ours == DAY / 1000


def test_a_reference_that_is_taken_is_not_given_twice(room: Room) -> None:
    """The same bytes opening a second interaction get a reference of their own."""
    raw = mail(1, Message_ID="")
    first, second = room.store(raw, raw)
    with room.journal.write() as tx:
        one, other = incoming.claimed(tx, [first, second])
        made = [open_interaction(tx, claimed, parse(raw)).reference for claimed in (one, other)]
        assert interactions.by_reference(tx, made[1]) is not None
    assert made[0] == reference_of(parse(raw).sha256.encode())
    assert made[0] != made[1]
