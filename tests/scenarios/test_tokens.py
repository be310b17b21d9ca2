"""Tokens for real: a local authority issues them to msal over TLS, Dovecot asks it whose they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailml import lab
from mailml.errors import AuthError, ConnectError
from mailml.transport import imap, oauth
from mailml.transport.account import Account
from tests.servers.dovecot import Dovecot, User
from tests.servers.missing import ServerMissing, free_port
from tests.servers.token_server import TokenServer

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]
MAILBOX = "support@example.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    """An identity provider whose app may open one mailbox."""
    with TokenServer(tmp_path_factory.mktemp("authority"), MAILBOX) as server:
        yield server


@pytest.fixture(scope="module")
def mailbox(authority: TokenServer) -> Iterator[User]:
    """That mailbox, on a Dovecot that trusts the provider."""
    try:
        server = Dovecot(token_url=authority.introspection, token_ca=authority.certificates.ca)
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server:
        yield server.user(MAILBOX)


def account(mailbox: User, provider: TokenServer, folder: Path, **changes: Any) -> Account:
    """The mailbox as an account that logs in with tokens."""
    table = {**mailbox.mapping(), **provider.account(folder / "secret"), **changes}
    del table["password"]
    return Account.from_mapping(table, name="desk")


def test_a_pull_with_client_credentials(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """msal gets a token of the right audience, Dovecot takes it, and it is asked for once only."""
    mailbox.deliver(b"Subject: hello\r\n\r\nworld\r\n")
    desk, issued = account(mailbox, authority, tmp_path), authority.issued
    assert lab.pull(desk, tmp_path / "a").new == 1
    assert lab.pull(desk, tmp_path / "a").new == 0
    assert authority.issued == issued + 1


def test_a_token_that_ends_soon_is_renewed(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """A token with less than five minutes left is replaced at the next login."""
    authority.lifetime = 200
    try:
        desk, issued = account(mailbox, authority, tmp_path), authority.issued
        for _ in range(2):
            imap.connect(desk).close()
        assert authority.issued == issued + 2
    finally:
        authority.lifetime = 3600


def test_a_wrong_secret(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """The provider's own words and the cure are shown, the secret is not."""
    desk = account(mailbox, authority, tmp_path)
    (tmp_path / "secret").write_text("not-the-secret")
    with pytest.raises(AuthError, match=r"AADSTS7000215.*not its id") as raised:
        imap.connect(desk)
    assert "not-the-secret" not in str(raised.value) + repr(desk)


def test_a_token_for_another_audience(
    mailbox: User, authority: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Graph token is issued gladly and refused at the mailbox: an AuthError, not a retry."""
    monkeypatch.setattr(oauth, "MICROSOFT_SCOPE", "https://graph.microsoft.com/.default")
    with pytest.raises(AuthError, match="refused the login"):
        imap.connect(account(mailbox, authority, tmp_path))


def test_somebody_elses_mailbox(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """A good token does not open a mailbox it was not issued for."""
    desk = dataclasses.replace(account(mailbox, authority, tmp_path), user="ceo@example.test")
    with pytest.raises(AuthError, match=r"ceo@example\.test"):
        imap.connect(desk)


def test_no_provider(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """A provider that cannot be reached, or is not trusted, is a ConnectError that names it."""
    away = account(mailbox, authority, tmp_path, authority=f"https://localhost:{free_port()}")
    with pytest.raises(ConnectError, match="identity provider cannot be reached"):
        imap.connect(away)
    stranger = account(mailbox, authority, tmp_path, authority_ca_file=str(mailbox.server.certificates.ca))
    with pytest.raises(ConnectError, match="identity provider cannot be reached"):
        imap.connect(stranger)


def test_a_server_that_takes_no_tokens(authority: TokenServer, tmp_path: Path, dovecot: User) -> None:
    """A server without XOAUTH2 and OAUTHBEARER is told in a sentence, before a token is sent."""
    with pytest.raises(AuthError, match="takes no tokens"):
        imap.connect(account(dovecot, authority, tmp_path))


def gmail(mailbox: User, provider: TokenServer, folder: Path, user: str = MAILBOX) -> Account:
    """The mailbox as a Gmail account that logs in with a service account."""
    key = provider.service_account(folder / "key.json")
    table = {**mailbox.mapping(), "auth": "gmail", "service_account_file": key, "user": user}
    del table["password"]
    return Account.from_mapping(table, name="desk")


def test_a_service_account(
    mailbox: User, authority: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """google-auth signs for the mailbox, the provider answers with a token, and it is asked for once only."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificates.ca))
    desk, issued = gmail(mailbox, authority, tmp_path), authority.issued
    for _ in range(2):
        imap.connect(desk).close()
    assert authority.issued == issued + 1


def test_a_service_account_without_delegation(
    mailbox: User, authority: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox the service account may not act for is an AuthError that names the setting."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificates.ca))
    with pytest.raises(AuthError, match="domain-wide delegation"):
        imap.connect(gmail(mailbox, authority, tmp_path, "ceo@example.test"))


def test_google_that_cannot_be_reached(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """An untrusted or absent token service is a ConnectError."""
    with pytest.raises(ConnectError, match="Google's token service"):
        imap.connect(gmail(mailbox, authority, tmp_path))
