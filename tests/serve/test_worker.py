"""The worker: one decision, one transaction; poison set aside; threads, copies and limits."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

import serve.worker
from mailml.decide import decide
from mailml.verdict import Decision, Reason
from serve.instants import DAY, HOUR, MINUTE
from serve.journal import Tx, decisions, events, incoming, interactions, limits, outbox, quarantine
from serve.worker import Worker
from tests.serve.room import KEY, Room
from tests.serve.service import mail


def reason(row: dict[str, object]) -> str | None:
    """Why a message got no acknowledgement."""
    return json.loads(str(row["decision"]))["ack"]["reason"]  # type: ignore[no-any-return]


def test_a_message_becomes_decision_interaction_and_intents(room: Room) -> None:
    """One mail gives one decision, one interaction, one move and one acknowledgement, all at once."""
    (row,) = room.decide(mail(1))
    assert row["state"] == "decided"
    with room.journal.read() as tx:
        effects = decisions.effects(tx, row["id"])
        found = interactions.of_message(tx, row["id"])
    assert [(one["effect"], one["folder"], one["state"]) for one in effects] == [
        ("move", "Queues/General Support", "pending"),
        ("ack", "", "pending"),
    ]
    assert found is not None
    assert found.reference == row["reference"]
    assert found.acked_at == room.now
    assert found.due_at is not None
    assert found.customer == "c1@customer1.example"


def test_nothing_waits_nothing_happens(room: Room) -> None:
    """An empty journal is left alone."""
    assert room.worker.batch() == 0
    assert room.all() == []


def test_one_poisonous_message_is_set_aside_and_the_others_go_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that cannot be decided is tried, quarantined with raw bytes and reason, and stops nobody."""

    def allergic(message: object, *rest: object) -> Decision:
        if "poison" in message.subject:  # type: ignore[attr-defined]
            raise ZeroDivisionError("the text of the mail")
        return decide(message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(serve.worker, "decide", allergic)
    poison = mail(2, subject="poison")
    room.store(mail(1), poison, mail(3))
    while room.worker.batch() or room.now < 0:
        pass
    assert [row["state"] for row in room.all()] == ["decided", "new", "decided"]
    for _ in range(5):
        room.now += MINUTE
        room.worker.batch()
    assert [row["state"] for row in room.all()] == ["decided", "quarantined", "decided"]
    with room.journal.read() as tx:
        (held,) = quarantine.held(tx)
        assert quarantine.raw(tx, int(str(held["id"]))) == poison
        assert decisions.effects(tx, int(str(held["id"]))) == []
    assert held["reason"] == "ZeroDivisionError while deciding, 3 times"
    monkeypatch.undo()
    with room.journal.write() as tx:
        assert quarantine.retry(tx, int(str(held["id"])), room.now)
    room.decide()
    assert [row["state"] for row in room.all()] == ["decided"] * 3


def test_a_message_that_kills_the_process_is_counted(room: Room) -> None:
    """The attempt is committed before anything is tried, and a tried message comes alone the next time."""
    room.store(mail(1), mail(2))
    with room.journal.write() as tx:
        first = incoming.claim(tx, room.now)
    assert len(first) == 2  # the process dies here
    room.store(mail(3))
    with room.journal.write() as tx:
        assert incoming.claim(tx, room.now) == [3]
        assert incoming.claim(tx, room.now) == [1]
    with room.journal.read() as tx:
        assert [one.attempts for one in incoming.claimed(tx, [1, 2, 3])] == [2, 1, 1]


def test_a_message_that_kills_every_process_is_set_aside_in_the_end(room: Room) -> None:
    """After seven attempts that never came back the message is quarantined unread; the others are decided."""
    room.store(mail(1))
    for _ in range(6):
        with room.journal.write() as tx:
            incoming.claim(tx, room.now)
    assert [row["state"] for row in room.decide(mail(2))] == ["quarantined", "decided"]
    with room.journal.read() as tx:
        (held,) = quarantine.held(tx)
    assert held["reason"] == "the process ended 6 times while deciding it"


def test_trouble_with_the_disk_is_not_the_messages_fault(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is passed on to the supervisor: no message is quarantined for it."""

    def full(*_: object) -> Decision:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(serve.worker, "decide", full)
    room.store(mail(1))
    with pytest.raises(OperationalError):
        room.worker.batch()
    assert [row["state"] for row in room.all()] == ["new"]


def test_the_head_of_an_oversized_message_is_set_aside(room: Room) -> None:
    """A truncated message is quarantined with the limit in the reason; on request its head decides."""
    from tests.serve.room import stored

    with room.journal.write() as tx:
        incoming.store(tx, room.mailbox, 1, [stored(1, mail(1), room.now, truncated=True)], room.now)
    room.decide()
    with room.journal.read() as tx:
        (held,) = quarantine.held(tx)
    assert "larger than 50 MB" in str(held["reason"])
    with room.journal.write() as tx:
        quarantine.retry(tx, 1, room.now)
    assert [row["state"] for row in room.decide()] == ["decided"]


def test_answers_join_and_strangers_do_not(room: Room) -> None:
    """A party's answer to our signed mail joins; a stranger's opens its own interaction, and is flagged."""
    room.decide(mail(1))
    (ack,) = room.mails()
    reply = mail(2, sender="c1@customer1.example", subject="Re: hello", In_Reply_To=ack.message_id)
    stranger = mail(3, sender="eve@evil.example", subject="Re: hello", In_Reply_To=ack.message_id, body="hi")
    first, second, third = room.decide(reply, stranger)
    assert second["reference"] == first["reference"]
    assert reason(second) == Reason.ALREADY_ACKED
    assert third["reference"] != first["reference"]
    with room.journal.read() as tx:
        assert events.count(tx, ["linked"], 0) == 1


def test_a_person_reopens_and_a_machine_does_not(room: Room) -> None:
    """A customer's answer re-opens an answered interaction; an out-of-office is only an event of it."""
    (row,) = room.decide(mail(1))
    (ack,) = room.mails()
    with room.journal.write() as tx:
        found = interactions.of_message(tx, row["id"])
        assert found is not None
        interactions.answered(tx, found.id, room.now)
    away = mail(
        2,
        sender="c1@customer1.example",
        subject="Automatic reply: away",
        In_Reply_To=ack.message_id,
        Auto_Submitted="auto-replied",
    )
    rows = room.decide(away)
    assert rows[1]["reference"] == row["reference"]
    with room.journal.read() as tx:
        after = interactions.by_id(tx, found.id)
        assert after is not None
        assert after.state == "answered"
    room.decide(mail(3, sender="c1@customer1.example", In_Reply_To=ack.message_id))
    with room.journal.read() as tx:
        after = interactions.by_id(tx, found.id)
        assert after is not None
        assert after.state == "open"
    assert room.mails() == []


def test_old_mail_is_never_acknowledged(room: Room) -> None:
    """After an outage or an import, mail older than the cut-off is routed and not answered."""
    (row,) = room.decide(mail(1), received_at=room.now - 2 * DAY)
    assert reason(row) == Reason.TOO_OLD
    assert room.mails() == []


def test_the_service_may_be_stricter_about_old_mail(tmp_path: Path) -> None:
    """The service's own cut-off withholds the acknowledgement too, and is no sign of a loop."""
    room = Room(tmp_path)
    room.worker.config = room.config.model_copy(
        update={"service": room.config.service.model_copy(update={"cut_off_hours": 1.0})}
    )
    (row,) = room.decide(mail(1), received_at=room.now - 2 * HOUR)
    assert reason(row) == Reason.LIMIT
    with room.journal.read() as tx:
        assert events.count(tx, limits.LOOP_SIGNS, 0) == 0


def test_an_acknowledgement_that_cannot_be_written_costs_no_routing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no acknowledgement can be made the mail is routed all the same, and the failure is on record."""
    from mailml.errors import TemplateError

    def broken(*_: object) -> None:
        raise TemplateError("the template cannot be rendered")

    monkeypatch.setattr("serve.worker.intents.acknowledge", broken)
    (row,) = room.decide(mail(1))
    assert row["state"] == "decided"
    with room.journal.read() as tx:
        states = {one["effect"]: one["state"] for one in decisions.effects(tx, row["id"])}
    assert states == {"move": "pending", "ack": "failed"}


def test_a_stored_decision_is_made_again_to_the_same_bytes(room: Room) -> None:
    """Bytes, bundle and the stored context give the stored decision, byte for byte."""
    from mailml.verdict import Context

    room.decide(mail(1))
    (ack,) = room.mails()
    rows = room.decide(mail(2, sender="c1@customer1.example", In_Reply_To=ack.message_id))
    with room.journal.read() as tx:
        for row in rows:
            context = Context.from_plain(json.loads(row["context"]), loop_key=KEY)
            raw = decisions.raw(tx, row["id"])
            assert raw is not None
            assert decide(raw, room.bundles.current, context).to_json() == row["decision"]


def test_filed_mail_opens_no_interaction(room: Room) -> None:
    """An automatic reply to nothing we know is filed, without an interaction and without an answer."""
    (row,) = room.decide(mail(1, subject="Automatic reply: away", Auto_Submitted="auto-replied"))
    assert row["reference"] is None
    with room.journal.read() as tx:
        (move,) = decisions.effects(tx, row["id"])
    assert move["folder"] == "Automated/Replies"


@pytest.mark.parametrize("number", [1, 20, 45])
def test_a_batch_of_any_size_is_decided_once_each(room: Room, number: int) -> None:
    """However many wait, each gets exactly one decision and one move."""
    rows = room.decide(*(mail(n, subject=f"Topic {n}", body=f"Words {n}") for n in range(number)))
    assert [row["state"] for row in rows] == ["decided"] * number
    with room.journal.read() as tx:
        assert len(outbox.moves(tx, room.mailbox, room.now, 100)) == number


@pytest.mark.parametrize("attempts", [0, 50], ids=["to be decided", "to be set aside"])
def test_what_another_router_has_decided_meanwhile_is_left_alone(
    room: Room, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """A worker whose turn was taken over has the message in hand: one outcome, no error, no quarantine."""
    room.store(mail(1))
    other = Worker(room.journal, room.config, room.bundles, KEY, decided=lambda _: None, clock=room.clock)
    aside = room.worker._aside

    def overtaken(tx: Tx, claimed: incoming.Claimed) -> str:
        """The other one decides after we have taken the message up."""
        monkeypatch.setattr(room.worker, "_aside", aside)
        overtaking.start()
        overtaking.join(30)
        return "killed the process" if attempts else ""

    overtaking = threading.Thread(target=other.batch)
    monkeypatch.setattr(room.worker, "_aside", overtaken)
    assert room.worker.batch() == 1
    (row,) = room.all()
    assert row["state"] == "decided"
    with room.journal.read() as tx:
        assert quarantine.held(tx) == []
        assert "quarantined" not in [event["kind"] for event in events.latest(tx, 10)]
    assert len(room.mails()) == 1
