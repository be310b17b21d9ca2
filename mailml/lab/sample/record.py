"""One message of the sample with where it lies and what is true of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """A raw mail in a folder; `received` is its INTERNALDATE (UTC), `truth` a record ready for JSON.

    Keys of `truth`: sha256, message_id, folder, thread, position (0 opens the conversation), role (customer,
    agent, ack or automated), category ("" for automated mail), topic, shape (plain, short, mixed, unclear,
    follow-up), turn (of a customer: opening, chase before any answer, thanks, follow-up, detail), opens (a
    person opens an interaction with it, and waits), kind, ack (whether the message itself allows one),
    language, customer, first_queue, final_queue, moved_by, first_human_response (seconds from this message to
    the first answer by a person; None when there was none or the message opens nothing). Agents' answers also
    have `agent`.
    """

    folder: str
    raw: bytes = field(repr=False)
    received: datetime
    flags: tuple[str, ...]
    truth: Mapping[str, Any]


_BLANK: Mapping[str, Any] = {
    "message_id": "",
    "thread": "",
    "position": 0,
    "role": "automated",
    "category": "",
    "topic": "",
    "shape": "",
    "turn": "",
    "opens": False,
    "kind": "human",
    "ack": False,
    "language": "",
    "customer": "",
    "first_queue": "",
    "final_queue": "",
    "moved_by": "",
    "first_human_response": None,
}


def record(folder: str, raw: bytes, at: datetime, flags: tuple[str, ...], **truth: Any) -> SampleMessage:
    """A sample message with a complete truth: what is not given is empty."""
    truth = dict(_BLANK) | {"sha256": hashlib.sha256(raw).hexdigest(), "folder": folder} | truth
    # IMAP's INTERNALDATE has whole seconds.
    received = at.astimezone(UTC).replace(microsecond=0)
    return SampleMessage(folder, raw, received, flags, truth)
