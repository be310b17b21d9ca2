"""Closing by hand: nobody waits any more, the customer may come back, and the clocks follow."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailml.errors import InputError
from serve.__main__ import app
from serve.closing import close, reopen
from serve.instants import DAY, HOUR
from serve.journal import interactions, outbox
from serve.journal.interactions import Interaction
from serve.replying import put_reply
from tests.serve.room import KEY, TOML, Room
from tests.serve.service import US, mail
from tests.serve.test_clock import kinds


def one(room: Room) -> Interaction:
    """The first interaction, as it is now."""
    with room.journal.read() as tx:
        found = interactions.by_id(tx, 1)
    assert found is not None
    return found


def later(room: Room, milliseconds: int) -> None:
    """Time passes, and the clock is looked at."""
    room.now += milliseconds
    room.timekeeper._reconciled_at = room.now  # no server here to reconcile with
    room.timekeeper.tick()


def test_what_is_closed_is_never_late(room: Room) -> None:
    """Its due time passes without a word; the event says that it was closed, and why."""
    room.decide(mail(1))
    reference = one(room).reference
    assert close(room.journal, [f"#{reference.lower()}"], note="spam", clock=room.clock) == [reference]
    assert close(room.journal, [reference], clock=room.clock) == []
    assert one(room).state == "closed"
    later(room, 30 * DAY)
    assert kinds(room, "closed", "sla_due", "sla_breached") == ["closed"]


def test_its_customer_opens_it_and_a_new_time_runs(room: Room) -> None:
    """A month later he writes again: it is open, due from then on, and late only after that."""
    room.decide(mail(1))
    close(room.journal, [one(room).reference], clock=room.clock)
    first = one(room).due_at
    later(room, 30 * DAY)
    again = mail(2, sender="c1@customer1.example", In_Reply_To="<m1@customer.example>")
    room.decide(again)
    assert one(room).state == "open"
    assert first is not None
    assert (one(room).due_at or 0) > room.now > first
    later(room, 0)
    assert kinds(room, "reopened", "sla_breached") == ["reopened"]
    later(room, 5 * DAY)
    assert kinds(room, "reopened", "sla_breached") == ["reopened", "sla_breached"]


def test_the_clock_of_an_answer_does_not_begin_again(room: Room) -> None:
    """Who was answered, closed and writes again has had the first answer, which is what is counted."""
    room.decide(mail(1))
    with room.journal.write() as tx:
        interactions.answered(tx, 1, room.now)
    close(room.journal, [one(room).reference], clock=room.clock)
    due = one(room).due_at
    room.now += 30 * DAY
    room.decide(mail(2, sender="c1@customer1.example", In_Reply_To="<m1@customer.example>"))
    assert (one(room).state, one(room).due_at) == ("open", due)
    later(room, 30 * DAY)
    assert kinds(room, "sla_breached") == []


def test_opened_by_hand_the_old_time_counts(room: Room) -> None:
    """Closed by mistake and opened again: what is late by now is told."""
    room.decide(mail(1))
    reference = one(room).reference
    close(room.journal, [reference], clock=room.clock)
    later(room, 30 * DAY)
    assert reopen(room.journal, [reference], clock=room.clock) == [reference]
    assert reopen(room.journal, [reference], clock=room.clock) == []
    later(room, HOUR)
    assert kinds(room, "closed", "reopened", "sla_breached") == ["closed", "reopened", "sla_breached"]


def test_an_answer_on_its_way_does_not_open_it(room: Room) -> None:
    """Answered and closed in one go, as agents do: the answer leaves, is counted, and the state stays."""
    room.decide(mail(1))
    desk = room.bundles.current.desk
    reference, sending = one(room).reference, room.config.smtp.sending
    put_reply(
        room.journal, reference, "Done.", identity=desk.identity, sending=sending, key=KEY, clock=room.clock
    )
    close(room.journal, [reference], clock=room.clock)
    with room.journal.write() as tx:
        (reply,) = (one for one in outbox.next_sends(tx, room.now) if one.effect == "reply")
        assert reply.sender == US
        interactions.answered(tx, 1, room.now + HOUR)
    assert (one(room).state, one(room).answered_at) == ("closed", room.now + HOUR)


def test_nothing_is_closed_when_one_is_unknown(room: Room) -> None:
    """All that are unknown are named, and the others stay as they are."""
    room.decide(mail(1))
    with pytest.raises(InputError, match="'NOPE', 'NADA'"):
        close(room.journal, ["NOPE", one(room).reference, "NADA"])
    assert one(room).state == "open"


def test_the_commands(room: Room, tmp_path: Path) -> None:
    """Several at once, and what was so already is counted."""
    (tmp_path / "serve.toml").write_text(TOML)
    room.decide(mail(1), mail(2, subject="Another", body="another"))
    with room.journal.read() as tx:
        both = [interactions.by_id(tx, number) for number in (1, 2)]
    names = [found.reference for found in both if found]
    where = ["--config", str(tmp_path / "serve.toml")]

    def called(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, *where], catch_exceptions=False)
        assert done.exit_code == 0
        return done.output.strip()

    assert called("close", names[0]) == "1 closed, 0 were closed already"
    assert called("close", *names) == "1 closed, 1 were closed already"
    assert called("reopen", *names, "--note", "a mistake") == "2 opened, 0 were open already"
    assert one(room).state == "open"
