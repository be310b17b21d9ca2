"""Handing mail to a server, and saying honestly whether it was taken.

RFC 5321 leaves one gap: between the final dot and the reply nobody can know. Everything before it is surely
not taken (SmtpTemporaryError, SmtpPermanentError), everything in it is SmtpUncertainError: never "try again".
"""

from __future__ import annotations

import contextlib
import functools
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from mailml.errors import (
    AuthError,
    SmtpPermanentError,
    SmtpTemporaryError,
    SmtpUncertainError,
    TLSError,
    TransportError,
)
from mailml.transport import _faults
from mailml.transport._sasl import bearer_response
from mailml.transport._wire import tls_context
from mailml.transport.account import Account
from mailml.transport.secret import Secret


@dataclass(frozen=True, slots=True)
class Sent:
    """What the server answered to the mail, and the recipients it refused (address → its words)."""

    answer: str
    refused: dict[str, str] = field(default_factory=dict)


def send(
    account: Account,
    mail_from: str,
    rcpt_to: Sequence[str],
    raw: bytes,
    *,
    before_body: Callable[[], None] | None = None,
) -> Sent:
    """Sends one mail over a connection of its own.

    `mail_from` "" is the null sender. `before_body` is called after the server's 354 and before the first
    byte of the body: what is committed there is the last moment the mail was surely not taken. When it
    raises, the connection is cut and the mail is not sent.

    Raises ConnectError, TLSError, AuthError, SmtpTemporaryError (4xx, or the line broke before the dot),
    SmtpPermanentError (5xx), SmtpUncertainError (no whole reply after the final dot).
    """
    with connect(account) as session:
        return session.send(mail_from, rcpt_to, raw, before_body=before_body)


def connect(account: Account) -> SmtpSession:
    """Opens a connection for several mails: secured and logged in."""
    with _faults.connecting(account):
        client = _open(account)
        if client.sock is not None:
            # body and final dot are two small writes: Nagle's wait for the first ACK costs 40 ms a mail
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    session = SmtpSession(account, client)
    try:
        session._greet()
    except BaseException:
        client.close()
        raise
    return session


def _open(account: Account) -> smtplib.SMTP:
    context = tls_context(account)
    try:
        if account.security == "tls":
            return smtplib.SMTP_SSL(account.host, account.port, timeout=account.timeout, context=context)
        return smtplib.SMTP(account.host, account.port, timeout=account.timeout)
    except smtplib.SMTPResponseException as error:
        raise _reply_fault(error.smtp_code, error.smtp_error, "the greeting", account) from error
    except smtplib.SMTPServerDisconnected as error:
        raise SmtpTemporaryError("the server closed the connection", where=account.where) from error


class SmtpSession:
    """One logged-in connection for any number of mails. Not for several threads at a time."""

    def __init__(self, account: Account, client: smtplib.SMTP) -> None:
        self.account, self._client = account, client

    def __enter__(self) -> SmtpSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def _greet(self) -> None:
        self._command("EHLO", self._client.ehlo)
        if self.account.security == "starttls":
            self._secure()
        if self.account.auth is not None:
            self._login()

    def _secure(self) -> None:
        try:
            code, text = self._client.starttls(context=tls_context(self.account))
        except smtplib.SMTPNotSupportedError as error:
            cure = "Use security = 'tls', or another port"
            raise TLSError("the server offers no STARTTLS", where=self.account.where, cure=cure) from error
        except (ssl.SSLError, OSError) as error:
            raise _faults.connect_fault(error, self.account) from error
        self._expect(code, text, "STARTTLS")
        self._command("EHLO", self._client.ehlo)

    def _login(self) -> None:
        auth = self.account.auth
        if auth is None:
            return
        secret = auth.reveal() if isinstance(auth, Secret) else auth.token()
        try:
            if isinstance(auth, Secret):
                self._client.login(self.account.user, secret)
            else:
                self._bearer(secret)
        except smtplib.SMTPAuthenticationError as error:
            raise _login_fault(error, self.account) from error
        except smtplib.SMTPNotSupportedError as error:
            cure = "Use auth = 'none' if it relays without, or the submission port 587 or 465"
            raise AuthError("the server offers no login", where=self.account.where, cure=cure) from error
        except (smtplib.SMTPException, OSError) as error:
            raise SmtpTemporaryError(f"the login broke off: {error}", where=self.account.where) from error

    def _bearer(self, token: str) -> None:
        offered = self._client.esmtp_features.get("auth", "").upper().split()
        mechanism = next((m for m in ("XOAUTH2", "OAUTHBEARER") if m in offered), "")
        if not mechanism:
            raise AuthError("the server takes no tokens (no XOAUTH2)", where=self.account.where)
        response = bearer_response(mechanism, self.account.user, token).decode()
        # A second challenge is the provider's error text; smtplib reports the refusal that follows.
        self._client.auth(mechanism, lambda challenge=None: response if not challenge else "")

    def send(
        self,
        mail_from: str,
        rcpt_to: Sequence[str],
        raw: bytes,
        *,
        before_body: Callable[[], None] | None = None,
    ) -> Sent:
        """Sends one mail; see `send` of this module."""
        for address in (mail_from, *rcpt_to):
            if re.search(r"[\s<>\x00-\x1f\x7f]", address):
                raise SmtpPermanentError(f"{address!r} is no address", where=self.account.where)
        try:
            refused = self._envelope(mail_from, rcpt_to, len(raw))
            code, text = self._command("DATA", lambda: self._client.docmd("DATA"))
            if code != 354:
                raise _reply_fault(code, text, "DATA", self.account)
            if before_body is not None:
                before_body()
            return Sent(self._body(raw), refused)
        except BaseException:
            # Whatever happened, this dialogue is over: a half-sent body must never be continued.
            self._client.close()
            raise

    def _envelope(self, mail_from: str, rcpt_to: Sequence[str], size: int) -> dict[str, str]:
        options = self._options((mail_from, *rcpt_to), size)
        code, text = self._command("MAIL FROM", lambda: self._client.mail(mail_from, options))
        self._expect(code, text, f"the sender {mail_from or '<>'}")
        refused: dict[str, tuple[int, bytes]] = {}
        for address in rcpt_to:
            code, text = self._command("RCPT TO", functools.partial(self._client.rcpt, address))
            if not 200 <= code < 300:
                refused[address] = (code, text)
        if len(refused) == len(rcpt_to):
            # A recipient that may come later makes the whole mail one to try later.
            address, (code, text) = max(refused.items(), key=lambda item: 400 <= item[1][0] < 500)
            raise _reply_fault(code, text, f"the recipient {address}", self.account)
        return {address: f"{code} {_words(text)}" for address, (code, text) in refused.items()}

    def _options(self, addresses: Sequence[str], size: int) -> list[str]:
        has, options = self._client.has_extn, []
        if has("size"):
            limit = self._client.esmtp_features.get("size", "")
            if limit.isdigit() and 0 < int(limit) < size:
                raise SmtpPermanentError(
                    f"a mail of {size} bytes is over the server's limit of {limit}", where=self.account.where
                )
            options.append(f"SIZE={size}")
        if has("8bitmime"):
            options.append("BODY=8BITMIME")
        if not all(address.isascii() for address in addresses):
            if not has("smtputf8"):
                raise SmtpPermanentError(
                    "the server takes no addresses outside ASCII", where=self.account.where
                )
            self._client.command_encoding = "utf-8"
            options.append("SMTPUTF8")
        return options

    def _body(self, raw: bytes) -> str:
        lines = smtplib._quote_periods(re.sub(rb"\r\n|\r|\n", b"\r\n", raw))  # type: ignore[attr-defined]
        if not lines.endswith(b"\r\n"):
            lines += b"\r\n"
        try:
            self._client.send(lines)
        except (smtplib.SMTPException, OSError) as error:
            # The final dot was never sent: the server must not have taken it (RFC 5321 4.1.1.4).
            raise SmtpTemporaryError(
                f"the connection broke in the body: {error}", where=self.account.where
            ) from error
        try:
            self._client.send(b".\r\n")
            code, text = self._client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise SmtpUncertainError(
                f"no answer after the whole mail was handed over: {error}",
                where=self.account.where,
                cure="Look for its Message-ID in the Sent folder before sending it again",
            ) from error
        return self._verdict(code, text)

    def _verdict(self, code: int, text: bytes) -> str:
        if 200 <= code < 300:
            return f"{code} {_words(text)}"
        if 400 <= code < 600:
            raise _reply_fault(code, text, "the mail", self.account)
        # A reply cut in the middle reads as code 2, 4 or 25 (measured): no refusal, no promise.
        raise SmtpUncertainError(
            f"the answer to the whole mail was cut ({code} {_words(text)})",
            where=self.account.where,
            cure="Look for its Message-ID in the Sent folder before sending it again",
        )

    def _command(self, name: str, call: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        try:
            return call()
        except (smtplib.SMTPException, OSError) as error:
            raise SmtpTemporaryError(
                f"the connection broke at {name}: {error}", where=self.account.where
            ) from error

    def _expect(self, code: int, text: bytes, about: str) -> None:
        if not 200 <= code < 300:
            raise _reply_fault(code, text, about, self.account)

    def close(self) -> None:
        """Says QUIT if the line still stands; what was sent is not affected by how that ends."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self._client.sock is not None:
                self._client.quit()
        self._client.close()


def _reply_fault(code: int, text: bytes | str, about: str, account: Account) -> TransportError:
    words = f"the server refused {about}: {code} {_words(text)}"
    if 500 <= code < 600:
        return SmtpPermanentError(words, where=account.where, cure=_cure(words))
    return SmtpTemporaryError(words, where=account.where)


def _login_fault(error: smtplib.SMTPAuthenticationError, account: Account) -> TransportError:
    words = f"the server refused the login of {account.user}: {error.smtp_code} {_words(error.smtp_error)}"
    if 400 <= error.smtp_code < 500:
        return SmtpTemporaryError(words, where=account.where)
    return AuthError(words, where=account.where, cure=_cure(words) or "Check user and password")


def _cure(words: str) -> str:
    if "5.7.139" in words:
        return "SMTP AUTH is switched off in this tenant: enable it for the mailbox (Set-CASMailbox)"
    return ""


def _words(text: bytes | str) -> str:
    told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join("".join(c if c.isprintable() else " " for c in told).split())[:300]
