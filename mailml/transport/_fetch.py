"""Messages as a stream: ranges of UIDs, two commands in flight, one body in memory at a time."""

from __future__ import annotations

import imaplib
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from mailml.transport._wire import Connection

IN_FLIGHT = 2  # one round trip is hidden; more gained nothing at 50 ms
_BODY = re.compile(rb'BODY\[\](?:<\d+>)? (?:\{(\d+)\}\r?\n$|"((?:[^"\\]|\\.)*)"|(NIL))')
# What every server seen answers to our own items, in our own order; anything else is read piece by piece.
_PLAIN = re.compile(
    rb'\* \d+ FETCH \(UID (\d+) FLAGS \(([^()]*)\) INTERNALDATE "([^"]+)" BODY\[\] \{(\d+)\}\r\n'
)
_UID = re.compile(rb"\bUID (\d+)")
_FLAGS = re.compile(rb"\bFLAGS \(([^()]*)\)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_MODSEQ = re.compile(rb"\bMODSEQ \((\d+)\)")
_TAIL_LITERAL = re.compile(rb"\{(\d+)\}\r?\n$")
_MONTHS = {m: i for i, m in enumerate(b"JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}


class Fetched(NamedTuple):
    """One message as the server gave it. `raw` is None where only flags were asked for.

    `size` is the server's RFC822.SIZE where it was asked for, else the length of `raw`.
    """

    uid: int
    flags: tuple[str, ...]
    internaldate: datetime | None  # aware, UTC
    raw: bytes | None
    size: int
    modseq: int = 0


def stream(connection: Connection, sets: Iterable[str], items: str) -> Iterator[Fetched]:
    """The messages of UID FETCH for each set of UIDs, in the server's order.

    A NO or BAD raises imaplib's error after the messages that did come. A consumer that stops early leaves
    the connection unusable; it is closed then.
    """
    waiting = iter(sets)
    flying: deque[bytes] = deque()
    try:
        for _ in range(IN_FLIGHT):
            _send(connection, waiting, flying, items)
        while flying:
            line = _line(connection)
            if line.startswith(b"* "):
                if (item := _untagged(connection, line)) is not None:
                    yield item
            elif line.startswith(flying[0] + b" "):
                _done(connection, flying.popleft(), line)
                _send(connection, waiting, flying, items)
            else:
                raise imaplib.IMAP4.abort(f"unexpected answer: {line[:80]!r}")
    except imaplib.IMAP4.error as error:
        if not isinstance(error, imaplib.IMAP4.abort):
            _drain(connection, flying)
        raise
    finally:
        if flying:
            connection.shutdown()


def _send(connection: Connection, waiting: Iterator[str], flying: deque[bytes], items: str) -> None:
    uids = next(waiting, None)
    if uids is None:
        return
    tag: bytes = connection._new_tag()
    connection.tagged_commands.pop(tag, None)
    connection.send(tag + f" UID FETCH {uids} {items}\r\n".encode("ascii"))
    flying.append(tag)


def _line(connection: Connection) -> bytes:
    line = connection.readline()
    if not line.endswith(b"\n"):
        raise imaplib.IMAP4.abort("socket error: EOF")
    return line


def _done(connection: Connection, tag: bytes, line: bytes) -> None:
    status, _, text = line[len(tag) + 1 :].partition(b" ")
    if status.upper() != b"OK":
        raise imaplib.IMAP4.error(text.decode("utf-8", "replace").strip())


def _drain(connection: Connection, flying: deque[bytes]) -> None:
    # The commands behind a refused one are still answered; their messages are asked for again by the caller.
    while flying:
        line = _line(connection)
        if line.startswith(b"* "):
            _untagged(connection, line)
        elif line.startswith(flying[0] + b" "):
            flying.popleft()


def _untagged(connection: Connection, line: bytes) -> Fetched | None:
    if (plain := _PLAIN.fullmatch(line)) is not None:
        uid, flags, date, size = plain.groups()
        raw = connection.read(int(size))
        if (tail := _rest(connection)) == b")\r\n":
            return Fetched(int(uid), flag_names(flags), internaldate(date), raw, len(raw))
        return _fetched(int(uid), line + tail, raw)
    return _piecewise(connection, line)


def _piecewise(connection: Connection, line: bytes) -> Fetched | None:
    if line[2:5].upper() == b"BYE":
        raise imaplib.IMAP4.abort(line[2:].decode("utf-8", "replace").strip())
    if b" FETCH (" not in line[:32].upper():
        # News that comes between a scan and IDLE is not told again: the session's next IDLE returns at once.
        if line.rstrip().endswith((b" EXISTS", b" EXPUNGE")):
            connection.noted.append(line.rstrip())
        return None
    body = _BODY.search(line)
    raw, head = None, line
    if body is not None:
        if body[1] is not None:
            raw = connection.read(int(body[1]))
            head = line + _rest(connection)
        else:
            raw = re.sub(rb"\\(.)", rb"\1", body[2] or b"")
            head = line[: body.start()] + line[body.end() :]
    found = _UID.search(head)
    # A FETCH without a UID is the server telling of somebody else's flag change.
    return _fetched(int(found[1]), head, raw) if found else None


def _rest(connection: Connection) -> bytes:
    """What follows a body up to the closing parenthesis; other literals in it are read and dropped."""
    rest = _line(connection)
    while (literal := _TAIL_LITERAL.search(rest)) is not None:
        connection.read(int(literal[1]))
        rest = rest[: literal.start()] + _line(connection)
    return rest


def _fetched(uid: int, head: bytes, raw: bytes | None) -> Fetched:
    flags, date, size, modseq = (p.search(head) for p in (_FLAGS, _DATE, _SIZE, _MODSEQ))
    return Fetched(
        uid,
        flag_names(flags[1]) if flags else (),
        internaldate(date[1]) if date else None,
        raw,
        int(size[1]) if size else len(raw or b""),
        int(modseq[1]) if modseq else 0,
    )


@lru_cache(4096)
def flag_names(flags: bytes) -> tuple[str, ...]:
    r"""The flags as sorted text, without \Recent: it is about the session, not about the message."""
    names = (flag.decode("utf-8", "replace") for flag in flags.split())
    return tuple(sorted(name for name in names if name.lower() != "\\recent"))


def internaldate(text: bytes) -> datetime | None:
    """`17-Jul-1996 02:44:25 -0700` (RFC 3501 date-time) as an aware UTC time; None when it is none."""
    try:
        day, month, rest = text.strip().split(b"-", 2)
        year, clock, zone = rest.split()
        hour, minute, second = (int(n) for n in clock.split(b":"))
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        local = datetime(
            int(year), _MONTHS[month.upper()], int(day), hour, minute, min(second, 59), tzinfo=UTC
        )
        return local - (-offset if zone.startswith(b"-") else offset)
    except (ValueError, KeyError, OverflowError):
        return None


def sets_of(uids: Sequence[int], per_command: int) -> Iterator[str]:
    """Ascending UIDs as IMAP sets of at most `per_command` messages ("1:500", "7,9,12:40").

    Ranges never reach over a UID that was not asked for; a set is cut at 4,000 characters, because servers
    limit the length of a command line (20,000 comma-joined ids are too long for Dovecot).
    """
    parts: list[str] = []
    count = length = 0
    for first, last in _runs(uids, per_command):
        part = str(first) if first == last else f"{first}:{last}"
        if parts and (count + last - first + 1 > per_command or length + len(part) > 4000):
            yield ",".join(parts)
            parts, count, length = [], 0, 0
        parts.append(part)
        count, length = count + last - first + 1, length + len(part) + 1
    if parts:
        yield ",".join(parts)


def _runs(uids: Sequence[int], longest: int) -> Iterator[tuple[int, int]]:
    first = last = 0
    for uid in uids:
        if first and uid == last + 1 and uid - first < longest:
            last = uid
            continue
        if first:
            yield first, last
        first = last = uid
    if first:
        yield first, last
