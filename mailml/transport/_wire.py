"""The connection itself: imaplib with one receive buffer of our own.

imaplib reads through a BufferedReader. That cannot be polled, is dead for good after one time-out, and hides
bytes from whoever waits on the socket: the causes of imapclient's three IDLE defects. With one buffer for
lines, literals and IDLE all three go away, and streamed fetches reach the speed of the bare socket.
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
from typing import Any, cast

from imapclient import IMAPClient

from mailml.transport.account import Account

CHUNK = 256 * 1024
# A UID list of a million messages is 8 MB; a line beyond this is an attack or a broken server.
MAX_LINE = 64 * 1024 * 1024


class Wire:
    """The receiving half of a socket: lines and literals from one buffer."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""
        self._start = 0

    def line(self) -> bytes:
        """The next line with its end; b"" when the peer has closed."""
        while (end := self._buffer.find(b"\n", self._start)) < 0:
            if len(self._buffer) - self._start > MAX_LINE:
                raise imaplib.IMAP4.abort(f"a line of more than {MAX_LINE} bytes")
            if not self.fill():
                return b""
        line = self._buffer[self._start : end + 1]
        self._start = end + 1
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; fewer only when the peer has closed."""
        have = len(self._buffer) - self._start
        if have >= size:
            data = self._buffer[self._start : self._start + size]
            self._start += size
            return data
        whole = bytearray(size)
        view = memoryview(whole)
        # A TLS record brings 3 to 16 KB: for 500 MB the layers between recv_into and OpenSSL are felt.
        into = self._tls_into if isinstance(self.sock, ssl.SSLSocket) else self.sock.recv_into
        view[:have] = self._buffer[self._start :]
        self._buffer, self._start = b"", 0
        while have < size:
            got = into(view[have:])
            if not got:
                return bytes(view[:have])
            have += got
        return bytes(whole)

    def _tls_into(self, view: memoryview) -> int:
        sock = cast("ssl.SSLSocket", self.sock)
        return cast("int", sock.read(len(view), view))

    def fill(self) -> bool:
        """Waits for more bytes (the socket's time-out holds); False when the peer has closed."""
        data = self.sock.recv(CHUNK)
        self._buffer = self._buffer[self._start :] + data if self._start < len(self._buffer) else data
        self._start = 0
        return bool(data)

    def has_line(self) -> bool:
        """Whether a whole line is here already."""
        return self._buffer.find(b"\n", self._start) >= 0


class Connection(imaplib.IMAP4):
    """imaplib's IMAP4 over a Wire, with TCP_NODELAY and keep-alive."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._wire: Wire | None = None
        self.noted: list[bytes] = []  # EXISTS and EXPUNGE seen while messages were streamed
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        sock = socket.create_connection((self.host, self.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _keep_alive(sock)
        return self._context.wrap_socket(sock, server_hostname=self.host) if self._context else sock

    @property
    def wire(self) -> Wire:
        """The buffer of the current socket. STARTTLS makes a new one: what came in clear is dropped."""
        if self._wire is None or self._wire.sock is not self.sock:
            self._wire = Wire(self.sock)
        return self._wire

    def read(self, size: int) -> bytes:
        """Reads a literal; imaplib calls this."""
        data = self.wire.read(size)
        if len(data) < size:
            raise self.abort("socket error: EOF")
        return data

    def readline(self) -> bytes:
        """Reads a line; imaplib calls this."""
        return self.wire.line()


class Client(IMAPClient):  # type: ignore[misc]  # imapclient ships no types
    """imapclient over a Connection, without the debug strings that cost five sixths of its CPU."""

    def __init__(self, account: Account, context: ssl.SSLContext | None) -> None:
        self._account, self._tls_context = account, context
        implicit = account.security == "tls"
        super().__init__(account.host, account.port, ssl=implicit, timeout=account.timeout)
        # imapclient sets 5: imaplib then builds the repr of every body, and would log the password.
        self._imap.debug = 0

    def _create_IMAP4(self) -> Connection:  # noqa: N802 - imapclient's name
        context = self._tls_context if self._account.security == "tls" else None
        return Connection(self.host, self.port, self._account.timeout, context)

    @property
    def where(self) -> str:
        """The account in words, for errors."""
        return self._account.where

    @property
    def connection(self) -> Connection:
        """The imaplib connection underneath."""
        connection: Connection = self._imap
        return connection

    def drop(self) -> None:
        """Closes the socket at once, without a word to the server."""
        with contextlib.suppress(OSError):
            self.connection.shutdown()


def tls_context(account: Account) -> ssl.SSLContext | None:
    """A context that verifies the certificate and the host name, or None where the line is not secured."""
    if account.security == "none":
        return None
    context = ssl.create_default_context(cafile=account.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # A peer that vanished without a word is noticed after about two minutes instead of two hours.
    options: dict[str, Any] = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
    for name, value in options.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
