"""Where the columns of an archive are read from, chunk by chunk: a frame in memory, or Parquet files on disk.

Of a Parquet file only the columns that somebody asks for are read, and only one chunk of them is ever held.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mailml.errors import InputError

CHUNK = 25_000  # messages; 30 MB of text
Rows = npt.NDArray[np.int64]


class Columns(Protocol):
    """Columns of messages, in order."""

    @property
    def names(self) -> Sequence[str]:
        """The columns' names."""

    @property
    def height(self) -> int:
        """How many messages there are."""

    def chunks(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """These columns of all messages, some thousand at a time; the names as `names` spells them."""

    def take(self, rows: Rows, names: Sequence[str]) -> pl.DataFrame:
        """These columns of a few messages, by row number in rising order."""


class Frame:
    """Columns in memory."""

    def __init__(self, messages: pl.DataFrame) -> None:
        self._messages = messages

    @property
    def names(self) -> Sequence[str]:
        """The frame's columns."""
        return self._messages.columns

    @property
    def height(self) -> int:
        """The frame's rows."""
        return self._messages.height

    def chunks(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Slices of the frame."""
        wanted = self._messages.select(names)
        for at in range(0, self.height, CHUNK):
            yield from wanted.slice(at, CHUNK).to_arrow().combine_chunks().to_batches()

    def take(self, rows: Rows, names: Sequence[str]) -> pl.DataFrame:
        """Some rows of the frame."""
        return self._messages.select(names)[rows]


class Parquet:
    """Columns in Parquet files that continue one another."""

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        """Raises InputError where there is no file, or one that is not Parquet."""
        self._paths = [Path(path) for path in paths]
        if not self._paths:
            raise InputError("no Parquet file was named", cure="Name the files that hold the columns.")
        files = [_file(path) for path in self._paths]
        self._names: list[str] = files[0].schema_arrow.names
        self._height = sum(int(one.metadata.num_rows) for one in files)

    @property
    def names(self) -> Sequence[str]:
        """The columns of the first file, which the others share."""
        return self._names

    @property
    def height(self) -> int:
        """The rows of all files."""
        return self._height

    def chunks(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Each file's row groups, decoded a chunk at a time."""
        for path in self._paths:
            yield from _file(path).iter_batches(CHUNK, columns=list(names), use_threads=False)

    def take(self, rows: Rows, names: Sequence[str]) -> pl.DataFrame:
        """Some rows, read from the row groups that hold them."""
        empty = _file(self._paths[0]).schema_arrow.empty_table().select(list(names))
        found, start = [pl.DataFrame(empty)], 0
        for path in self._paths:
            file = _file(path)
            for group in range(file.num_row_groups):
                end = start + file.metadata.row_group(group).num_rows
                inside = rows[(rows >= start) & (rows < end)] - start
                if len(inside):
                    table = file.read_row_group(group, columns=list(names)).take(pa.array(inside))
                    found.append(pl.DataFrame(table))
                start = end
        return pl.concat(found)


def columns_of(
    source: pl.DataFrame | str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> Columns:
    """A frame, a Parquet file, a directory of them, or several files, as columns."""
    if isinstance(source, pl.DataFrame):
        return Frame(source)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return Parquet(sorted(path.glob("*.parquet")) if path.is_dir() else [path])
    return Parquet(source)


def _file(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        cure = "Make the columns again: they are derived from the archive."
        raise InputError("cannot be read as Parquet", where=str(path), cure=cure) from error
