"""Retention: bodies go, then people; counts stay, and nothing that is still wanted is touched."""

from __future__ import annotations

import pytest

from mailml.errors import InputError
from serve import retention
from serve.instants import DAY
from serve.journal import Journal, decisions, figures, incoming, interactions, outbox, quarantine
from serve.metrics import Metrics
from serve.optional import Retention
from serve.showing import every_decision
from tests.serve.room import Room
from tests.serve.service import mail

SECRET = "Privatissimum"


@pytest.fixture
def old(room: Room) -> Room:
    """A mail from Ann that was decided, moved, acknowledged and copied, a hundred days ago."""
    room.decide(mail(1, subject=SECRET, sender="Ann <ann@customer.example>", body=f"my {SECRET} words"))
    (ack,) = room.mails()
    with room.journal.write() as tx:
        outbox.copied(tx, ack.id)
        for move in outbox.moves(tx, room.mailbox, room.now):
            outbox.moved(tx, move, "done", room.now)
    room.now += 100 * DAY
    return room


def forget(room: Room, **settings: float) -> retention.Forgotten:
    """Forget as configured, now."""
    config = room.config.model_copy(update={"retention": Retention(**settings)})
    return retention.forget(config, room.journal, clock=room.clock)


def counted(metrics: Metrics) -> list[str]:
    """The counts of decisions."""
    return [
        line for line in metrics.text().decode().splitlines() if line.startswith("mailml_decisions_total")
    ]


def on_disk(room: Room, word: bytes) -> bool:
    """Whether a word stands in the journal's file once it is closed, which folds the write-ahead log in."""
    room.journal.close()
    found = any(word in path.read_bytes() for path in room.journal.path.parent.glob("journal.sqlite*"))
    room.journal = Journal.open(room.journal.path)
    return found


def test_bodies_go_and_decisions_stay(old: Room) -> None:
    """The raw mail and our own mail's bytes are gone; what was decided is still told, with its reason."""
    assert forget(old, body_days=90).bodies == 2
    with old.journal.read() as tx:
        assert decisions.raw(tx, 1) is None
    (line,) = every_decision(old.journal)
    assert line["decision"]["queue"] == "General Support"
    assert line["subject"] == ""
    assert forget(old, body_days=90) == retention.Forgotten()


def test_nothing_young_goes(old: Room) -> None:
    """What is younger than the limit stays, body and all."""
    old.decide(mail(2))
    forget(old, body_days=90, person_days=90)
    with old.journal.read() as tx:
        assert decisions.raw(tx, 2) is not None
        found = interactions.of_message(tx, 2)
    assert found is not None
    assert found.customer == "c2@customer2.example"


def test_people_go_and_counts_stay(old: Room) -> None:
    """No address, subject, reference to a Message-ID or word of hers is left; every number is as before."""
    metrics = Metrics(old.journal, old.config, old.bundles, clock=old.clock)
    before = [
        line for line in metrics.text().decode().splitlines() if line.startswith("mailml_decisions_total")
    ]
    with old.journal.read() as tx:
        states = figures.states(tx), figures.conversations(tx, 0)
    made = forget(old, body_days=90, person_days=95)
    assert (made.bodies, made.conversations, made.decisions) == (2, 1, 1)
    assert counted(Metrics(old.journal, old.config, old.bundles, clock=old.clock)) == before
    with old.journal.read() as tx:
        assert (figures.states(tx), figures.conversations(tx, 0)) == states
        row = decisions.one(tx, 1)
    assert row is not None
    assert (row["kind"], row["queue"], row["decision"]) == ("human", "General Support", "")
    (line,) = every_decision(old.journal)
    assert line["decision"] is None


def test_what_is_forgotten_is_overwritten(old: Room) -> None:
    """SQLite leaves deleted bytes in its file unless it is told not to."""
    assert on_disk(old, SECRET.encode())
    forget(old, body_days=90, person_days=95)
    assert not on_disk(old, SECRET.encode())
    assert not on_disk(old, b"ann@customer.example")


@pytest.mark.parametrize("what", ["new", "quarantined", "move", "ack", "copy"])
def test_what_is_still_wanted_stays(room: Room, what: str) -> None:
    """Mail that waits, is set aside, is to be moved, sent or copied keeps its bytes, however old it is."""
    if what in ("new", "quarantined"):
        (number,) = room.store(mail(1))
        if what == "quarantined":
            with room.journal.write() as tx:
                quarantine.put(tx, number, room.mailbox, "broken", room.now)
    else:
        room.decide(mail(1))
        with room.journal.write() as tx:
            if what != "move":
                for move in outbox.moves(tx, room.mailbox, room.now):
                    outbox.moved(tx, move, "done", room.now)
        if what == "copy":
            room.mails()
    room.now += 1000 * DAY
    forget(room, body_days=1, person_days=1)
    with room.journal.read() as tx:
        if what == "copy":
            assert outbox.uncopied(tx, room.mailbox)[0].raw
        else:
            assert incoming.claimed(tx, [1])[0].raw


def test_a_conversation_that_goes_on_is_young(old: Room) -> None:
    """A customer who writes again today keeps the whole conversation."""
    again = mail("1b", sender="Ann <ann@customer.example>", In_Reply_To="<m1@customer.example>")
    old.decide(again)
    assert forget(old, body_days=90, person_days=95).conversations == 0


def test_a_reply_after_the_body_went(old: Room) -> None:
    """The command says why it cannot answer any more."""
    from serve.replying import put_reply

    forget(old, body_days=90)
    (row,) = old.all()
    with pytest.raises(InputError, match="no longer kept"):
        put_reply(
            old.journal,
            row["reference"],
            "Hello",
            identity=old.bundles.current.desk.identity,
            sending=old.config.smtp.sending,
            key=b"k" * 32,
        )


def test_the_clock_forgets_by_itself(old: Room) -> None:
    """Every few hours, and not at every tick."""
    old.timekeeper.config = old.config.model_copy(update={"retention": Retention(body_days=90)})
    old.timekeeper._reconciled_at = old.now + DAY
    old.timekeeper.tick()
    with old.journal.read() as tx:
        assert decisions.raw(tx, 1) is None


def test_people_without_bodies_is_no_setting() -> None:
    """Who forgets people earlier than bodies is told so."""
    with pytest.raises(ValueError, match="person_days must not be below"):
        Retention(body_days=10, person_days=5)


def test_person_days_alone_take_the_bodies_too(old: Room) -> None:
    """People stand in bodies."""
    assert forget(old, person_days=95).bodies == 2
