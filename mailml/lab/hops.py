"""`lab.hops`: the way a message took, hop by hop, with the delay of each: where an hour was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailml.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("hop", "sent_by", "taken_by", "protocol", "at", "seconds")
_HEAD = 256 * 1024  # bytes of header that are looked at; a Received line has a few hundred
_FIELD = {
    "hop": "hop", "sent_by": "from", "taken_by": "by", "protocol": "with", "at": "date_utc",
    "seconds": "delay",
}  # fmt: skip


def hops(raw: bytes) -> pd.DataFrame:
    """One row per Received field (RFC 5321 4.4), the first server on top, and how long the mail lay there.

    Columns: hop (1, 2, …), sent_by, taken_by, protocol, at (UTC), seconds since the hop before. All but what
    our own server wrote are claims that a sender can make up. Raises InputError for a header that cannot be
    read as hops at all.
    """
    import pandas as pd

    rows = [{name: hop.get(key) for name, key in _FIELD.items()} for hop in _received(raw)]
    made = pd.DataFrame(rows, columns=list(COLUMNS))
    made["at"] = pd.to_datetime(made["at"], utc=True, errors="coerce")
    made["seconds"] = pd.to_numeric(made["seconds"], errors="coerce")
    return made


def _received(raw: bytes) -> list[dict[str, Any]]:
    """The hops as mail-parser reads them, which knows the dialects of many servers.

    It is given the header alone: its constructor works on everything it gets, and a body can be made to keep
    it busy for minutes.
    """
    import mailparser

    head = raw[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    try:
        found = mailparser.parse_from_bytes(head + b"\n\n").received
    except Exception as error:  # mail-parser raises many kinds on broken headers
        what = f"its Received fields cannot be read ({type(error).__name__})"
        raise InputError(what, cure="Look at the header itself: `mailml parse`") from error
    return [hop for hop in found if isinstance(hop, dict)]
