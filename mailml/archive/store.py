"""The archive itself: open, append, read the facts as columns, read raw messages when they are asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mailml.archive import index, parts, pulling
from mailml.archive._arrow import arrow, facts_schema, raw_schema
from mailml.archive.layout import Layout
from mailml.archive.overlay import with_news
from mailml.archive.reader import HEAD, Reader
from mailml.archive.rows import ArchiveRow, Arrival, Key
from mailml.archive.status import ArchiveStatus, FolderStatus
from mailml.archive.writer import Writer
from mailml.errors import ArchiveError, InputError

FORMAT = 1  # raise it when parts written before can no longer be read as they are


class Archive:
    """A folder of Parquet parts. Any number may read while one writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layout = Layout(path)
        self._reader = Reader(self.layout.raw)

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    @classmethod
    def open(cls, path: str | Path, create: bool = False) -> Archive:
        """Opens an archive; with `create` an absent or empty folder becomes one.

        Raises ArchiveError for a folder that is something else or of a newer format.
        """
        path = Path(path).expanduser()
        marker = path / "archive.json"
        if not marker.exists():
            _make(path, marker, create)
        try:
            number = json.loads(marker.read_text("utf-8"))["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArchiveError("archive.json cannot be read", where=str(path)) from error
        if number != FORMAT:
            raise ArchiveError(
                f"the archive has format {number}, this version reads {FORMAT}",
                where=str(path),
                cure="Use the version of mailml that wrote it, or pull into a new folder",
            )
        return cls(path)

    # -- writing ---------------------------------------------------------------------------------------------

    def writer(self) -> Writer:
        """The writer, a context manager; raises ArchiveError while another one is at work."""
        return Writer(self.layout)

    def append(self, arrivals: Iterable[Arrival]) -> int:
        """Adds messages and returns how many were new; those whose key is here already are left alone."""
        with self.writer() as writer:
            for arrival in arrivals:
                writer.add(arrival)
            return writer.added

    def index(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Parses what has no facts yet and returns how many messages that were.

        `table` and `status` need no call of it: they ask for it themselves. `progress` hears done and total.
        """
        todo = index.missing(self.layout.raw, self.layout.facts)
        total = sum(parts.opened(part).metadata.num_rows for part in todo)
        tell = (lambda done: progress(done, total)) if progress is not None else None
        return index.build(todo, self.layout.facts, tell)

    # -- reading ---------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return sum(parts.opened(part).metadata.num_rows for part in parts.listed(self.layout.raw))

    def table(self, columns: Sequence[str] | None = None, filter: Any = None) -> Any:
        """The facts as a pyarrow.Table, one row per message, in the order they were pulled; never raw bytes.

        `columns` are names of `self.columns`; `filter` is a pyarrow.compute expression over any of them.
        Flags are as the last pull saw them; `present` is false for a message that has left its folder.
        Facts that are missing are parsed first. Raises InputError for an unknown column.
        """
        wanted = list(columns) if columns is not None else list(self.columns)
        if unknown := [name for name in wanted if name not in self.columns]:
            raise InputError(
                f"the archive has no column {', '.join(unknown)}",
                where=str(self.path),
                cure=f"The columns are {', '.join(self.columns)}",
            )
        loaded = self.columns if filter is not None else tuple(wanted)
        table = self._loaded([name for name in facts_schema().names if name in loaded])
        if {"flags", "present"} & set(loaded):
            table = with_news(table, parts.listed(self.layout.state))
        if filter is not None:
            table = table.filter(filter)
        return table.select(wanted)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns of `table`."""
        return (*HEAD, "present", *facts_schema().names)

    def _loaded(self, facts: list[str]) -> Any:
        pa = arrow()
        if facts:
            self.index()
        pieces = []
        for part in parts.listed(self.layout.raw):
            piece = parts.read(part, list(HEAD))
            if facts:
                side = parts.read(parts.Part(self.layout.facts / part.name), facts)
                for name in facts:
                    piece = piece.append_column(name, side.column(name))
            pieces.append(piece)
        if pieces:
            return pa.concat_tables(pieces)
        fields = [raw_schema().field(name) for name in HEAD] + [facts_schema().field(name) for name in facts]
        return pa.schema(fields).empty_table()

    def raw(self, key: Key | ArchiveRow | str) -> bytes:
        """The bytes of one message, by key, row or SHA-256; verified against the hash.

        Raises InputError when it is not here, ArchiveError when its part is damaged.
        """
        place = self._reader.find(key.key if isinstance(key, ArchiveRow) else key)
        if place is None:
            raise InputError(f"no message {key!r} is in the archive", where=str(self.path))
        row, raw = self._reader.read(place)
        if hashlib.sha256(raw).hexdigest() != row:
            raise parts.damaged(place.part, "a message does not match its SHA-256")
        return raw

    def messages(
        self,
        *,
        account: str | None = None,
        folders: Iterable[str] | None = None,
        where: Callable[[ArchiveRow], bool] | None = None,
    ) -> Iterator[tuple[ArchiveRow, bytes]]:
        """Every message with its bytes, in the order they were pulled, one row group in memory.

        `account`, `folders` (names) and `where` narrow it down; groups without a match are not unpacked.
        """
        names = None if folders is None else frozenset(folders)

        def chosen(row: ArchiveRow) -> bool:
            if account is not None and row.account != account:
                return False
            if names is not None and row.folder not in names:
                return False
            return where is None or where(row)

        return self._reader.messages(chosen)

    def status(self) -> ArchiveStatus:
        """Counts, sizes and dates per folder."""
        pa = arrow()
        table = self.table(["account", "folder", "uidvalidity", "size", "internaldate", "present"])
        grouped = table.group_by(["account", "folder", "uidvalidity"]).aggregate(
            [
                ("size", "count"),
                ("size", "sum"),
                ("internaldate", "min"),
                ("internaldate", "max"),
                ("present", "sum"),
            ]
        )
        folders = tuple(_folder_status(row) for row in grouped.sort_by("folder").to_pylist())
        held = parts.listed(self.layout.raw)
        late = {part.name for part in index.missing(self.layout.raw, self.layout.facts)}
        return ArchiveStatus(
            path=self.path,
            messages=table.num_rows,
            bytes=int(pa.compute.sum(table.column("size")).as_py() or 0),
            stored=sum(path.stat().st_size for path in self.path.rglob("*.parquet")),
            parts=len(held),
            indexed=sum(parts.opened(p).metadata.num_rows for p in held if p.name not in late),
            folders=folders,
            pulling=pulling.heard(self.path),
        )


def _folder_status(row: dict[str, Any]) -> FolderStatus:
    return FolderStatus(
        account=row["account"],
        folder=row["folder"],
        uidvalidity=row["uidvalidity"],
        messages=row["size_count"],
        present=int(row["present_sum"] or 0),
        bytes=row["size_sum"],
        oldest=row["internaldate_min"],
        newest=row["internaldate_max"],
    )


def _make(path: Path, marker: Path, create: bool) -> None:
    if not create:
        cure = "Pull one: mailml pull" if not path.exists() else "Name the folder that `mailml pull` made"
        raise ArchiveError("there is no archive here", where=str(path), cure=cure)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise ArchiveError(
                "the folder holds something else", where=str(path), cure="Name an empty folder"
            )
        # Mail is private: whoever shares the machine sees nothing of it.
        path.chmod(0o700)
        temporary = marker.with_suffix(".tmp")
        temporary.write_text(json.dumps({"format": FORMAT}) + "\n", "utf-8")
        temporary.rename(marker)
    except OSError as error:
        raise ArchiveError(f"the folder cannot be made: {error.strerror}", where=str(path)) from error
