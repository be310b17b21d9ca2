"""Who may call the HTTP API: names and digests of keys, never a key."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from .engine import Tx
from .schema_edges import api_keys


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One client's key as the journal knows it; `hint` is its first letters, `per_minute` its own limit."""

    id: int
    name: str
    digest: str
    hint: str
    per_minute: int | None
    created_at: int
    revoked_at: int | None


_COLUMNS = [api_keys.c[name] for name in ApiKey.__dataclass_fields__]


def add(tx: Tx, name: str, digest: str, hint: str, now: int, *, per_minute: int | None = None) -> None:
    """Let the holder of the key with this digest in."""
    row = {"name": name, "digest": digest, "hint": hint, "per_minute": per_minute, "created_at": now}
    tx.execute(insert(api_keys), row)


def revoke(tx: Tx, name: str, now: int) -> int:
    """Shut out every key of this name; returns how many were good until now."""
    good = (api_keys.c.name == name) & api_keys.c.revoked_at.is_(None)
    return int(tx.execute(update(api_keys).where(good).values(revoked_at=now)).rowcount)


def every(tx: Tx) -> list[ApiKey]:
    """All keys, those shut out included, in the order they were made."""
    return [ApiKey(**row._mapping) for row in tx.execute(select(*_COLUMNS).order_by(api_keys.c.id))]


def good(tx: Tx) -> list[ApiKey]:
    """The keys that open the door now."""
    return [key for key in every(tx) if key.revoked_at is None]
