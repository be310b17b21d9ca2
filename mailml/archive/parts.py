"""Parts on disk: written whole or not at all, in the order of their numbers."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailml.archive._arrow import arrow
from mailml.errors import ArchiveError

# So few bytes that one message is read without unpacking a thousand others.
ROW_GROUP_BYTES = 2 * 1024 * 1024
_TEMPORARY = ".tmp"


@dataclass(frozen=True, slots=True)
class Part:
    """A part by its file: `00000012-9f2c4a.parquet`."""

    path: Path

    @property
    def name(self) -> str:
        """The file name; facts parts have the name of their raw part."""
        return self.path.name

    @property
    def number(self) -> int:
        """Its place in the order of writing."""
        head = self.path.name.partition("-")[0]
        return int(head) if head.isdigit() else 0


def listed(folder: Path) -> list[Part]:
    """The parts of a folder, oldest first."""
    parts = [Part(path) for path in folder.glob("*.parquet")] if folder.is_dir() else []
    return sorted(parts, key=lambda part: (part.number, part.name))


def new_name(folders: Iterable[Path]) -> str:
    """A name behind all parts of these folders; the random tail keeps merged archives' parts apart."""
    highest = max((part.number for folder in folders for part in listed(folder)), default=0)
    return f"{highest + 1:08d}-{secrets.token_hex(3)}.parquet"


class PartFile:
    """A part being written under a temporary name; it exists for readers from `finish` on.

    `packed` compresses with zstd at level 3. Tables become row groups and are on their way to the disk at
    once, so that no more than one of them is held in memory.
    """

    def __init__(self, path: Path, schema: Any, *, packed: bool = True) -> None:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        self.path, self._temporary = path, path.with_name(path.name + _TEMPORARY)
        # customers' mail: nobody else may read it, from the first byte on
        self._file = os.fdopen(os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._writer = arrow().parquet.ParquetWriter(
            self._file,
            schema,
            compression="zstd" if packed else "none",
            compression_level=3 if packed else None,
            use_dictionary=[name for name in ("account", "folder", "flags") if name in schema.names],
            # Statistics of raw bytes would copy the smallest and largest mail of every group.
            write_statistics=[name for name in schema.names if name != "raw"],
        )

    def add(self, table: Any) -> None:
        """Writes a table as the next row group."""
        self._writer.write_table(table)

    def finish(self) -> None:
        """Ends the part: fsync, rename, fsync of the folder."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.rename(self.path)
        sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Removes what was written."""
        # Closing flushes once more; on a full disk that fails once more.
        with contextlib.suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def write(path: Path, groups: Iterable[Any], schema: Any) -> None:
    """Writes tables as the row groups of one packed part, whole or not at all."""
    file = PartFile(path, schema)
    try:
        for group in groups:
            file.add(group)
        file.finish()
    except BaseException:
        file.abandon()
        raise


def sync_folder(folder: Path) -> None:
    """Makes a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Removes what a killed writer left half-written."""
    for path in folder.glob(f"*{_TEMPORARY}") if folder.is_dir() else ():
        path.unlink(missing_ok=True)


def read(part: Part, columns: list[str] | None = None) -> Any:
    """A part's columns as a table; raises ArchiveError when the file is damaged."""
    pa = arrow()
    try:
        return pa.parquet.ParquetFile(part.path).read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise damaged(part, error) from error


def opened(part: Part) -> Any:
    """The part as a ParquetFile, for reading it group by group."""
    pa = arrow()
    try:
        return pa.parquet.ParquetFile(part.path)
    except (pa.ArrowException, OSError) as error:
        raise damaged(part, error) from error


def damaged(part: Part, error: object) -> ArchiveError:
    """The error of a part that cannot be read."""
    return ArchiveError(
        f"the part is damaged: {error}",
        where=str(part.path),
        cure="Move it away: the next pull fetches its messages again",
    )
