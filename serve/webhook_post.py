"""One signed request to one webhook: to an address that was looked at first, and to no other.

The name is resolved once, every address it has is judged, and the connection goes to that very address: a
name that answers differently a moment later (DNS rebinding) leads nowhere. Redirects are not followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from mailml.errors import AuthError, ConnectError, MailmlError, TLSError

from .optional import Webhook

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SHORTEST_SECRET = 24
_AGAIN_AT_MOST = 3600.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What the target said: status, a few words, and when it asks to be tried again (seconds, or 0)."""

    status: int
    words: str
    again: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it took the event."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether it never wants to hear of us again (RFC 9110, 410)."""
        return self.status == 410


def secret_of(hook: Webhook) -> bytes:
    """What signs; `whsec_…` is base64, as the Standard Webhooks libraries write it. Raises AuthError."""
    text = hook.secret.reveal()
    if text.startswith("whsec_"):
        with suppress(ValueError):
            return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    if len(text) < _SHORTEST_SECRET:
        raise AuthError(
            f"the secret of webhook {hook.name} has under {_SHORTEST_SECRET} characters",
            cure="Use a long random text, e.g. from: openssl rand -hex 32",
        )
    return text.encode()


def signature(secret: bytes, event: str, at: int, body: bytes) -> str:
    """HMAC-SHA256 over id, second and body, as Standard Webhooks has it: `v1,` and base64."""
    signed = hmac.new(secret, f"{event}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def post(hook: Webhook, event: str, at: int, body: bytes) -> Answered:
    """Send one event; `at` is the present second. Raises MailmlError when the target cannot be reached."""
    parts = urlsplit(hook.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "mailml-serve",
        "webhook-id": event,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secret_of(hook), event, at, body),
    }
    address = _address(hook, host, port)
    context = _context(hook) if parts.scheme == "https" else None
    connection = _Pinned(host, port, address, context, hook.timeout_seconds)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    deadline = threading.Timer(hook.timeout_seconds, connection.cut)
    deadline.start()
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        words = answer.read(300).decode("utf-8", "replace") if answer.status >= 300 else ""
        return Answered(answer.status, _said(answer, words), _again(answer.headers.get("Retry-After", "")))
    except ssl.SSLError as error:
        raise TLSError(f"no TLS ({error.reason or error})", where=hook.url) from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectError(f"no answer ({error or type(error).__name__})", where=hook.url) from error
    finally:
        deadline.cancel()
        connection.close()


def _address(hook: Webhook, host: str, port: int) -> str:
    """The address to connect to; raises when the name has none, or any that lies in a private network."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectError("the name is not known", where=hook.url) from error
    addresses = [str(one[4][0]) for one in found]
    private = [one for one in addresses if not public(one)]
    if private and not hook.allow_private:
        raise MailmlError(
            f"{private[0]} is no public address",
            where=hook.url,
            cure="Set allow_private = true if it is one of yours",
        )
    return addresses[0]


def public(address: str) -> bool:
    """Whether an address lies in the public internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
    return ip.is_global and not ip.is_multicast


def _context(hook: Webhook) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=hook.ca_file)


def _said(answer: http.client.HTTPResponse, words: str) -> str:
    if 300 <= answer.status < 400:
        return f"{answer.status}: redirects are not followed"
    told = " ".join(words.split())[:200]
    return f"{answer.status} {answer.reason}" + (f": {told}" if told else "")


def _again(value: str) -> float:
    return min(float(value), _AGAIN_AT_MOST) if value.isdigit() else 0.0


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, under the name that the certificate must have."""

    def __init__(
        self, host: str, port: int, address: str, context: ssl.SSLContext | None, timeout: float
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self.address, self.context = address, context

    def connect(self) -> None:
        """To the address that was judged."""
        raw = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.context.wrap_socket(raw, server_hostname=self.host) if self.context else raw

    def cut(self) -> None:
        """End it, whatever it waits for: a target that trickles its answer must not hold up the others."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
