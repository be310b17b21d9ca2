"""Accounts: every fault of a table at once, secrets by their source and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailml.errors import AuthError, ConfigError, InputError, MissingExtraError
from mailml.transport.account import Account, is_loopback, load
from mailml.transport.oauth import GoogleTokens, MicrosoftTokens, StaticToken
from mailml.transport.secret import Secret

DESK = {"host": "imap.example.com", "user": "support@example.com", "password_env": "MAIL_PASSWORD"}


def faults(table: dict[str, Any], **options: Any) -> str:
    """All faults of a table, as text."""
    with pytest.raises(ConfigError) as raised:
        Account.from_mapping(table, where="mailml.toml, [account.desk]", **options)
    return str(raised.value)


def test_a_table_becomes_an_account() -> None:
    """Host, user and a source of the password suffice: TLS on its port, a minute of patience."""
    account = Account.from_mapping(DESK, name="desk")
    assert (account.name, account.host, account.port, account.security) == (
        "desk",
        "imap.example.com",
        993,
        "tls",
    )
    assert account.auth == Secret("env", "MAIL_PASSWORD")
    assert account.timeout == 60


@pytest.mark.parametrize(
    ("protocol", "security", "port"),
    [("imap", "tls", 993), ("imap", "starttls", 143), ("smtp", "tls", 465), ("smtp", "starttls", 587)],
)
def test_default_ports(protocol: str, security: str, port: int) -> None:
    """Each protocol has its port for implicit TLS and for STARTTLS."""
    assert Account.from_mapping({**DESK, "security": security}, protocol=protocol).port == port


def test_every_fault_is_told_at_once() -> None:
    """Five mistakes are five lines, each with its key and what was probably meant."""
    told = faults(
        {"hots": "x", "port": 99999, "security": "ssl", "user": 7, "auth": "pasword", "timeout": "soon"}
    )
    for expected in (
        "key 'hots': is not a key of an account. Did you mean host?",
        "key 'host': is missing",
        "key 'port': 99999 is not a port",
        "key 'security': 'ssl' is not known",
        "key 'user': must be text, not 7",
        "key 'auth': 'pasword' is not known. Did you mean 'password'?",
        "key 'timeout': must be a number",
    ):
        assert expected in told
    assert told.count("mailml.toml, [account.desk]") >= 8


def test_a_password_in_the_clear_is_refused() -> None:
    """A line without TLS and a password in the file are for loopback only."""
    told = faults({"host": "imap.example.com", "user": "a", "security": "none", "password": "hunter2"})
    assert "sends the password in the clear" in told
    assert "does not belong in a file" in told
    assert "hunter2" not in told
    local = Account.from_mapping(
        {"host": "127.0.0.1", "user": "a", "security": "none", "password": "hunter2"}
    )
    assert local.auth == Secret("literal", "hunter2")
    known = {**DESK, "security": "none", "insecure": True}
    assert Account.from_mapping(known).security == "none"


def test_a_password_of_the_wrong_type_is_not_shown() -> None:
    """The fault of a number where the password should be does not repeat it."""
    assert "1234" not in faults({"host": "localhost", "user": "a", "password": 1234})


def test_one_source_of_the_password() -> None:
    """None or two sources are a fault that lists the choices."""
    assert "Give one of password_env, password_file, password_keyring" in faults({"host": "h", "user": "u"})
    assert "not the only source" in faults({**DESK, "password_file": "x"})


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    """repr and str of an account name where the secret is, never what it is."""
    account = Account.from_mapping({"host": "localhost", "user": "u", "password": "hunter2"})
    assert "hunter2" not in repr(account) + str(account) + repr([account.auth])
    assert repr(Secret("file", "/etc/mailml/desk")) == "<secret in file /etc/mailml/desk>"


def test_secrets_by_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment, file (line end cut) and systemd's credentials give the secret; each lack has a cure."""
    monkeypatch.setenv("MAIL_PASSWORD", "from env")
    assert Secret("env", "MAIL_PASSWORD").reveal() == "from env"
    (tmp_path / "secret").write_text(" from file \n")
    assert Secret("file", "secret", str(tmp_path)).reveal() == " from file "
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("file", "secret", "/elsewhere").reveal() == " from file "
    monkeypatch.delenv("MAIL_PASSWORD")
    with pytest.raises(AuthError, match="export MAIL_PASSWORD"):
        Secret("env", "MAIL_PASSWORD").reveal()
    with pytest.raises(AuthError, match="cannot be read"):
        Secret("file", "absent", str(tmp_path)).reveal()
    (tmp_path / "empty").touch()
    with pytest.raises(AuthError, match="is empty"):
        Secret("file", "empty", str(tmp_path)).reveal()


def test_a_keyring_that_is_not_there() -> None:
    """Without the package or a backend the error says what to use instead."""
    with pytest.raises((MissingExtraError, AuthError), match="password_file"):
        Secret("keyring", "mailml/support@example.com").reveal()


def test_a_rotated_password_file_takes_effect(tmp_path: Path) -> None:
    """The file is read at every login, not once."""
    (tmp_path / "p").write_text("old")
    secret = Secret("file", "p", str(tmp_path))
    assert secret.reveal() == "old"
    (tmp_path / "p").write_text("new")
    assert secret.reveal() == "new"


def test_microsoft_365() -> None:
    """Tenant, client and a secret's source suffice; host and protocol are known."""
    table = {"auth": "microsoft365", "user": "support@contoso.example"}
    table |= {"tenant": "t", "client_id": "c", "client_secret_env": "S"}
    imap, smtp = (Account.from_mapping(table, protocol=protocol) for protocol in ("imap", "smtp"))
    assert (imap.host, smtp.host, smtp.port) == ("outlook.office365.com", "smtp.office365.com", 465)
    assert isinstance(imap.auth, MicrosoftTokens)
    told = faults({"auth": "microsoft365", "user": "a", "authority": "http://plain"})
    for expected in (
        "'tenant': is missing",
        "'client_id': is missing",
        "client_secret_env, client_secret_file",
    ):
        assert expected in told
    assert "must be an https address" in told


def test_gmail(tmp_path: Path) -> None:
    """Gmail logs in with an app password or a service account."""
    (tmp_path / "key.json").write_text("{}")
    account = Account.from_mapping(
        {"auth": "gmail", "user": "u@example.com", "service_account_file": "key.json"}, base=tmp_path
    )
    assert account.host == "imap.gmail.com"
    assert isinstance(account.auth, GoogleTokens)
    with pytest.raises(AuthError, match="service account file"):
        account.auth.token()
    app = Account.from_mapping({"auth": "gmail", "user": "u@example.com", "password_env": "APP"})
    assert app.auth == Secret("env", "APP")
    assert "is not a file" in faults({"auth": "gmail", "user": "u", "service_account_file": "absent.json"})


def test_a_token_somebody_else_renews(tmp_path: Path) -> None:
    """auth = "token" reads the token at every login."""
    (tmp_path / "t").write_text("abc")
    account = Account.from_mapping({**DESK_TOKEN, "token_file": str(tmp_path / "t")})
    assert isinstance(account.auth, StaticToken)
    assert account.auth.token() == "abc"


DESK_TOKEN = {"host": "imap.example.com", "user": "u", "auth": "token"}


def test_a_relay_without_login() -> None:
    """auth = "none" needs neither user nor password."""
    account = Account.from_mapping({"host": "relay.example.com", "auth": "none"}, protocol="smtp")
    assert account.auth is None


def test_a_missing_authority_file_is_a_fault(tmp_path: Path) -> None:
    """ca_file is looked for beside the configuration, and its absence is told at once."""
    (tmp_path / "ca.pem").touch()
    assert Account.from_mapping({**DESK, "ca_file": "ca.pem"}, base=tmp_path).ca_file == str(
        tmp_path / "ca.pem"
    )
    assert "is not a file" in faults({**DESK, "ca_file": "nope.pem"}, base=tmp_path)


def test_a_file_of_accounts(tmp_path: Path) -> None:
    """The tables [account.NAME] of a TOML file, and the faults of all of them at once."""
    path = tmp_path / "mailml.toml"
    path.write_text(
        '[account.a]\nhost="h"\nuser="u"\npassword_env="P"\n[account.b]\nhost="i"\nuser="v"\npassword_env="Q"\n'
    )
    assert [(a.name, a.host) for a in load(path).values()] == [("a", "h"), ("b", "i")]
    path.write_text('[account.a]\nhost="h"\n[account.b]\nuser="v"\n')
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert "[account.a]" in str(raised.value)
    assert "[account.b]" in str(raised.value)
    for text, words in (("not toml", "cannot be read"), ("x = 1", "names no account")):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            load(path)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("host", "loopback"), [("localhost", True), ("127.3.2.1", True), ("::1", True), ("example.com", False)]
)
def test_loopback(host: str, loopback: bool) -> None:
    """Only this machine's own addresses count as loopback."""
    assert is_loopback(host) is loopback
