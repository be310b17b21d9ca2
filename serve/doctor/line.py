"""The secured line to a server: TLS version, when the certificate ends; and the clock."""

from __future__ import annotations

import ctypes
import email.utils
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from mailml.transport.account import Account

from .check import FAILED, OK, WARNING, Check

_SOON_DAYS = 14
_PATIENCE = 5.0  # seconds for a host that may have no HTTPS at all
_UNKEPT = 5  # TIME_ERROR of adjtimex(2): the clock is not synchronized
_SKEW_SECONDS = 60.0  # tokens and signatures are refused by servers whose clock differs much more


def certificate(name: str, account: Account, protocol: str) -> Iterator[Check]:
    """TLS as a client meets it; nothing where the account asks for none."""
    if account.security == "none":
        yield Check(f"{name}: TLS", OK if account.auth is None else WARNING, "not used", "")
        return
    try:
        version, ends = _looked_at(account, protocol)
    except ssl.SSLCertVerificationError as error:
        cure = "Name who vouches for it with ca_file, or use the name the certificate has"
        yield Check(f"{name}: TLS", FAILED, error.verify_message or "not trusted", cure)
        return
    except OSError as error:
        yield Check(f"{name}: TLS", FAILED, f"{error.strerror or error}", "Check host, port and security")
        return
    left = (ends - time.time()) / 86400
    told = f"{version}, certificate good for {left:.0f} days"
    soon = left < _SOON_DAYS
    cure = "It should renew itself by now: look at the server" if soon else ""
    yield Check(f"{name}: TLS", WARNING if soon else OK, told, cure)


def _looked_at(account: Account, protocol: str) -> tuple[str, float]:
    context = ssl.create_default_context(cafile=account.ca_file)
    timeout = min(account.timeout, 15.0)
    with socket.create_connection((account.host, account.port), timeout) as raw:
        if account.security == "starttls":
            _upgrade(raw, protocol)
        with context.wrap_socket(raw, server_hostname=account.host) as line:
            held = line.getpeercert() or {}
            return line.version() or "?", ssl.cert_time_to_seconds(str(held["notAfter"]))


def _upgrade(raw: socket.socket, protocol: str) -> None:
    """The plain words before TLS. Read without a buffer: what follows belongs to the handshake."""
    script: tuple[tuple[bytes, bytes], ...] = ((b"", b"* "), (b"a STARTTLS\r\n", b"a OK"))
    if protocol == "smtp":
        script = ((b"", b"220"), (b"EHLO doctor.invalid\r\n", b"250 "), (b"STARTTLS\r\n", b"220"))
    for said, wanted in script:
        raw.sendall(said)
        while not (answer := _line(raw)).startswith(wanted):
            if not answer or answer.startswith((b"5", b"4", b"a NO", b"a BAD")):
                raise OSError("the server offers no STARTTLS")


def _line(raw: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < 2000:
        byte = raw.recv(1)
        if not byte:
            break
        line += byte
    return line


def time_of(address: str, ca_file: str | None) -> float | None:
    """The time a host tells in the Date of an HTTPS answer, None where there is none to be had."""
    parts = urlsplit(address)
    context = ssl.create_default_context(cafile=ca_file)
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port or 443, timeout=_PATIENCE, context=context
    )
    try:
        with suppress(OSError, http.client.HTTPException, ValueError, TypeError):
            connection.request("HEAD", "/")
            told = connection.getresponse().headers.get("Date", "")
            return email.utils.parsedate_to_datetime(told).timestamp()
    finally:
        connection.close()
    return None


def kept_by_the_kernel() -> Check:
    """Whether somebody keeps the clock in time (NTP), as the kernel knows; no server is asked."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        state = -1  # not Linux
    if 0 <= state < _UNKEPT:
        return Check("clock", OK, "no server tells the time; the kernel's is kept by NTP")
    told = "no server tells the time, and " + (
        "nobody keeps the kernel's (NTP)" if state == _UNKEPT else "the kernel could not be asked"
    )
    return Check(
        "clock", WARNING, told, "Let the machine keep time (NTP); --probe compares it with the mail server"
    )


def skew(name: str, seconds: float, where: str) -> Check:
    """How far the clock is off, judged."""
    good = abs(seconds) <= _SKEW_SECONDS
    told = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} {where}"
    return Check(name, OK if good else FAILED, told, "" if good else "Let the machine keep time (NTP)")
