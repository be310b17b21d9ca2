"""Logging in to an IMAP server with a password or a token."""

from __future__ import annotations

from imapclient.exceptions import LoginError

from mailml.errors import AuthError
from mailml.transport import _faults
from mailml.transport._sasl import bearer_response
from mailml.transport._wire import Client
from mailml.transport.account import Account
from mailml.transport.secret import Secret


def log_in(client: Client, account: Account) -> None:
    """Logs in, or raises AuthError with the server's (or identity provider's) own words."""
    if account.auth is None:
        raise AuthError("the account has neither password nor token", where=account.where)
    secret = account.auth.reveal() if isinstance(account.auth, Secret) else account.auth.token()
    with _faults.logging_in(account):
        offered = {str(c.decode("ascii", "replace")).upper() for c in client.capabilities()}
        if not isinstance(account.auth, Secret):
            _bearer(client, account, secret, offered)
        elif "AUTH=PLAIN" in offered:
            # LOGIN cannot carry a password outside ASCII.
            client.plain_login(account.user, secret)
        else:
            client.login(account.user, secret)


def _bearer(client: Client, account: Account, token: str, offered: set[str]) -> None:
    mechanism = next((m for m in ("XOAUTH2", "OAUTHBEARER") if f"AUTH={m}" in offered), "")
    if not mechanism:
        raise AuthError("the server takes no tokens (no XOAUTH2, no OAUTHBEARER)", where=account.where)
    challenges: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        # The first challenge is empty; a second one is the provider's error (RFC 7628 3.2.3).
        challenges.append(challenge)
        if len(challenges) > 1:
            return b"\x01" if mechanism == "OAUTHBEARER" else b""
        return bearer_response(mechanism, account.user, token)

    try:
        client.sasl_login(mechanism, answer)
    except LoginError as error:
        told = b" ".join(challenges[1:]).decode("utf-8", "replace")
        raise LoginError(f"{error} {told}".strip()) from error
