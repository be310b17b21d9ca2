"""Locks of a process that shares a PostgreSQL journal: held by one standing connection, gone with it.

A session lock needs no clock and no renewal: the server lets go of it when the process dies or its line is
cut (keepalives see to the second within some ten seconds). What a router does while it wrongly believes that
it still holds one is caught where it matters: every effect is claimed in the journal by compare-and-set.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from . import postgres

_MEMBER = postgres.number_of("member")
_JOIN = text("SELECT pg_advisory_lock_shared(:space, :key)")
_TRY = text("SELECT pg_try_advisory_lock(:space, :key)")
_RELEASE = text("SELECT pg_advisory_unlock(:space, :key)")
_COUNT = text(
    "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = :space AND objid = :key AND objsubid = 2"
)


class Locks:
    """Named locks over one database. Every method raises JournalError when the line is gone."""

    def __init__(self, database: str) -> None:
        self._engine = postgres.standing(database)
        self._line: Connection | None = None

    def members(self) -> int:
        """How many routers share the journal now, this one included; opens the line where there is none."""
        if self._line is None:
            self._line = self._engine.connect()
            self._ask(_JOIN, _MEMBER)
        return int(self._ask(_COUNT, _MEMBER))

    def take(self, name: str) -> bool:
        """Hold the lock of that name, if nobody else does."""
        return bool(self._ask(_TRY, postgres.number_of(name)))

    def release(self, name: str) -> None:
        """Let go of it."""
        self._ask(_RELEASE, postgres.number_of(name))

    def close(self) -> None:
        """Let go of everything."""
        line, self._line = self._line, None
        postgres.cut(line)

    def _ask(self, statement: Any, key: int) -> Any:
        if self._line is None:
            raise SQLAlchemyError("the line that holds the locks is closed")
        return self._line.execute(statement, {"space": postgres.SPACE, "key": key}).scalar()
