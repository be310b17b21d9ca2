"""News of the journal from other processes: that something was committed, never what.

PostgreSQL notifies every listener of every write; a file is asked for its version, which SQLite changes with
each commit of another connection and tells without reading a page. Either is a hint: the rows are the truth.
"""

from __future__ import annotations

import select
from typing import Any, Protocol

from sqlalchemy import Engine, text

from . import postgres

_NOTHING = text("SELECT 1")


class Stop(Protocol):
    """An end that can be waited for, with and without a descriptor."""

    def wait(self, timeout: float) -> bool:
        """Whether it came within so many seconds."""

    def fileno(self) -> int:
        """A descriptor for poll."""


class News(Protocol):
    """Something that hears of commits; the first question is always answered with yes."""

    def heard(self, seconds: float, stop: Stop) -> bool:
        """Whether anything was committed, asked for so many seconds; comes back early at the stop."""

    def close(self) -> None:
        """Listen no more."""


class FileNews:
    """Asks a journal's file for its version, every time it is asked."""

    def __init__(self, readers: Engine) -> None:
        self._line = readers.raw_connection()
        self._version: int | None = None

    def heard(self, seconds: float, stop: Stop) -> bool:
        """Whether the file has another version after so many seconds."""
        if self._version is not None:
            stop.wait(seconds)
        cursor = self._line.cursor()
        cursor.execute("PRAGMA data_version")
        before, (self._version,) = self._version, cursor.fetchone() or (None,)
        cursor.close()
        return self._version != before

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()


class DatabaseNews:
    """Listens on a line of its own. Raises JournalError when that is lost: make another one."""

    def __init__(self, database: str) -> None:
        self._engine = postgres.standing(database)
        self._line: Any = None

    def heard(self, seconds: float, stop: Stop) -> bool:
        """Whether anybody has written; back as soon as somebody has."""
        if self._line is None:
            self._line = self._engine.connect()
            self._line.execute(text(f"LISTEN {postgres.CHANNEL}"))
            return True
        raw = self._line.connection.driver_connection
        ears = select.poll()
        ears.register(raw.fileno(), select.POLLIN)
        ears.register(stop.fileno(), select.POLLIN)
        ears.poll(seconds * 1000)
        # on an idle line this statement also sees whether the line still stands
        self._line.execute(_NOTHING)
        return bool(list(raw.notifies(timeout=0)))

    def close(self) -> None:
        """Close the line."""
        line, self._line = self._line, None
        postgres.cut(line)
        self._engine.dispose()
