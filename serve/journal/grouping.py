"""Group commit: writers that come while another commits share the next transaction, and its one fsync.

Each writer's block runs alone, behind a savepoint once it is not the first. Who finds nobody waiting behind
him commits for all; everybody returns when that commit is on the disk, so a block that is left is durable, as
before. A block that fails takes nothing but itself back; a disk that fails fails everybody's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from sqlalchemy import Connection, Engine

from .prepared import apart

_MOST = 64  # blocks that share a commit
_LONGEST = 0.05  # seconds after which a transaction is committed, whoever waits


class _Batch:
    """One open transaction, and those whose blocks it holds."""

    def __init__(self, writer: Engine, alone: AbstractContextManager[None]) -> None:
        self.stack = ExitStack()
        self.members = 0
        self.began = time.monotonic()
        self.done = threading.Event()
        self.error: BaseException | None = None
        with self.stack:
            self.stack.enter_context(alone)
            self.connection = self.stack.enter_context(writer.connect())
            self.transaction = self.connection.begin()
            self.kept = self.stack.pop_all()

    def end(self, error: BaseException | None = None) -> None:
        """Commit, or with an error take everything back; tell all members."""
        try:
            with self.kept:
                if error is None:
                    self.transaction.commit()
                else:
                    self.transaction.rollback()
        except BaseException as failure:  # noqa: BLE001 - every member raises it
            error = error or failure
        self.error = error
        self.done.set()

    @property
    def open(self) -> bool:
        """Whether SQLite still holds it: when the disk fails it takes everything back by itself."""
        held = self.connection.connection.dbapi_connection
        return bool(getattr(held, "in_transaction", False))


class Grouped:
    """The writers of one process over one connection. `alone` keeps other processes out."""

    def __init__(self, writer: Engine, alone: Callable[[], AbstractContextManager[None]]) -> None:
        self._writer, self._alone = writer, alone
        self._turn, self._count = threading.Lock(), threading.Lock()
        self._waiting = 0
        self._batch: _Batch | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A block of its own in a transaction that may be shared; durable when it is left."""
        self._queue(1)
        self._turn.acquire()
        self._queue(-1)
        try:
            batch = self._batch = self._batch or _Batch(self._writer, self._alone())
        except BaseException:
            self._turn.release()
            raise
        try:
            if batch.members:
                with apart(batch.connection):
                    yield batch.connection
            else:
                yield batch.connection
            batch.members += 1
        except BaseException as error:
            self._failed(batch, error)
            raise
        else:
            self._over(batch)
        finally:
            self._turn.release()
        self._settled(batch)
        if batch.error is not None:
            raise batch.error

    def _settled(self, batch: _Batch) -> None:
        """Until it is on the disk; who stood in line and never came is not waited for."""
        while not batch.done.wait(_LONGEST):
            with self._turn:
                if self._batch is batch:
                    self._batch = None
                    batch.end()

    def _queue(self, change: int) -> None:
        with self._count:
            self._waiting += change

    def _over(self, batch: _Batch) -> None:
        """Commit, unless somebody stands in line who will: he cannot leave it without having had his turn."""
        late = batch.members >= _MOST or time.monotonic() - batch.began >= _LONGEST
        if late or not self._waiting:
            self._batch = None
            batch.end()

    def _failed(self, batch: _Batch, error: BaseException) -> None:
        """Only this block is taken back, unless nobody else is in it or the whole transaction is gone."""
        if not batch.members or not batch.open:
            self._batch = None
            batch.end(error)
        else:
            self._over(batch)
