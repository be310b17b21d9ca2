"""Waiting for news with IDLE (RFC 2177), without the three defects of imapclient's own.

Those: EXISTS in the same packet as the continuation is missed; a closed connection returns [] for ever; a
line split over packets aborts. Reading through the connection's one buffer avoids all three.
"""

from __future__ import annotations

import imaplib
import select
import ssl
import time
from typing import Protocol

from mailml.transport._wire import Connection

ANSWER = 30.0  # seconds a live server has for the continuation and the end, or the account's timeout


class Stop(Protocol):
    """An end that can be waited for beside a socket: `fileno()` can be read from once `is_set()` is true."""

    def is_set(self) -> bool:
        """Whether it has come."""

    def fileno(self) -> int:
        """A descriptor for select and poll."""


def idle(connection: Connection, seconds: float, stop: Stop | None = None) -> tuple[bytes, ...]:
    """Waits up to `seconds` for news; returns the untagged lines seen, at once when there were some already.

    Nothing runs while nothing happens: socket and `stop` are waited for together. Raises imaplib's abort when
    the peer is gone or does not answer, and error when it refuses IDLE. News is a hint: scan after every
    return.
    """
    return _Idle(connection, stop).run(seconds)


class _Idle:
    def __init__(self, connection: Connection, stop: Stop | None) -> None:
        self.connection, self.stop = connection, stop
        self.lines: list[bytes] = []
        self.accepted = self.ended = False

    def run(self, seconds: float) -> tuple[bytes, ...]:
        sock, old = self.connection.sock, self.connection.sock.gettimeout()
        self.patience = old or ANSWER
        self.tag: bytes = self.connection._new_tag()
        self.connection.tagged_commands.pop(self.tag, None)
        try:
            self.connection.send(self.tag + b" IDLE\r\n")
            self._loop(time.monotonic() + seconds)
        finally:
            sock.settimeout(old)
        return tuple(self.lines)

    def _loop(self, end: float) -> None:
        answer = min(ANSWER, self.patience)
        deadline = time.monotonic() + answer
        while not self._take_lines():
            now = time.monotonic()
            if self.accepted and not self.ended and (now >= end or self._has_news() or self._stopped()):
                self.connection.send(b"DONE\r\n")
                self.ended, deadline = True, now + answer
            heard = self._wait((end if self.accepted and not self.ended else deadline) - now)
            if not heard and time.monotonic() >= deadline and (self.ended or not self.accepted):
                raise imaplib.IMAP4.abort("no answer to IDLE")

    def _take_lines(self) -> bool:
        """Handles every whole line that is here; True when the command has ended."""
        while self.connection.wire.has_line():
            line = self.connection.wire.line().rstrip(b"\r\n")
            if line.startswith(self.tag + b" "):
                if line[len(self.tag) + 1 :][:2].upper() != b"OK":
                    raise imaplib.IMAP4.error(line[len(self.tag) + 1 :].decode("utf-8", "replace"))
                return True
            if line.startswith(b"+"):
                self.accepted = True
            elif line[2:5].upper() == b"BYE":
                raise imaplib.IMAP4.abort(line.decode("utf-8", "replace"))
            else:
                self.lines.append(line)
        return False

    def _has_news(self) -> bool:
        return any(
            line.endswith((b" EXISTS", b" EXPUNGE")) or b" FETCH (" in line or line.startswith(b"* VANISHED")
            for line in self.lines
        )

    def _stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def _wait(self, seconds: float) -> bool:
        """Whether bytes came before the time or the end did."""
        sock = self.connection.sock
        if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            ears = select.poll()
            ears.register(sock, select.POLLIN)
            if self.stop is not None and self.accepted and not self.ended:
                ears.register(self.stop, select.POLLIN)
            ears.poll(max(seconds, 0.001) * 1000)
        sock.settimeout(0)
        try:
            alive = self.connection.wire.fill()
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(self.patience)
        if not alive:
            raise imaplib.IMAP4.abort("the server closed the connection while idling")
        return True
