"""The keys of an account at Microsoft 365 -> who hands out its tokens: an app by secret or certificate, or a
person who signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Protocol

from mailml.transport._certificate import Certificate
from mailml.transport.delegated import DelegatedTokens
from mailml.transport.oauth import AUTHORITY, MicrosoftTokens
from mailml.transport.secret import Secret


class Table(Protocol):
    """The part of an account's table that is asked for here."""

    values: dict[str, Any]
    base: str

    def fault(self, key: str, what: str, cure: str = "") -> None: ...

    def existing(self, key: str) -> str | None: ...


def app(table: Table, secret: Callable[[str], Secret]) -> MicrosoftTokens:
    """Tokens of an app with rights of its own."""
    tenant, client_id, authority = _registration(table)
    certified = "client_certificate_file" in table.values
    if certified:
        credential: Secret | Certificate = Certificate(
            str(table.values["client_certificate_file"]), table.base
        )
    else:
        credential = secret("client_secret")
    return MicrosoftTokens(
        tenant=tenant,
        client_id=client_id,
        secret=credential,
        authority=authority,
        ca_file=table.existing("authority_ca_file"),
        secret_ends=_ends(table),
    )


def person(table: Table, user: str) -> DelegatedTokens:
    """Tokens of a person who signs in with a device code."""
    tenant, client_id, authority = _registration(table)
    if not table.values.get("token_cache"):
        table.fault(
            "token_cache", "is missing", "Name a file that remembers the sign-in, e.g. support.tokens"
        )
    cache = Path(table.base, str(table.values.get("token_cache", ""))).expanduser()
    ca_file = table.existing("authority_ca_file")
    return DelegatedTokens(tenant, client_id, user, str(cache), authority, ca_file)


def _registration(table: Table) -> tuple[str, str, str]:
    for key in ("tenant", "client_id"):
        if not table.values.get(key):
            table.fault(key, "is missing", "Copy it from the app registration in Entra ID")
    authority = str(table.values.get("authority", AUTHORITY))
    if not authority.startswith("https://"):
        table.fault("authority", "must be an https address")
    return str(table.values.get("tenant", "")), str(table.values.get("client_id", "")), authority


def _ends(table: Table) -> date | None:
    value = table.values.get("client_secret_expires")
    if value is None:
        return None
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError:
        table.fault("client_secret_expires", f"{value!r} is no date", "Write it as 2027-01-31")
        return None


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC: a secret that ends on a day may be refused from its start on."""
    return datetime.combine(day, time.min, UTC)
