"""Tokens for real: a local authority issues them to msal over TLS, Dovecot asks it whose they are."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailml import lab
from mailml.errors import AuthError, ConfigError, ConnectError
from mailml.transport import imap, oauth
from mailml.transport.account import Account
from mailml.transport.delegated import DelegatedTokens
from tests.servers import tls
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


def person(mailbox: User, provider: TokenServer, folder: Path, **changes: Any) -> Account:
    """The mailbox of a person who signs in with a device code."""
    table = {**mailbox.mapping(), **provider.account(folder / "secret"), **changes}
    for key in ("password", "client_secret_file"):
        del table[key]
    table |= {"auth": "microsoft365-user", "token_cache": str(folder / "cache" / "support.tokens")}
    return Account.from_mapping(table, name="desk")


def signed_in(account: Account) -> DelegatedTokens:
    """The account's tokens."""
    assert isinstance(account.auth, DelegatedTokens)
    return account.auth


@pytest.fixture
def willing(authority: TokenServer) -> Iterator[TokenServer]:
    """The provider with a person who signs in at once; as it was before in the end."""
    authority.person, authority.approved, authority.remembered = MAILBOX, True, True
    yield authority
    authority.person, authority.approved, authority.remembered = MAILBOX, True, True


def test_a_person_signs_in_once(mailbox: User, willing: TokenServer, tmp_path: Path) -> None:
    """The code is shown, the mailbox opens, and another process renews silently from the cache file."""
    first, shown = person(mailbox, willing, tmp_path), []
    with pytest.raises(AuthError, match=r"nobody has signed in.*mailml-serve login"):
        imap.connect(first)
    assert signed_in(first).login(shown.append) == MAILBOX
    assert "ABCD-EFGH" in shown[0]
    imap.connect(first).close()
    assert first.token_ends()
    cache = tmp_path / "cache" / "support.tokens"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    willing.lifetime, issued = 100, willing.issued
    try:
        second = person(mailbox, willing, tmp_path)
        for _ in range(3):
            imap.connect(second).close()
        willing.lifetime = 3600
        signed_in(second).login(shown.append)
        issued = willing.issued
        for _ in range(3):
            imap.connect(person(mailbox, willing, tmp_path)).close()
        assert willing.issued == issued
    finally:
        willing.lifetime = 3600


def test_a_sign_in_that_is_forgotten(mailbox: User, willing: TokenServer, tmp_path: Path) -> None:
    """A refresh token that died is an AuthError with the provider's words and the command that cures it."""
    willing.lifetime = 100  # msal renews what has less than five minutes left
    desk = person(mailbox, willing, tmp_path)
    signed_in(desk).login(lambda _: None)
    willing.lifetime, willing.remembered = 3600, False
    willing.revoke()
    with pytest.raises(AuthError, match=r"AADSTS700082.*mailml-serve login"):
        imap.connect(person(mailbox, willing, tmp_path))


def test_somebody_else_signs_in(mailbox: User, willing: TokenServer, tmp_path: Path) -> None:
    """Another person's sign-in is refused and not remembered."""
    willing.person = "ceo@example.test"
    desk = person(mailbox, willing, tmp_path)
    with pytest.raises(AuthError, match=r"ceo@example\.test signed in, not support@"):
        signed_in(desk).login(lambda _: None)
    willing.person = MAILBOX
    with pytest.raises(AuthError, match="nobody has signed in"):
        signed_in(desk).token()


def test_a_code_nobody_enters(mailbox: User, willing: TokenServer, tmp_path: Path) -> None:
    """The code ends by itself and the command with it."""
    willing.approved = False
    with pytest.raises(AuthError, match="AADSTS70016"):
        signed_in(person(mailbox, willing, tmp_path)).login(lambda _: None)


def test_a_cache_others_may_read(mailbox: User, willing: TokenServer, tmp_path: Path) -> None:
    """It holds a refresh token: one that others may read is refused with the cure."""
    desk = person(mailbox, willing, tmp_path)
    signed_in(desk).login(lambda _: None)
    (tmp_path / "cache" / "support.tokens").chmod(0o644)
    with pytest.raises(AuthError, match="chmod 600"):
        signed_in(desk).token()


def certified(mailbox: User, provider: TokenServer, folder: Path, days: float = 90) -> Account:
    """The mailbox of an app that signs with a certificate."""
    provider.certificate = tls.app_certificate(folder / "app.pem", days=days)
    table = {**mailbox.mapping(), **provider.account(folder / "secret")}
    for key in ("password", "client_secret_file"):
        del table[key]
    table["client_certificate_file"] = str(folder / "app.pem")
    return Account.from_mapping(table, name="desk")


def test_an_app_with_a_certificate(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """msal signs an assertion, the provider checks it by the certificate, and no secret exists."""
    desk = certified(mailbox, authority, tmp_path, days=20)
    imap.connect(desk).close()
    ends = desk.secret_ends()
    assert ends is not None
    assert 19 < (ends - datetime.now(UTC)).total_seconds() / 86400 < 21


def test_a_certificate_nobody_registered(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """The provider's words and the cure; a renewed file works without a restart."""
    desk = certified(mailbox, authority, tmp_path)
    good = (tmp_path / "app.pem").read_text()
    tls.app_certificate(tmp_path / "app.pem")
    with pytest.raises(AuthError, match=r"AADSTS700027.*Upload this certificate"):
        imap.connect(desk)
    (tmp_path / "app.pem").write_text(good)
    imap.connect(desk).close()


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_certificate_file_that_is_none(
    text: str, mailbox: User, authority: TokenServer, tmp_path: Path
) -> None:
    """A file without key and certificate is one clear sentence."""
    desk = certified(mailbox, authority, tmp_path)
    (tmp_path / "app.pem").write_text(text)
    with pytest.raises(AuthError, match=r"app\.pem holds no private key"):
        imap.connect(desk)


def test_oauthbearer(authority: TokenServer, tmp_path: Path) -> None:
    """A server that offers OAUTHBEARER alone (RFC 7628) takes the token; a dead one is an AuthError."""
    try:
        server = Dovecot(
            token_url=authority.introspection,
            token_ca=authority.certificates.ca,
            token_mechanisms="oauthbearer",
        )
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server:
        desk = account(server.user(MAILBOX), authority, tmp_path)
        imap.connect(desk).close()
        authority.revoke()
        with pytest.raises(AuthError, match="refused"):
            imap.connect(desk)


def test_when_a_client_secret_ends(mailbox: User, authority: TokenServer, tmp_path: Path) -> None:
    """The configured date counts from its first moment in UTC; a wrong one is a fault."""
    desk = account(mailbox, authority, tmp_path, client_secret_expires="2027-01-31")
    assert desk.secret_ends() == datetime(2027, 1, 31, tzinfo=UTC)
    with pytest.raises(ConfigError, match="Write it as 2027-01-31"):
        account(mailbox, authority, tmp_path, client_secret_expires="31.1.2027")
