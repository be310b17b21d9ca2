"""Reading raw messages: one by its key or hash, or all in order, a row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mailml.archive import parts
from mailml.archive._arrow import arrow
from mailml.archive.rows import ArchiveRow, Key

HEAD = ("account", "folder", "uidvalidity", "uid", "internaldate", "flags", "size", "sha256")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies: part and row."""

    part: parts.Part
    row: int


class Reader:
    """Reads the raw parts of one folder; new parts are noticed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: list[str] = []
        self._by_key: dict[Key, Place] = {}
        self._by_hash: dict[str, Place] = {}
        # Neighbours are often read one after the other, and a group is unpacked as a whole.
        self._group = lru_cache(4)(_group)

    def find(self, wanted: Key | str) -> Place | None:
        """Where a message lies, by key or SHA-256; None when it is not here."""
        held = parts.listed(self.folder)
        if [part.name for part in held] != self._seen:
            self._learn(held)
        return self._by_hash.get(wanted) if isinstance(wanted, str) else self._by_key.get(wanted)

    def _learn(self, held: list[parts.Part]) -> None:
        self._by_key, self._by_hash = {}, {}
        for part in held:
            columns = (
                parts.read(part, ["account", "folder", "uidvalidity", "uid", "sha256"]).to_pydict().values()
            )
            for number, (account, folder, uidvalidity, uid, digest) in enumerate(zip(*columns, strict=True)):
                place = Place(part, number)
                self._by_key.setdefault((account, folder, uidvalidity, uid), place)
                self._by_hash.setdefault(digest, place)
        self._seen = [part.name for part in held]

    def read(self, place: Place) -> tuple[str, bytes]:
        """The stored SHA-256 and the bytes of the message at a place."""
        file = parts.opened(place.part)
        row, group = place.row, 0
        while row >= (size := file.metadata.row_group(group).num_rows):
            row, group = row - size, group + 1
        table = self._group(place.part, group)
        return str(table.column("sha256")[row].as_py()), bytes(table.column("raw")[row].as_py())

    def messages(self, chosen: Callable[[ArchiveRow], bool]) -> Iterator[tuple[ArchiveRow, bytes]]:
        """Every chosen message with its bytes, in order."""
        for part in parts.listed(self.folder):
            file = parts.opened(part)
            for group in range(file.num_row_groups):
                rows = [_row(values) for values in _read_group(file, part, group, list(HEAD)).to_pylist()]
                picked = [chosen(row) for row in rows]
                if not any(picked):
                    continue
                raws = _read_group(file, part, group, ["raw"]).column("raw")
                for number, (row, wanted) in enumerate(zip(rows, picked, strict=True)):
                    if wanted:
                        yield row, raws[number].as_py()


def _group(part: parts.Part, group: int) -> Any:
    return _read_group(parts.opened(part), part, group, ["sha256", "raw"])


def _read_group(file: Any, part: parts.Part, group: int, columns: list[str]) -> Any:
    pa = arrow()
    try:
        return file.read_row_group(group, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise parts.damaged(part, error) from error


def _row(values: dict[str, Any]) -> ArchiveRow:
    return ArchiveRow(**{**values, "flags": tuple(values["flags"].split())})
