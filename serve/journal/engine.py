"""The journal's connections: one that writes, some that only read, and the locks around them.

SQLite in write-ahead mode with synchronous=FULL: a commit that returned is on the disk. Its WAL-reset bug
(3.7.0 to 3.51.2; Debian's Python links 3.40) corrupts a file when two connections write or checkpoint in
the same instant, so every write, in whatever process, holds a lock file; readers never write or checkpoint.
PostgreSQL's connections are made in the room beside this one.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from mailml.errors import InputError

from . import migrate, postgres
from .grouping import Grouped
from .news import DatabaseNews, FileNews, News

Tx = Connection
JournalError = SQLAlchemyError  # whatever the database could not do


class Journal:
    """One journal, open. `write()` is a transaction, `read()` a snapshot; both give a `Tx`.

    `path` is its SQLite file; `database` is "" for that, or the address of a PostgreSQL database, and then
    the path only names the folder of what stays local.
    """

    def __init__(self, path: Path, database: str = "", *, migrated: bool = True) -> None:
        self.path, self.database = path, database
        self._lock = threading.Lock()  # one thread may take it and another let it go: grouping.py
        self._lock_file = -1
        if database:
            self._writer, self._readers = postgres.writing(database), postgres.reading(database)
        else:
            self._lock_file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._writer = _engine(path, reads_only=False)
            self._readers = _engine(path, reads_only=True)
        # PostgreSQL groups the commits of its connections by itself
        self._grouped = None if database else Grouped(self._writer, self._exclusive)
        if migrated:
            self._migrate()

    @classmethod
    def open(cls, path: Path, database: str = "") -> Self:
        """Open or create the journal and bring its schema up to date.

        Raises InputError, with the cure, where the file or the database cannot be used.
        """
        if database:
            with postgres.told(database):
                return cls(path, database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # customers' mail lies in it: nobody else may read it, from the first byte on
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            return cls(path)
        except OSError as error:
            raise InputError(
                f"the journal cannot be opened ({error.strerror})",
                where=str(path),
                cure="Give the service a folder it may write to ([serve] journal)",
            ) from error
        except DatabaseError as error:
            raise InputError(
                f"the journal cannot be read ({error.orig})",
                where=str(path),
                cure="Is it a journal of mailml-serve? Restore it from a backup, or name another file",
            ) from error

    def _migrate(self) -> None:
        where = postgres.masked(self.database) if self.database else str(self.path)
        alone = postgres.migrating(self.database) if self.database else self._exclusive()
        with alone, self._writer.connect() as connection:
            migrate.upgrade(connection, where)
            connection.commit()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Nobody else writes meanwhile, in this process or another (PostgreSQL sees to that itself)."""
        if self.database:
            yield
            return
        with self._lock:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that holds the write lock from its first line; durable when the block is left."""
        if self._grouped is not None:
            with self._grouped.write() as connection:
                yield connection
            return
        with self._exclusive(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent snapshot; never waits for a writer."""
        with self._readers.begin() as connection:
            yield connection

    def news(self) -> News:
        """Something that hears of what other processes commit; to be closed before the journal."""
        return DatabaseNews(self.database) if self.database else FileNews(self._readers)

    def close(self) -> None:
        """Close every connection; the last one to go folds the write-ahead log into the file."""
        self._readers.dispose()
        with self._exclusive():
            self._writer.dispose()
        if self._lock_file >= 0:
            with suppress(OSError):
                os.close(self._lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _engine(path: Path, *, reads_only: bool) -> Engine:
    pool: Any = {"poolclass": QueuePool, "pool_size": 4} if reads_only else {"poolclass": StaticPool}
    engine = create_engine(
        # errors that name their statement's values would carry mail into logs
        f"sqlite:///{path}",
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 30.0},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if reads_only:
            cursor.execute("PRAGMA query_only=ON")
            cursor.execute("PRAGMA wal_autocheckpoint=0")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that begins as a reader could fail half-way when it first writes
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def is_disk_trouble(error: BaseException) -> bool:
    """Whether the database could not write: full or broken disk. Then stop, exit and recover."""
    if not isinstance(error, OperationalError) or not type(error.orig).__module__.startswith("sqlite3"):
        return False  # the disk of a database server is for its operator; here it is waited out
    said = str(error.orig).lower()
    return "disk" in said or "readonly" in said
