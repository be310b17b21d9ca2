"""A day of mail loops in a second: responders of every kind against the worker, on a clock of the test.

Every round, each acknowledgement that left comes to a responder, which answers a minute later. In none of the
scenarios may an interaction be acknowledged twice, or more than five acknowledgements leave within the day.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailml.message import parse
from serve.instants import DAY, MINUTE
from serve.journal import limits
from serve.journal.outbox import Send
from tests.serve.room import Room
from tests.serve.service import US, mail

MOST_ACKS = 5
Responder = Callable[[int, Send], bytes]


def subject_of(sent: Send) -> str:
    """The subject of a mail of ours."""
    return parse(sent.raw).subject


def compliant(n: int, sent: Send) -> bytes:
    """Says that it is automatic, as RFC 3834 asks."""
    return answer(n, sent, Auto_Submitted="auto-replied", In_Reply_To=sent.message_id)


def headerless(n: int, sent: Send) -> bytes:
    """Answers like a person: no automatic header, but in our thread."""
    return answer(n, sent, In_Reply_To=sent.message_id)


def forgetful(n: int, sent: Send) -> bytes:
    """Keeps nothing of ours: neither Message-ID nor the subject's reference."""
    return mail(
        n, sender=sent.recipient, subject="Your mail", body="I will answer soon.", Message_ID=f"<f{n}@x>"
    )


def stripping(n: int, sent: Send) -> bytes:
    """Answers with our subject and its reference, but its gateway removed our Message-ID everywhere."""
    return mail(n, sender=sent.recipient, subject=subject_of(sent), body="I am away.", Message_ID=f"<g{n}@x>")


def chameleon(n: int, sent: Send) -> bytes:
    """Answers from another address each round (FreeScout issue 688)."""
    sender = f"ticket+{n}@responder.example"
    return mail(n, sender=sender, subject=f"Re: {subject_of(sent)}", body=f"Ticket {n} is open.")


def wanderer(n: int, sent: Send) -> bytes:
    """Changes address, domain, subject and wording each round; only the thread stays."""
    sender = f"desk@d{n}.example"
    return answer(n, sent, sender=sender, body=f"Number {n}: " + "words " * n)


def bouncing(n: int, sent: Send) -> bytes:
    """The mail system answers that it could not be delivered."""
    return mail(
        n,
        sender="mailer-daemon@mx.example",
        subject="Undelivered Mail Returned to Sender",
        Return_Path="<>",
        Content_Type="multipart/report; report-type=delivery-status; boundary=b",
        body="--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n" + sent.raw.decode() + "\r\n--b--\r\n",
    )


def echoing(n: int, sent: Send) -> bytes:
    """Sends our own mail back as it is."""
    return sent.raw


def answer(n: int, sent: Send, *, sender: str = "", body: str = "", **headers: str) -> bytes:
    """An answer from where the mail went, with our subject."""
    subject = f"Re: {subject_of(sent)}"
    return mail(n, sender=sender or sent.recipient, subject=subject, body=body or "I am away.", **headers)


def rounds(room: Room, responder: Responder) -> Iterator[list[Send]]:
    """A day of rounds, a minute each, from a customer's first mail on; yields what left in each."""
    room.decide(mail("start", sender="first@customer.example", subject="Hello"))
    turn, end = 0, room.now + DAY
    while room.now < end:
        left = room.mails()
        yield left
        room.now += MINUTE
        for sent in left:
            turn += 1
            room.decide(responder(turn, sent))
        if not left:
            return


@pytest.mark.parametrize(
    "responder",
    [compliant, headerless, forgetful, stripping, chameleon, wanderer, bouncing, echoing],
    ids=lambda r: r.__name__,
)
def test_no_responder_keeps_us_talking(room: Room, responder: Responder) -> None:
    """Whatever answers our acknowledgements, the exchange comes to an end after at most five of them."""
    sent = [one for left in rounds(room, responder) for one in left]
    assert 1 <= len(sent) <= MOST_ACKS
    assert max(collections.Counter(one.interaction_id for one in sent).values()) == 1
    assert {row["state"] for row in room.all()} == {"decided"}, "a mail of the loop was not routed"


def test_two_of_us_facing_each_other_fall_silent(tmp_path: Path) -> None:
    """Two desks that acknowledge everything exchange one mail each way at most."""
    one, other = Room(tmp_path / "one"), Room(tmp_path / "other")
    one.decide(mail("start", sender="help@other.example", subject="Hello"))
    total = 0
    for _ in range(100):
        left, right = one.mails(), other.mails()
        total += len(left) + len(right)
        other.decide(*(sent.raw.replace(US.encode(), b"desk@one.example") for sent in left))
        one.decide(*(sent.raw.replace(US.encode(), b"help@other.example") for sent in right))
        for room in (one, other):
            room.now += MINUTE
    assert total <= 2


@pytest.mark.parametrize("speed", [1, 10])
def test_a_machine_that_never_stops_opens_the_breaker(room: Room, speed: int) -> None:
    """Mail that comes whether or not we answer opens the global breaker within a hundred mails of an hour."""
    for n in range(100):
        body = "The same words every time."
        room.decide(mail(n, sender=f"a{n}@robots.example", subject=f"Alert {n}", body=body))
        room.now += MINUTE // speed // 4
        with room.journal.read() as tx:
            if limits.tripped(tx):
                break
    with room.journal.read() as tx:
        assert limits.tripped(tx) is not None
    sent = room.mails()
    assert len(sent) <= MOST_ACKS
    assert len(room.all()) <= 100


def test_customers_with_one_subject_do_not_open_the_breaker(room: Room) -> None:
    """A hundred strangers who all write "Contact form" are limited by subject, and nobody else is."""
    for n in range(100):
        raw = mail(
            "", sender=f"a@c{n}.example", subject="Contact form", body=f"Question {n}", Message_ID=f"<{n}@x>"
        )
        room.decide(raw)
        room.now += 10_000
    with room.journal.read() as tx:
        assert limits.tripped(tx) is None
    assert len(room.mails()) == 2
    room.decide(mail(1000, subject="Something else", body="A question of its own"))
    assert len(room.mails()) == 1
