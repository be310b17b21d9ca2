"""The shadow: asked about everything that is decided from now on, recorded, and in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.bundle import Bundle
from serve import shadow as room_of_shadow
from serve.bundles import Bundles
from serve.journal import decisions, events, outbox
from serve.optional import Releases
from serve.shadow import Shadow, agreement
from tests.serve.room import KEY, Room
from tests.serve.service import bundle, mail

OTHER = """
default = "General Support"

[[rule]]
name = "odd"
when = { subject = { contains = "printer" } }
then = { queue = "Printers" }
"""


@pytest.fixture
def second(room: Room, tmp_path: Path) -> Bundle:
    """A bundle that puts printers into a queue of their own; it is the room's shadow."""
    made = bundle(tmp_path / "second", OTHER)
    room.bundles = Bundles(
        room.config.service.bundle, room.journal, Releases(shadow=made.path), clock=room.clock
    )
    room.worker.bundles = room.bundles
    return made


def shadow(room: Room) -> Shadow:
    """The role over the room's journal."""
    return Shadow(room.journal, room.bundles, KEY, clock=room.clock)


def test_only_what_is_decided_from_now_on(room: Room, second: Bundle) -> None:
    """Mail decided before the shadow came is left out; everything later is asked about once."""
    room.decide(mail(1))
    role = shadow(room)
    assert role.batch() == 0
    room.decide(mail(2), mail(3, subject="A question"))
    assert role.batch() == 2
    assert role.batch() == 0
    assert agreement(room.journal)["messages"] == 2


def test_agreement_counts_places_and_names_the_differences(room: Room, second: Bundle) -> None:
    """The share of messages that go to the same place, and each pair that differs, with examples."""
    role = shadow(room)
    room.decide(mail(1), mail(2), mail(3, subject="A question"))
    role.batch()
    told = agreement(room.journal)
    assert (told["shadow"], told["served_by"]) == (second.id, [room.bundles.current.id])
    assert (told["same_place"], told["agreement"]) == (1, 0.3333)
    assert told["same_kind"] == told["same_ack"] == 3
    assert told["differences"] == [
        {"served": "General Support", "shadow": "Printers", "messages": 2, "examples": [1, 2]}
    ]


def test_nothing_is_done_about_what_it_decides(room: Room, second: Bundle) -> None:
    """Moves and decisions are the served bundle's alone."""
    role = shadow(room)
    rows = room.decide(mail(1))
    role.batch()
    assert [row["bundle"] for row in rows] == [room.bundles.current.id]
    with room.journal.read() as tx:
        moves = outbox.moves(tx, room.mailbox, room.now)
        assert [move.folder for move in moves] == ["Queues/General Support"]
        assert len(list(decisions.every(tx))) == 1


def test_a_shadow_that_fails_is_told_of_and_forgotten(
    room: Room, second: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning for the message; the others are compared, and nothing is tried for ever."""
    role, real = shadow(room), room_of_shadow.decide

    def breaks(raw: bytes, *rest: object) -> object:
        if b"number 1" in raw:
            raise ZeroDivisionError
        return real(raw, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(room_of_shadow, "decide", breaks)
    room.decide(mail(1), mail(2))
    role.batch()
    assert role.batch() == 0
    assert agreement(room.journal)["messages"] == 1
    with room.journal.read() as tx:
        told = [event for event in events.latest(tx) if event["kind"] == "shadow_failed"]
    assert len(told) == 1
    assert "number 1" not in str(told)


def test_no_shadow_no_work(room: Room) -> None:
    """Without a shadow bundle nothing is asked and the report is empty."""
    room.decide(mail(1))
    assert shadow(room).batch() == 0
    assert agreement(room.journal)["messages"] == 0
    assert agreement(room.journal)["agreement"] is None
