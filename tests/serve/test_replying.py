"""An agent's reply: numbered, signed, in the customer's thread, refused in one sentence when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from mailml.errors import InputError
from mailml.message import parse
from mailml.thread import verify_own_message_id
from serve.acknowledgement import Composed
from serve.journal import interactions
from serve.replying import put_reply
from tests.serve.room import KEY, Room
from tests.serve.service import US, mail


def put(room: Room, reference: str, body: str = "It is mended.", **rest: Any) -> Composed:
    """Put a reply into the room's outbox."""
    identity, sending = room.bundles.current.desk.identity, room.config.smtp.sending
    return put_reply(
        room.journal, reference, body, identity=identity, sending=sending, key=KEY, clock=room.clock, **rest
    )


def test_each_reply_has_a_number_of_its_own(room: Room) -> None:
    """Two replies and the acknowledgement have three signed Message-IDs of one interaction."""
    (row,) = room.decide(mail(1))
    made = [put(room, row["reference"]), put(room, f"#{row['reference'].lower()}")]
    sent = room.mails()
    assert [one.effect for one in sent] == ["reply", "reply", "ack"]
    assert {one.message_id for one in sent} >= {one.message_id for one in made}
    assert len({one.message_id for one in sent}) == 3
    assert {verify_own_message_id(one.message_id, KEY) for one in sent} == {row["reference"]}
    assert {one.sender for one in sent if one.effect == "reply"} == {US}


def test_it_answers_the_latest_message_of_the_customer(room: Room) -> None:
    """In-Reply-To is the newest mail of a person there, not the first and not an out-of-office."""
    (row,) = room.decide(mail(1))
    (ack,) = room.mails()
    customer = "c1@customer1.example"
    room.decide(mail(2, sender=customer, In_Reply_To=ack.message_id))
    away = {"Auto_Submitted": "auto-replied", "In_Reply_To": ack.message_id}
    room.decide(mail(3, sender=customer, subject="Automatic reply: away", **away))
    put(room, row["reference"])
    (reply,) = room.mails()
    assert parse(reply.raw).in_reply_to == ("<m2@customer.example>",)
    assert reply.recipient == customer


def test_another_recipient_becomes_a_party(room: Room) -> None:
    """Whom we wrote to may answer into the interaction."""
    (row,) = room.decide(mail(1))
    put(room, row["reference"], to="colleague@customer1.example")
    reply = room.mails()[0]
    rows = room.decide(mail(2, sender="colleague@customer1.example", In_Reply_To=reply.message_id))
    assert rows[1]["reference"] == row["reference"]


@pytest.mark.parametrize(
    ("reference", "body", "said"), [("NONE-SUCH", "x", "no interaction"), ("", " \n", "empty")]
)
def test_what_cannot_be_sent_is_refused_in_words(room: Room, reference: str, body: str, said: str) -> None:
    """An unknown reference and an empty text put nothing into the outbox."""
    (row,) = room.decide(mail(1))
    room.mails()
    with pytest.raises(InputError, match=said):
        put(room, reference or row["reference"], body)
    assert room.mails() == []


def test_a_known_sender_is_one_we_have_answered(room: Room) -> None:
    """Only who has had an answer of a person is known; an acknowledgement makes nobody known."""
    (row,) = room.decide(mail(1))
    with room.journal.write() as tx:
        assert not interactions.known_sender(tx, "c1@customer1.example")
        found = interactions.by_reference(tx, row["reference"])
        assert found is not None
        interactions.answered(tx, found.id, room.now)
        assert interactions.known_sender(tx, "c1@customer1.example")
        assert not interactions.known_sender(tx, "c2@customer1.example")
