"""The facts of an interaction at each moment: nothing of the future, nothing of another conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mailml.lab.arrivals import Arrival
from mailml.lab.walk import Walk
from mailml.verdict import Thread

START = datetime(2026, 3, 5, 9, tzinfo=UTC)


def arrival(minutes: float, **changes: Any) -> Arrival:
    """An incoming message that opens the interaction T, unless told otherwise."""
    values: dict[str, Any] = {
        "key": ("desk", "INBOX", 1, int(minutes)), "at": START + timedelta(minutes=minutes), "sha256": "",
        "message_id": f"{minutes}@x", "subject": "s", "from_addr": "anna@x.example",
        "to": ("support@acme.example",),
        "answers": (), "sent": False, "thread": "T", "joined_by": "new",
    }  # fmt: skip
    return Arrival(**{**values, **changes})


def ours(minutes: float, **changes: Any) -> Arrival:
    """A message that we sent to Anna in the interaction T."""
    given = {
        "sent": True,
        "from_addr": "support@acme.example",
        "to": ("anna@x.example",),
        "joined_by": "references",
    }
    return arrival(minutes, **{**given, **changes})


def test_the_first_message_knows_nothing() -> None:
    """A message that opens an interaction has the empty thread, whatever other threads hold."""
    walk = Walk()
    walk.received(arrival(0, thread="other"), human=True, acked=True)
    assert walk.context(arrival(1)).thread == Thread()


def test_an_acknowledgement_is_remembered_for_its_thread_only() -> None:
    """After an ack the next message of the same interaction is `acked`; another interaction's is not."""
    walk = Walk()
    walk.received(arrival(0), human=True, acked=True)
    assert walk.context(arrival(5, joined_by="references")).thread.acked
    assert not walk.context(arrival(5, joined_by="references", thread="other")).thread.acked


def test_a_machine_of_ours_does_not_answer() -> None:
    """An automatic mail of ours sets neither `answered` nor makes its reader known; a person's does both."""
    walk = Walk()
    walk.received(arrival(0), human=True, acked=False)
    walk.sent(ours(1), automatic=True)
    context = walk.context(arrival(2, joined_by="references"))
    assert (context.thread.answered, context.known_sender) == (False, False)
    walk.sent(ours(3), automatic=False)
    context = walk.context(arrival(4, joined_by="references"))
    assert (context.thread.answered, context.known_sender) == (True, True)


def test_an_answer_to_our_mail_is_known_with_its_delay() -> None:
    """In-Reply-To one of our Message-IDs: `answers_ours`, and the seconds since that mail left."""
    walk = Walk()
    walk.sent(ours(10, message_id="ours@acme"), automatic=False)
    thread = walk.context(arrival(40, answers=("ours@acme",))).thread
    assert (thread.answers_ours, thread.seconds_since_ours) == (True, 1800.0)
    assert walk.context(arrival(40, answers=("theirs@x",))).thread.seconds_since_ours is None


def test_a_person_is_lately_for_thirty_days() -> None:
    """The same sender's human mail counts for thirty days; an automated one never."""
    walk = Walk()
    walk.received(arrival(0), human=True, acked=False)
    day = 24 * 60
    assert walk.context(arrival(30 * day, joined_by="references")).thread.human_within_30_days
    assert not walk.context(arrival(30 * day + 1, joined_by="references")).thread.human_within_30_days
    walk = Walk()
    walk.received(arrival(0), human=False, acked=False)
    assert not walk.context(arrival(1, joined_by="references")).thread.human_within_30_days


def test_a_replay_decides_at_the_moment_of_arrival() -> None:
    """`now` is when the message came: nothing in a replay is too old to be acknowledged."""
    context = Walk(b"key").context(arrival(7))
    assert context.now == context.received_at == START + timedelta(minutes=7)
    assert (context.mailbox, context.loop_key) == ("desk", b"key")
