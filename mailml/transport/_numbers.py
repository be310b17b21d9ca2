"""Sets of numbers in IMAP answers: ESEARCH results and COPYUID."""

from __future__ import annotations

import re
from itertools import chain

from imapclient.exceptions import ProtocolError

# A hostile "1:4294967295" must not become four billion integers.
MOST = 20_000_000


def expand(text: bytes) -> list[int]:
    """`1:3,7` as [1, 2, 3, 7]; a range may be written backwards (RFC 3501)."""
    ranges: list[range] = []
    total = 0
    for part in text.split(b","):
        match = re.fullmatch(rb"(\d+)(?::(\d+))?", part.strip())
        if not match:
            raise ProtocolError(f"not a set of numbers: {text[:80]!r}")
        low, high = sorted((int(match[1]), int(match[2] or match[1])))
        total += high - low + 1
        if total > MOST:
            raise ProtocolError(f"a set of more than {MOST} numbers")
        ranges.append(range(low, high + 1))
    return list(chain.from_iterable(ranges))


def esearch_all(line: bytes) -> list[int]:
    """The numbers of `(TAG "A1") UID ALL 1:3,7` (RFC 4731); empty when nothing was found."""
    match = re.search(rb"\bALL ([\d:,]+)", line)
    return expand(match[1]) if match else []


def copyuid(value: bytes) -> dict[int, int]:
    """The old and new UIDs of `38505 304,319:320 3956:3958` (RFC 4315)."""
    parts = value.split()
    if len(parts) != 3:
        return {}
    return dict(zip(expand(parts[1]), expand(parts[2]), strict=False))
