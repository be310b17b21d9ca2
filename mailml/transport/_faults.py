"""Every way a mail server can fail, as one clear TransportError with a cure."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from imapclient.exceptions import CapabilityError, LoginError

from mailml.errors import (
    AuthError,
    ConnectError,
    DisconnectedError,
    FolderError,
    MailmlError,
    ThrottledError,
    TLSError,
    TransportError,
)
from mailml.transport.account import Account

# Exchange: "Request is throttled. Suggested Backoff Time: 300000 milliseconds"; Gmail: "[THROTTLED]",
# "[OVERQUOTA] Account exceeded command or bandwidth limits"; Dovecot and others: RFC 5530's codes.
_THROTTLED = re.compile(
    r"throttled|suggested backoff|\[LIMIT\]|\[INUSE\]|\[UNAVAILABLE\]|too many (simultaneous )?connections"
    r"|bandwidth limits|maximum number of connections|authenticated but not connected",
    re.IGNORECASE,
)
_BACKOFF = re.compile(r"backoff time:?\s*(\d+)\s*(milliseconds|seconds|ms|s)?", re.IGNORECASE)


@contextmanager
def connecting(account: Account) -> Iterator[None]:
    """Turns whatever goes wrong before the login into ConnectError or TLSError."""
    try:
        yield
    except MailmlError:
        raise
    except (OSError, imaplib.IMAP4.error, EOFError) as error:
        raise connect_fault(error, account) from error


# OpenSSL's X509_V_ERR_*: what is wrong with a certificate decides who can mend it
_UNKNOWN_AUTHORITY = "If the server has a certificate authority of its own, name its file in ca_file"
_OTHER_NAME = "Write as host the name that the certificate is for"
_CERTIFICATES = {
    9: "It is valid only later: is the clock of this machine right?",
    10: "The server needs a new one; is the clock of this machine right?",
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}


def connect_fault(error: Exception, account: Account) -> TransportError:
    """The fault of a connection that never came to be."""
    where = account.where
    if isinstance(error, ssl.SSLCertVerificationError):
        return TLSError(
            f"the certificate of {account.host} is not trusted: {error.verify_message}",
            where=where,
            cure=_CERTIFICATES.get(error.verify_code, _UNKNOWN_AUTHORITY),
        )
    if isinstance(error, ssl.SSLError):
        other = {"tls": "starttls", "starttls": "tls"}.get(account.security, "tls")
        return TLSError(
            f"TLS could not be agreed on: {error.reason or error}",
            where=where,
            cure=f"Check port and security (it is {account.security!r}; perhaps {other!r} is meant)",
        )
    if isinstance(error, socket.gaierror):
        return ConnectError(
            f"the host name {account.host} is not known", where=where, cure="Check host and network"
        )
    if isinstance(error, ConnectionRefusedError):
        return ConnectError(
            f"nothing listens on port {account.port}", where=where, cure="Check port and firewall"
        )
    if isinstance(error, TimeoutError):
        return ConnectError(
            f"no answer within {account.timeout:g} s", where=where, cure="Check host, port, firewall"
        )
    text = _text(error)
    if throttled := throttle(text, where):
        return throttled
    return ConnectError(
        f"the connection could not be opened: {text}", where=where, cure="Check host and port"
    )


@contextmanager
def logging_in(account: Account) -> Iterator[None]:
    """Turns a refused login into AuthError, keeping the server's own words."""
    try:
        yield
    except LoginError as error:
        raise login_fault(_text(error), account) from error
    except (imaplib.IMAP4.error, OSError) as error:
        raise session_fault(error, account) from error


def login_fault(text: str, account: Account) -> TransportError:
    """The fault of a login the server refused with these words."""
    if throttled := throttle(text, account.where):
        return throttled
    cure = "Check user and password"
    if account.host.endswith(("office365.com", "outlook.com")):
        cure = "Microsoft 365 takes no passwords: use auth = 'microsoft365' and grant the app the mailbox"
    elif account.host.endswith(("gmail.com", "googlemail.com")):
        cure = "Gmail takes an app password or a service account only"
    return AuthError(
        f"the server refused the login of {account.user}: {text}", where=account.where, cure=cure
    )


@contextmanager
def working(account: Account, folder: str = "") -> Iterator[None]:
    """Turns whatever goes wrong after the login into a TransportError; a NO to `folder` is a FolderError."""
    try:
        yield
    except MailmlError:
        raise
    except (imaplib.IMAP4.error, OSError) as error:
        raise session_fault(error, account, folder) from error


def session_fault(error: Exception, account: Account, folder: str = "") -> TransportError:
    """The fault of a command on an open connection."""
    text = _text(error)
    if throttled := throttle(text, account.where):
        return throttled
    if isinstance(error, TimeoutError):
        return DisconnectedError(f"no answer within {account.timeout:g} s", where=account.where)
    if isinstance(error, (imaplib.IMAP4.abort, OSError)) and not isinstance(error, imaplib.IMAP4.readonly):
        return DisconnectedError(f"the connection broke: {text}", where=account.where)
    if isinstance(error, CapabilityError):
        return TransportError(f"the server lacks what is needed: {text}", where=account.where)
    if folder:
        return FolderError(f"the folder {folder!r} cannot be used: {text}", where=account.where)
    return TransportError(f"the server refused: {text}", where=account.where)


def throttle(text: str, where: str) -> ThrottledError | None:
    """ThrottledError with the server's own back-off when `text` asks to come back later, else None."""
    if not _THROTTLED.search(text):
        return None
    match = _BACKOFF.search(text)
    seconds = 60.0
    if match:
        seconds = float(match[1]) / (1.0 if (match[2] or "").lower() in {"s", "seconds"} else 1000.0)
    return ThrottledError(
        f"the server asks to come back later: {text}",
        where=where,
        cure=f"Wait {seconds:g} s; use one connection per mailbox",
        retry_after=seconds,
    )


def _text(error: Exception) -> str:
    text = str(error.args[0] if error.args and not isinstance(error, OSError) else error)
    # One printable line, whatever the server sent: these words end in terminals and logs.
    return (
        " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300] or type(error).__name__
    )
