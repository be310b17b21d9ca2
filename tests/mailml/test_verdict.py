"""The values of a decision: what they promise when they are stored and read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from mailml.verdict import Category, Context, Identity, Thread, canonical_json, plain

WHEN = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=1)))


def test_a_stored_context_reads_back_equal() -> None:
    """A context goes through JSON and back without loss, but for the key that is never stored."""
    thread = Thread(reference="K7Q2-ABCD", acked=True, seconds_since_ours=12.5)
    context = Context(
        received_at=WHEN, now=WHEN, mailbox="support", thread=thread, limit="address", loop_key=b"k"
    )
    stored = json.loads(canonical_json(context))
    assert "loop_key" not in stored
    assert Context.from_plain(stored, loop_key=b"k") == context


def test_times_are_stored_in_utc() -> None:
    """The zone a time was written in does not change the bytes."""
    assert canonical_json({"at": WHEN}) == canonical_json({"at": WHEN.astimezone(UTC)})
    assert plain(WHEN) == "2026-03-02T09:30:00+00:00"


def test_the_loop_key_is_not_shown() -> None:
    """Printing a context does not print the key that signs our Message-IDs."""
    assert "hush" not in repr(Context(received_at=WHEN, now=WHEN, loop_key=b"hush"))


def test_abstaining_is_not_a_class() -> None:
    """A category without a label says that it abstained."""
    assert Category(None, reason="empty").abstained
    assert not Category("general", 0.8).abstained


def test_the_corporate_address_is_stable() -> None:
    """The named address is the corporate one; without a name the same one is chosen on every run."""
    ours = frozenset({"support@acme.example", "billing@acme.example"})
    assert Identity(addresses=ours, primary="support@acme.example").address == "support@acme.example"
    assert Identity(addresses=ours).address == "billing@acme.example"
    assert Identity().address == ""
