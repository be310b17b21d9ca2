"""Putting messages into a folder: one, or several in one command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from imapclient.exceptions import IMAPClientError

from mailml.transport import _numbers
from mailml.transport._wire import Client

_APPENDUID = re.compile(rb"\[APPENDUID \d+ ([\d:,]+)\]")  # RFC 4315
_LINE_END = re.compile(rb"\r\n|\r|\n")


def append(
    client: Client, folder: str, raw: bytes, flags: Iterable[str], when: datetime | None
) -> int | None:
    """Put one message there; its UID where the server tells it."""
    uids = _uids(client.append(folder, raw, tuple(flag.encode() for flag in flags), when))
    return uids[0] if uids else None


def append_all(client: Client, folder: str, raws: Sequence[bytes], flags: Sequence[str]) -> list[int]:
    """Put them there in order; their UIDs where the server tells them all.

    One command, all of them or none, where the server knows MULTIAPPEND (RFC 3502). LITERAL+ must be there
    too: a refusal is then an answer to the whole, and not one in the middle of what is being said.
    """
    if len(raws) > 1 and client.has_capability("MULTIAPPEND") and client.has_capability("LITERAL+"):
        whole = [{"msg": _LINE_END.sub(b"\r\n", raw), "flags": flags} for raw in raws]
        status, told = client.multiappend(folder, whole)
        if status != "OK":
            raise IMAPClientError(f"append failed: {told[-1].decode('utf-8', 'replace')}")
        uids = _uids(told[-1])
        return uids if len(uids) == len(raws) else []
    found = [append(client, folder, raw, flags, None) for raw in raws]
    return [uid for uid in found if uid is not None] if None not in found else []


def _uids(answer: object) -> list[int]:
    found = _APPENDUID.search(answer if isinstance(answer, bytes) else b"")
    return _numbers.expand(found[1]) if found else []
