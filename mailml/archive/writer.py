"""Appending: messages become visible a whole part at a time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from mailml.archive import parts
from mailml.archive._arrow import arrow, raw_schema, state_schema
from mailml.archive.known import Known, news_table
from mailml.archive.layout import Layout
from mailml.archive.rows import Arrival, News
from mailml.errors import ArchiveError

# What a kill can cost.
PART_BYTES = 16 * 1024 * 1024
PART_ROWS = 5000


class Writer:
    """The one writer of an archive (a lock sees to that); a context manager.

    What was added is safe on disk after `flush` or the end of the context. An exception in the context still
    keeps what was added: every message stands for itself.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.added = 0
        self._news: list[News] = []
        self._rows: list[Arrival] = []
        self._bytes = 0
        self._part: parts.PartFile | None = None
        self._part_bytes = self._part_rows = 0

    def __enter__(self) -> Writer:
        self._lock = _locked(self.layout.path)
        for folder in (self.layout.raw, self.layout.state, self.layout.facts):
            parts.sweep(folder)
        self.known = Known.read(self.layout)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        try:
            self.flush()
        except KeyboardInterrupt:
            self.flush()  # what the first one had not written yet
            raise
        finally:
            os.close(self._lock)

    def add(self, arrival: Arrival) -> bool:
        """Takes a message; False (and nothing happens) when its key is here already."""
        if not self.known.add(arrival.key):
            return False
        self._rows.append(arrival)
        self._bytes += len(arrival.raw)
        self.added += 1
        if self._bytes >= parts.ROW_GROUP_BYTES or self._part_rows + len(self._rows) >= PART_ROWS:
            self._write_rows()
            if self._part_bytes >= PART_BYTES or self._part_rows >= PART_ROWS:
                self._finish_part()
        return True

    def note(self, news: News) -> None:
        """Takes what was seen of a folder or of a message that is here already."""
        self.known.note(news)
        self._news.append(news)

    def flush(self) -> None:
        """Makes everything that was added safe on disk and visible."""
        self._write_rows()
        self._finish_part()
        if self._news:
            news, self._news = self._news, []
            table = news_table(news, arrow(), state_schema())
            parts.write(self._new(self.layout.state), [table], state_schema())

    def _write_rows(self) -> None:
        if not self._rows:
            return
        # made while the rows are still ours: Ctrl-C in here, and the end of the context writes them
        table = _table(self._rows)
        if self._part is None:
            # Unpacked for now: packing 487 MB takes 1.5 s of CPU, more than fetching it. The index does it.
            self._part = parts.PartFile(self._new(self.layout.raw), raw_schema(), packed=False)
        rows, self._rows = self._rows, []
        with self._writing(self._part):
            self._part.add(table)
        self._part_bytes, self._part_rows = self._part_bytes + self._bytes, self._part_rows + len(rows)
        self._bytes = 0

    def _finish_part(self) -> None:
        if self._part is not None:
            part, self._part = self._part, None
            self._part_bytes = self._part_rows = 0
            with self._writing(part):
                part.finish()

    @contextlib.contextmanager
    def _writing(self, part: parts.PartFile) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._part = None
            part.abandon()
            raise ArchiveError(
                f"the archive cannot be written: {error.strerror or error}",
                where=str(self.layout.path),
                cure="Make room and pull again: what was stored before is kept",
            ) from error

    def _new(self, folder: Path) -> Path:
        return folder / parts.new_name((self.layout.raw, self.layout.state))


def _table(rows: list[Arrival]) -> Any:
    pa, schema = arrow(), raw_schema()
    columns = {
        "account": [row.account for row in rows],
        "folder": [row.folder for row in rows],
        "uidvalidity": [row.uidvalidity for row in rows],
        "uid": [row.uid for row in rows],
        "internaldate": [row.internaldate for row in rows],
        "flags": [" ".join(row.flags) for row in rows],
        "size": [len(row.raw) for row in rows],
        "sha256": [hashlib.sha256(row.raw).hexdigest() for row in rows],
        "raw": [row.raw for row in rows],
    }
    return pa.Table.from_arrays(
        [pa.array(columns[field.name], field.type) for field in schema], schema=schema
    )


def _locked(path: Path) -> int:
    handle = os.open(path / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        # The kernel drops it with the process, so a killed pull never leaves a stale lock.
        _patiently(handle)
    except OSError as error:
        os.close(handle)
        raise ArchiveError(
            "another pull is writing to this archive", where=str(path), cure="Wait until it is done"
        ) from error
    return handle


def _patiently(handle: int) -> None:
    """Take the lock; somebody who only looks whether it is taken (`pulling`) holds it for a moment."""
    for _ in range(10):
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(0.01)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
