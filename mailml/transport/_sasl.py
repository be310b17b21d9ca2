"""The first response of the token mechanisms, the same for IMAP and SMTP."""

from __future__ import annotations


def bearer_response(mechanism: str, user: str, token: str) -> bytes:
    """XOAUTH2 (Google, Microsoft) or OAUTHBEARER (RFC 7628)."""
    if mechanism == "XOAUTH2":
        return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()
    name = user.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()
