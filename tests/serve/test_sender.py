"""The sender: each mail once, few commits, and what one mail meets does not touch the others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from serve.journal import decisions, limits, outbox
from serve.outbox import Sender
from serve.outbox import sender as sending
from tests.serve.room import Room
from tests.serve.service import mail
from tests.servers.smtp_sink import CUT, SmtpSink


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpSink]:
    """Where mail of ours goes."""
    with SmtpSink(tmp_path / "sink") as opened:
        yield opened


@pytest.fixture
def sender(room: Room, sink: SmtpSink) -> Sender:
    """A sender before whom three acknowledgements wait."""
    smtp = room.config.smtp.model_copy(update={"account": sink.account()})
    config = room.config.model_copy(update={"smtp": smtp})
    room.decide(*(mail(number, subject=f"Topic {number}", body=f"Words {number}") for number in range(3)))
    return Sender(room.journal, config, sent=lambda _: None, clock=room.clock)


def states(room: Room) -> list[str]:
    """How far each acknowledgement has come, in order."""
    with room.journal.read() as tx:
        found = [decisions.effects(tx, number) for number in (1, 2, 3)]
    return [one["state"] for effects in found for one in effects if one["effect"] == "ack"]


def test_three_mails_are_sent_with_four_commits(room: Room, sink: SmtpSink, sender: Sender) -> None:
    """That a mail was sent is written with the claim of the next, and the last one at once, on one line."""
    commits: list[float] = []
    event.listen(room.journal._writer, "commit", lambda _: commits.append(time.monotonic()))
    assert sender.batch() == 3
    line = sender._session
    assert states(room) == ["sent", "sent", "sent"]
    # a machine that is busy may write one down at once because its line seems slow
    assert 4 <= len(commits) <= 6
    assert [len(one.rcpt_to) for one in sink.mails] == [1, 1, 1]
    assert len({one.message_id for one in sink.mails}) == 3
    assert sender.batch() == 0
    assert sender._session is line is not None


@pytest.mark.parametrize(
    ("reply", "state"), [("451 4.7.1 later", "pending"), ("550 5.1.1 no", "failed"), (CUT, "doubt")]
)
def test_a_mail_that_is_not_taken_leaves_the_others_alone(
    room: Room, sink: SmtpSink, sender: Sender, reply: str, state: str
) -> None:
    """Put off, refused or in doubt: the mail before it stays sent, and the one behind it is sent."""
    sink.replies.extend(["", reply])
    assert sender.batch() == 3
    assert states(room) == ["sent", state, "sent"]


def test_a_breaker_that_trips_meanwhile_holds_what_is_in_hand(
    room: Room, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mails taken in hand together are asked about once more at the claim; nothing of them leaves."""
    asked = sending.outbox.next_sends

    def trips(*given: Any) -> list[outbox.Send]:
        found = asked(*given)
        with room.journal.write() as tx:
            silent = [one.recipient for one in found[1:]]
            for address in silent:
                limits.silence(tx, address, room.now + 1000, "it bounced")
        return found

    monkeypatch.setattr(sending.outbox, "next_sends", trips)
    monkeypatch.setattr(sender, "_held", _second_time(sender._held))
    assert sender.batch() == 3
    assert states(room) == ["sent", "withheld", "withheld"]


def _second_time(held: Any) -> Any:
    """The first look of a batch comes before the trip: it finds nothing."""
    calls = iter([None, None, None])
    return lambda tx, one: next(calls, held(tx, one))


def test_what_was_sent_is_written_down_when_the_journal_is_back(
    room: Room, sink: SmtpSink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that fails at the claim of the second mail: the first is sent once, and told as sent."""
    claims = iter([True, OperationalError("claim", {}, Exception("gone"))])
    true = outbox.sending

    def fails(tx: outbox.Tx, number: int) -> bool:
        if isinstance(next(claims, True), Exception):
            raise OperationalError("claim", {}, Exception("gone"))
        return true(tx, number)

    monkeypatch.setattr(sending.outbox, "sending", fails)
    with pytest.raises(OperationalError):
        sender.batch()
    assert states(room) == ["sent", "pending", "pending"]
    sender.close()
    assert sender.batch() == 2
    assert states(room) == ["sent", "sent", "sent"]
    assert len(sink.mails) == 3
