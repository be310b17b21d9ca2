"""The journal on PostgreSQL: the same schema, one writer at a time, and work shared by several routers.

Every write takes one advisory lock for its transaction, which is what SQLite's single writer is: counting and
granting an acknowledgement can never interleave. What is alone per process on SQLite (a mailbox, the sending)
is held here by session locks, which the server lets go of with the connection of a process that died.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from mailml.errors import InputError, MissingExtraError

SPACE = 0x6D61696C  # "mail": the first half of our advisory locks, apart from those of other programs
_WRITE = 1
CHANNEL = "mailml"  # every write is told of here when it commits
_ONE_WRITER = text(f"SELECT pg_advisory_xact_lock(:space, :key), pg_notify('{CHANNEL}', '')")
# A server that is gone is noticed in about ten seconds, on both sides of the line.
_ALIVE = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "options": "-c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c synchronous_commit=on",
}
_SECRET = re.compile(r"^[^:/]+://[^/@]*:[^/@]*@")


def writing(url: str) -> Engine:
    """The engine of transactions that write; each holds the one lock until it ends."""
    engine = _engine(url, pool_size=2)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.execute(_ONE_WRITER, {"space": SPACE, "key": _WRITE})

    return engine


def reading(url: str) -> Engine:
    """The engine of snapshots."""
    return _engine(url, pool_size=4).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )


def cut(line: Connection | None) -> None:
    """Give a standing connection up, whatever state it is in: the server lets go of all that it held."""
    if line is not None:
        with suppress(SQLAlchemyError):
            line.invalidate()
            line.close()


def standing(url: str) -> Engine:
    """The engine of the connection that holds locks for as long as the process lives."""
    return create_engine(
        _checked(url),
        hide_parameters=True,
        connect_args=_ALIVE,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )


@contextmanager
def migrating(url: str) -> Iterator[None]:
    """Nobody else migrates meanwhile: a migration lets go of the writers' lock between its steps."""
    engine = standing(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:space, 0)"), {"space": SPACE})
        yield
    engine.dispose()


def number_of(name: str) -> int:
    """The second half of the advisory lock of a name; far from the writers' own."""
    return zlib.crc32(name.encode()) % (2**31 - 2) + 2


@contextmanager
def told(url: str) -> Iterator[None]:
    """Failures to open as InputError, without the address's secrets."""
    from sqlalchemy.exc import DatabaseError

    try:
        yield
    except DatabaseError as error:
        why = " ".join(str(error.orig).split())[:300]
        raise InputError(
            f"the journal's database cannot be used ({why})",
            where=masked(url),
            cure="Check [serve] database, that the server runs, and that the user may create tables",
        ) from error


def masked(url: str) -> str:
    """The address as it may be shown."""
    return re.sub(r"://[^@/]*@", "://…@", url)


def _engine(url: str, pool_size: int) -> Engine:
    return create_engine(
        _checked(url),
        # errors that name their statement's values would carry mail into logs
        hide_parameters=True,
        connect_args=_ALIVE,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
    )


def _checked(url: str) -> Any:
    from sqlalchemy.engine import make_url

    if _SECRET.match(url):
        raise InputError(
            "the address of the database holds a password",
            where="[serve] database",
            cure="Leave it out and give it in PGPASSWORD or a ~/.pgpass file",
        )
    try:
        made = make_url(url)
    except ArgumentError as error:
        what = f"{masked(url)!r:.80} is no address of a database"
        raise InputError(what, where="[serve] database") from error
    if made.get_backend_name() != "postgresql":
        raise InputError(
            f"{made.get_backend_name()!r:.40} is no database the journal can live in",
            where="[serve] database",
            cure="Give postgresql://user@host/name, or leave it out for SQLite",
        )
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "a journal on PostgreSQL needs psycopg", cure='pip install "mailml[postgres]"'
        ) from error
    return made.set(drivername="postgresql+psycopg")
