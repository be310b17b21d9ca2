"""Finding messages of the opened folder: by Message-ID, by date, and what heads say of many at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from imapclient.exceptions import IMAPClientError

from mailml.errors import DisconnectedError
from mailml.transport import _numbers
from mailml.transport._wire import Client

_MESSAGE_ID = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
_AT_ONCE = 200  # UIDs that are written out in one command: Dovecot refuses lines of 20,000


class Head(NamedTuple):
    """What tells a message from others without its body; `message_id` is the header line as it stands."""

    uid: int
    size: int
    message_id: bytes


def from_uid(client: Client, first: int, *, extended: bool) -> list[int]:
    """The UIDs from `first` on, ascending; `extended` asks in ranges (ESEARCH, RFC 4731).

    Ranges instead of numbers: 100,000 messages in a few bytes, and no line too long.
    """
    if extended:
        found = _numbers.esearch_all(_untagged(client, "ESEARCH", f"SEARCH RETURN (ALL) UID {first}:*"))
    else:
        found = [int(uid) for uid in client.search(f"UID {first}:*")]
    # `n:*` always names the last message, even below n (RFC 3501 6.4.8)
    return sorted({uid for uid in found if uid >= first})


def _untagged(client: Client, name: str, command: str) -> bytes:
    verb, _, arguments = command.partition(" ")
    connection = client.connection
    connection.untagged_responses.pop(name, None)
    status, told = connection.uid(verb, arguments)
    if status != "OK":
        raise IMAPClientError(str(told[-1], "utf-8", "replace"))
    lines = connection.untagged_responses.pop(name, None)
    if not lines or not isinstance(lines[-1], bytes):
        raise DisconnectedError(f"the server answered {verb} without {name}", where=client.where)
    return lines[-1]


def with_message_id(client: Client, message_id: str) -> list[int]:
    """The UIDs of exactly this Message-ID, ascending."""
    found = [int(uid) for uid in client.search(["HEADER", "Message-ID", message_id])]
    # HEADER searches substrings: "<1@x>" is in "<11@x>" only by accident, but in a comment often.
    told = client.fetch(found, [_MESSAGE_ID]) if found else {}
    wanted = re.compile(
        rb"(?im)^message-id:\s*" + re.escape(message_id.encode("utf-8", "replace")) + rb"\s*$"
    )
    # a message that somebody removes between SEARCH and FETCH is told nothing of
    heads = {uid: told.get(uid, {}).values() for uid in found}
    return sorted(uid for uid in found if any(isinstance(v, bytes) and wanted.search(v) for v in heads[uid]))


def since(client: Client, day: date) -> list[int]:
    """The UIDs of what arrived on this day or later, by the server's own calendar (RFC 3501 6.4.4)."""
    return sorted(int(uid) for uid in client.search(["SINCE", day]))


def heads(client: Client, uids: Sequence[int]) -> Iterator[Head]:
    """Size and Message-ID of these messages; those that are gone are left out."""
    for start in range(0, len(uids), _AT_ONCE):
        told = client.fetch(list(uids[start : start + _AT_ONCE]), ["RFC822.SIZE", _MESSAGE_ID])
        for uid, items in told.items():
            line = next((v for k, v in items.items() if k.startswith(b"BODY[") and isinstance(v, bytes)), b"")
            yield Head(uid, int(items.get(b"RFC822.SIZE", 0)), line)
