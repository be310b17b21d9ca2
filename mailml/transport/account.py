"""One mailbox or submission account: where it is, how the line is secured, who logs in and with what."""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mailml.errors import ConfigError, Fault, InputError
from mailml.files import read_text
from mailml.transport import _microsoft
from mailml.transport._certificate import Certificate
from mailml.transport.oauth import GoogleTokens, MicrosoftTokens, StaticToken, TokenProvider
from mailml.transport.secret import Secret

PORTS = {("imap", "tls"): 993, ("imap", "starttls"): 143, ("imap", "none"): 143}
PORTS |= {("smtp", "tls"): 465, ("smtp", "starttls"): 587, ("smtp", "none"): 25}
HOSTS = {
    ("microsoft365", "imap"): "outlook.office365.com",
    ("microsoft365", "smtp"): "smtp.office365.com",
    ("microsoft365-user", "imap"): "outlook.office365.com",
    ("microsoft365-user", "smtp"): "smtp.office365.com",
    ("gmail", "imap"): "imap.gmail.com",
    ("gmail", "smtp"): "smtp.gmail.com",
}
AUTHS = ("password", "microsoft365", "microsoft365-user", "gmail", "token", "none")
SOURCES = ("env", "file", "keyring")
KEYS: dict[str, type | tuple[type, ...]] = {
    "host": str,
    "port": int,
    "security": str,
    "insecure": bool,
    "user": str,
    "ca_file": str,
    "timeout": (int, float),
    "auth": str,
    "password": str,
    "password_env": str,
    "password_file": str,
    "password_keyring": str,
    "token_env": str,
    "token_file": str,
    "tenant": str,
    "client_id": str,
    "client_secret_env": str,
    "client_secret_file": str,
    "client_secret_keyring": str,
    "client_secret_expires": (date, str),
    "client_certificate_file": str,
    "token_cache": str,
    "authority": str,
    "authority_ca_file": str,
    "service_account_file": str,
}


@dataclass(frozen=True)
class Account:
    """Everything needed to log in; `repr` and errors never show a secret.

    `auth` is a Secret (password), a TokenProvider (XOAUTH2 or OAUTHBEARER), or None for a relay that asks for
    no login. `timeout` is in seconds and holds for connecting and for every answer.
    """

    name: str
    host: str
    user: str = ""
    auth: Secret | TokenProvider | None = None
    port: int = 993
    security: str = "tls"
    ca_file: str | None = None
    timeout: float = 60.0

    @property
    def where(self) -> str:
        """The account in words for an error: its name and server."""
        return f"{self.name} ({self.host}:{self.port})" if self.name else f"{self.host}:{self.port}"

    def token_ends(self) -> float | None:
        """When the token handed out last ends (seconds since 1970); None where there is none."""
        ends = getattr(self.auth, "expires_at", None)
        return ends() if ends is not None else None

    def secret_ends(self) -> datetime | None:
        """When the client secret or certificate ends (UTC), as far as anybody knows."""
        if not isinstance(self.auth, MicrosoftTokens):
            return None
        if isinstance(self.auth.secret, Certificate):
            return self.auth.secret.ends()
        return _microsoft.midnight(self.auth.secret_ends) if self.auth.secret_ends else None

    @classmethod
    def from_mapping(
        cls,
        mapping: Mapping[str, Any],
        *,
        name: str = "",
        protocol: str = "imap",
        base: str | Path = "",
        where: str = "",
    ) -> Account:
        """The account of a configuration table; raises ConfigError with all its faults at once.

        `protocol` ("imap" or "smtp") chooses default host and port; `base` is the folder relative paths start
        from; `where` names the table in the faults, e.g. `mailml.toml, [account.desk]`.
        """
        table = _Table(mapping, protocol, str(base), where)
        account = table.account(name)
        if table.faults:
            raise ConfigError(table.faults, where=where)
        return account


def load(path: str | Path) -> dict[str, Account]:
    """The accounts of a TOML file, its `[account.NAME]` tables in file order.

    Raises InputError for a file that cannot be read, ConfigError with the faults of all accounts at once.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(read_text(path)).get("account", {})
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"cannot be read: it is not TOML: {error}", where=str(path)) from error
    accounts: dict[str, Account] = {}
    faults: list[Fault] = []
    for name, table in tables.items() if isinstance(tables, dict) else ():
        try:
            accounts[name] = Account.from_mapping(
                table, name=name, base=path.parent, where=f"{path.name}, [account.{name}]"
            )
        except ConfigError as error:
            faults.extend(error.faults)
    if faults:
        raise ConfigError(faults, where=str(path))
    if not accounts:
        raise InputError(
            "names no account", where=str(path), cure="Add a table [account.NAME] with host and user"
        )
    return accounts


def is_loopback(host: str) -> bool:
    """Whether mail to this host never leaves the machine."""
    if host.lower() in {"localhost", "localhost.localdomain", "ip6-localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Table:
    """Reads one table and collects every fault instead of stopping at the first."""

    def __init__(self, mapping: Mapping[str, Any], protocol: str, base: str, where: str) -> None:
        self.faults: list[Fault] = []
        self.where, self.base, self.protocol = where, base, protocol
        self.values: dict[str, Any] = {}
        if not isinstance(mapping, Mapping):
            self.faults.append(Fault(where, "must be a table with host and user"))
            mapping = {}
        for key, value in mapping.items():
            self._take(key, value)

    def _take(self, key: str, value: Any) -> None:
        wanted = KEYS.get(key)
        if wanted is None:
            near = difflib.get_close_matches(key, KEYS, 1)
            self.fault(key, "is not a key of an account", f"Did you mean {near[0]}?" if near else "")
        elif not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            kind = "text" if wanted is str else "true or false" if wanted is bool else "a number"
            self.fault(key, f"must be {kind}, not {value!r}" if "password" not in key else f"must be {kind}")
        else:
            self.values[key] = value

    def fault(self, key: str, what: str, cure: str = "") -> None:
        place = f"{self.where}, key {key!r}" if self.where else f"key {key!r}"
        self.faults.append(Fault(place, what, cure))

    def account(self, name: str) -> Account:
        kind = self._choice("auth", AUTHS, "password")
        security = self._choice("security", ("tls", "starttls", "none"), "tls")
        host = self.values.get("host") or HOSTS.get((kind, self.protocol), "")
        if not host:
            self.fault("host", "is missing", "Name the server, e.g. imap.example.com")
        if security == "none" and host and not is_loopback(host) and not self.values.get("insecure"):
            self.fault(
                "security",
                "'none' sends the password in the clear",
                "Use 'tls' or 'starttls', or insecure = true",
            )
        user = self.values.get("user", "")
        if not user and kind != "none":
            self.fault("user", "is missing", "Name the mailbox, e.g. support@example.com")
        return Account(
            name=name,
            host=host,
            user=user,
            auth=self._auth(kind, user, host),
            port=self._port(security),
            security=security,
            ca_file=self.existing("ca_file"),
            timeout=self._timeout(),
        )

    def _choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = str(self.values.get(key, default))
        if value in allowed:
            return value
        near = difflib.get_close_matches(value.lower(), allowed, 1)
        meant = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(allowed)}"
        self.fault(key, f"{value!r} is not known", meant)
        return default

    def _port(self, security: str) -> int:
        port = int(self.values.get("port", PORTS[self.protocol, security]))
        if not 0 < port < 65536:
            self.fault("port", f"{port} is not a port", "Choose 1 to 65535")
        return port

    def _timeout(self) -> float:
        timeout = float(self.values.get("timeout", 60.0))
        if not 0 < timeout <= 3600:
            self.fault("timeout", f"{timeout:g} is out of range", "Choose seconds between 1 and 3600")
        return timeout

    def existing(self, key: str) -> str | None:
        if key not in self.values:
            return None
        path = Path(self.base, str(self.values[key])).expanduser()
        if not path.is_file():
            self.fault(key, f"{path} is not a file")
        return str(path)

    def _auth(self, kind: str, user: str, host: str) -> Secret | TokenProvider | None:
        if kind == "none":
            return None
        if kind == "microsoft365":
            return _microsoft.app(self, self._secret)
        if kind == "microsoft365-user":
            return _microsoft.person(self, user)
        if kind == "gmail" and "service_account_file" in self.values:
            return GoogleTokens(self.existing("service_account_file") or "", user)
        if kind == "token":
            return StaticToken(self._secret("token"))
        return self._password(host)

    def _password(self, host: str) -> Secret:
        if "password" not in self.values:
            return self._secret("password")
        if not is_loopback(host):
            self.fault(
                "password", "does not belong in a file", "Use password_env, password_file or password_keyring"
            )
        return Secret("literal", str(self.values["password"]))

    def _secret(self, stem: str) -> Secret:
        found = [source for source in SOURCES if f"{stem}_{source}" in self.values]
        if len(found) != 1:
            keys = ", ".join(f"{stem}_{source}" for source in SOURCES if f"{stem}_{source}" in KEYS)
            self.fault(
                f"{stem}_env", "is missing" if not found else "is not the only source", f"Give one of {keys}"
            )
            return Secret("literal", "")
        return Secret(found[0], str(self.values[f"{stem}_{found[0]}"]), self.base)
