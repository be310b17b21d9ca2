"""Placing a message: copies, strangers, references that are taken, and the facts of the thread."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.message import parse
from mailml.thread import reference_of
from serve.instants import DAY
from serve.journal import events, incoming, interactions
from serve.showing import every_decision
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


def state_of(room: Room, reference: str) -> str:
    """Open, answered or closed."""
    with room.journal.read() as tx:
        found = interactions.by_reference(tx, reference)
    assert found is not None
    return found.state


@pytest.mark.parametrize("ended", ["answered", "closed"])
@pytest.mark.parametrize(
    ("body", "headers", "state"),
    [
        ("It is still broken, what now?", {}, "open"),
        ("Thank you very much!", {}, None),
        ("Danke, das hat geklappt.", {}, None),
        ("Thanks, but it is still broken.", {}, "open"),
        ("I am away until Monday.", {"Auto_Submitted": "auto-replied"}, None),
    ],
)
def test_a_person_who_wants_something_opens_it_again(
    room: Room, ended: str, body: str, headers: dict[str, str], state: str | None
) -> None:
    """A reply re-opens what was answered or closed; a machine's, or a mere thank-you, leaves it as it was."""
    (line,) = room.decide(mail(1))
    with room.journal.write() as tx:
        found = interactions.by_reference(tx, line["reference"])
        assert found is not None
        interactions.answered(tx, found.id, room.now)
        if ended == "closed":
            interactions.close(tx, found.id)
    answer = mail(2, sender="c1@customer1.example", In_Reply_To="<m1@customer.example>", body=body, **headers)
    room.decide(answer)
    assert state_of(room, line["reference"]) == (state or ended)
    with room.journal.read() as tx:
        kinds = {event["kind"] for event in events.latest(tx)}
    assert ("reopened" in kinds) is (state == "open")
    assert ("thanked" in kinds) is ("auto-replied" not in headers.values() and state is None)


def test_the_subject_joins_only_where_the_desk_says_so(tmp_path: Path) -> None:
    """Off it opens an interaction; switched on it joins within its days, as the workbench does."""
    for days, joined in ((0, False), (2, True)):
        room = Room(tmp_path / str(days), threads={"same_subject_days": days})
        answer = mail(2, sender="c1@customer1.example", Subject="Re: My printer is on fire 1")
        late = mail(3, sender="c1@customer1.example", Subject="Re: My printer is on fire 1", body="late")
        room.decide(mail(1))
        room.now += DAY
        room.decide(answer)
        room.now += 3 * DAY
        first, second, third = room.decide(late)
        assert (second["reference"] == first["reference"]) is joined
        assert third["reference"] not in {first["reference"], second["reference"]}
        room.journal.close()


def test_every_line_says_why_it_was_joined(room: Room) -> None:
    """A new conversation, an answer, and a copy: how each was joined, and on which evidence."""
    room.decide(mail(1), mail(1), mail(2, sender="c1@customer1.example", In_Reply_To="<m1@customer.example>"))
    why = [(line["joined_by"], line["joined_on"]) for line in every_decision(room.journal)]
    m1 = "<m1@customer.example>"
    assert why == [("new", ""), ("same_message", m1), ("references", m1)]
