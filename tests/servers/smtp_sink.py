"""An SMTP server that is the truth about what was sent: every mail is on disk before the client hears 250.

    with SmtpSink(folder) as sink:
        sink.replies.append("451 4.7.1 come back later")   # the answer to the next mail
        ...
        sink.mails[0].message_id

Faults are scripted: a text is answered instead of 250; `CUT` closes the line after the final dot without a
word, `CUT_REPLY` in the middle of the reply, `CUT_BODY` while the body is coming, `HANG` never answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import json
import os
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailml.transport.account import Account
from tests.servers import tls
from tests.servers.missing import free_port

CUT, CUT_REPLY, CUT_BODY, HANG = "cut", "cut-reply", "cut-body", "hang"
USER, PASSWORD = "support@acme.example", "sink secret"


@dataclass(frozen=True)
class Mail:
    """One mail the sink has taken."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> email.message.Message:
        """The mail, parsed."""
        return email.message_from_bytes(self.raw, policy=email.policy.compat32)

    @property
    def message_id(self) -> str:
        """Its Message-ID ("" if none)."""
        return str(self.message["Message-ID"] or "").strip()


class SmtpSink:
    """The sink; a context manager. `security` is none, starttls or tls; a login is asked for unless none."""

    def __init__(self, folder: Path, security: str = "none", *, port: int | None = None) -> None:
        self.folder, self.security = folder, security
        self.port = port or free_port()
        self.replies: deque[str] = deque()
        self.recipient_replies: dict[str, str] = {}  # address → what RCPT TO is answered
        self.mail_replies: deque[str] = deque()  # what the next MAIL FROM is answered
        self.tokens: set[str] = set()
        self._log = folder / "sink.jsonl"

    def __enter__(self) -> SmtpSink:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificates = tls.make(self.folder / "tls")
        self._fd = os.open(self._log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        os.close(self._fd)

    def start(self) -> None:
        """Listens (again) on the same port."""
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Stops listening, as a server that is down."""
        self._loop.call_soon_threadsafe(self._server.close)

    async def _listen(self) -> asyncio.Server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificates.certificate, self.certificates.key)
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: _Smtp(self, context if self.security == "starttls" else None),
            "127.0.0.1",
            self.port,
            ssl=context if self.security == "tls" else None,
        )

    def account(self, **changes: Any) -> Account:
        """The sink as an account of mailml; `changes` overrides keys of its table."""
        table: dict[str, Any] = {
            "host": "localhost",
            "port": self.port,
            "security": self.security,
            "timeout": 10,
            "auth": "none",
        }
        if self.security != "none":
            table |= {
                "auth": "password",
                "user": USER,
                "password": PASSWORD,
                "ca_file": str(self.certificates.ca),
            }
        return Account.from_mapping({**table, **changes}, name="sink", protocol="smtp")

    def record(self, mail: Mail) -> None:
        """Keeps a mail: on disk, synced, before anybody is told."""
        entry = {"from": mail.mail_from, "to": list(mail.rcpt_to), "raw": mail.raw.decode("latin-1")}
        os.write(self._fd, json.dumps(entry).encode() + b"\n")
        os.fsync(self._fd)

    @property
    def mails(self) -> tuple[Mail, ...]:
        """Every mail taken so far, in order."""
        return tuple(read_log(self._log))

    def wait_for(self, count: int, seconds: float = 10.0) -> tuple[Mail, ...]:
        """The mails once there are `count` of them; AssertionError when they do not come."""
        end = time.monotonic() + seconds
        while len(mails := self.mails) < count:
            assert time.monotonic() < end, f"only {len(mails)} of {count} mails came within {seconds:g} s"
            time.sleep(0.02)
        return mails


def read_log(log: Path) -> Iterator[Mail]:
    """The mails of a sink's log, also after its process is gone."""
    for line in log.read_bytes().splitlines() if log.exists() else ():
        entry = json.loads(line)
        yield Mail(entry["from"], tuple(entry["to"]), entry["raw"].encode("latin-1"))


class _Smtp(SMTP):
    """aiosmtpd with scripted faults."""

    def __init__(self, sink: SmtpSink, context: ssl.SSLContext | None) -> None:
        self.sink = sink
        asks = sink.security != "none"
        super().__init__(
            _Handler(sink),
            hostname="sink.example",
            data_size_limit=100_000_000,
            enable_SMTPUTF8=True,
            tls_context=context,
            require_starttls=context is not None,
            auth_required=asks,
            authenticator=self._check_login if asks else None,
            auth_require_tls=sink.security == "starttls",
        )

    def _check_login(
        self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=good, handled=False)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        """Takes the tokens the sink knows."""
        response = args[1] if len(args) > 1 else await self.challenge_auth("")
        import base64

        told = base64.b64decode(response) if isinstance(response, str) else bytes(response)
        token = told.partition(b"auth=Bearer ")[2].rstrip(b"\x01").decode()
        return AuthResult(success=token in self.sink.tokens, handled=False, auth_data=USER)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Cuts the line inside the body when that is what is scripted."""
        if self.sink.replies and self.sink.replies[0] == CUT_BODY:
            self.sink.replies.popleft()
            await self.push("354 go ahead")
            await self._reader.read(10)
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sink.mail_replies:
            return self.sink.mail_replies.popleft()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.sink.recipient_replies:
            return self.sink.recipient_replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.sink.replies.popleft() if self.sink.replies else ""
        if reply and reply not in {CUT, CUT_REPLY, HANG}:
            return reply
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = "" if envelope.mail_from in {None, "<>"} else str(envelope.mail_from)
        self.sink.record(Mail(sender, tuple(envelope.rcpt_tos), content))
        if reply == HANG:
            await asyncio.sleep(60)
        if reply in {CUT, CUT_REPLY}:
            if reply == CUT_REPLY:
                with contextlib.suppress(OSError):
                    server.transport.write(b"25")
                    await asyncio.sleep(0.05)
            server.transport.close()
            return "250 never heard"
        return "250 2.0.0 taken"
