"""An access token, opened and judged by its claims; the token itself is never printed."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mailml.errors import MailmlError
from mailml.transport.account import Account
from mailml.transport.secret import Secret

from .check import FAILED, OK, WARNING, Check, failed

# What IMAP and SMTP of Exchange Online accept; the number is its application id.
_AUDIENCES = (
    "https://outlook.office365.com",
    "https://outlook.office.com",
    "00000002-0000-0ff1-ce00-000000000000",
)
_NEEDS = {
    "imap": ("IMAP.AccessAsApp", "IMAP.AccessAsUser.All"),
    "smtp": ("SMTP.SendAsApp", "SMTP.Send"),
}
_SOON = 60.0  # seconds


def token(name: str, account: Account, protocol: str) -> Iterator[Check]:
    """The checks on an account that logs in with tokens; none for passwords."""
    if account.auth is None or isinstance(account.auth, Secret):
        return
    try:
        held = claims(account.auth.token())
    except MailmlError as error:
        yield failed(f"{name}: token", error)
        return
    if not held:
        yield Check(f"{name}: token", OK, "issued; it is opaque, only the server can judge it")
        return
    yield from _judged(name, held, protocol)


def claims(text: str) -> dict[str, Any]:
    """What a JWT says, unverified: its server verifies it. Empty for an opaque token."""
    parts = text.split(".")
    if len(parts) != 3:
        return {}
    try:
        value = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _judged(name: str, held: dict[str, Any], protocol: str) -> Iterator[Check]:
    audience = str(held.get("aud", "")).rstrip("/")
    good = audience in _AUDIENCES
    cure = "Ask for https://outlook.office365.com/.default: a token for Graph cannot log in to a mailbox"
    yield Check(f"{name}: token audience", OK if good else FAILED, audience[:200], "" if good else cure)
    roles = held.get("roles") if isinstance(held.get("roles"), list) else []
    granted = [str(role) for role in roles or []] + str(held.get("scp", "")).split()
    app, person = _NEEDS[protocol]
    has = app in granted or person in granted
    told = ", ".join(granted)[:300] or "none"
    cure = f"Grant the application permission {app} (or delegated {person}) and let an admin consent"
    yield Check(f"{name}: token roles", OK if has else FAILED, told, "" if has else cure)
    expires = held.get("exp")
    if isinstance(expires, (int, float)):
        left = expires - time.time()
        state = OK if left > _SOON else WARNING
        when = datetime.fromtimestamp(expires, UTC)
        cure = "" if state == OK else "Look at this machine's clock: a token just issued should last an hour"
        yield Check(f"{name}: token expiry", state, f"{when:%Y-%m-%d %H:%M:%S} UTC, in {left:.0f} s", cure)
