"""What the inspectors read: files, folders of files, and archives, one item per message, in a fixed order."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailml.errors import InputError
from mailml.files import read_bytes, readable
from mailml.message import Message


@dataclass(frozen=True, slots=True)
class Source:
    """One message to inspect: its name, and its raw bytes or the error that kept them back."""

    name: str
    raw: bytes = b""
    error: str = ""
    received: datetime | None = None
    mailbox: str = ""


def read(paths: list[Path], *, lenient: bool = False) -> Iterator[Source]:
    """Yield every message below the paths: files as given, folders in name order, archives by arrival.

    A path that does not exist raises InputError before anything is read, unless `lenient`; a file that cannot
    be read becomes a `Source` with its error, so that the count of lines always equals the count of files.
    """
    for path in paths:
        if not lenient and not path.exists():
            raise InputError("no such file or folder", where=str(path), cure="Check the spelling of the path")
    for path in paths:
        if not path.exists():
            yield Source(readable(str(path)), error="no such file or folder")
        elif is_archive(path):
            yield from _counted(path, _archive(path))
        elif path.is_dir():
            files = sorted(item for item in path.rglob("*") if item.is_file())
            yield from _counted(path, map(_file, files))
        else:
            yield _file(path)


def _counted(path: Path, found: Iterable[Source]) -> Iterator[Source]:
    """The same messages; that there is none is said on standard error, where no JSON Lines go."""
    count = 0
    for count, source in enumerate(found, 1):  # noqa: B007 - the last number is the count
        yield source
    if not count:
        print(f"mailml: no message is in {readable(str(path))}", file=sys.stderr)


def is_archive(path: Path) -> bool:
    """Whether the folder is an archive made by `mailml pull`."""
    return (path / "archive.json").is_file()


def received_at(source: Source, message: Message) -> datetime:
    """When the mail arrived: the archive's INTERNALDATE, else the topmost Received, else Date, else 1970.

    Never the clock: the same file must give the same decision tomorrow.
    """
    dates = (source.received, *message.received_dates[:1], message.date)
    return next((when for when in dates if when is not None), datetime(1970, 1, 1, tzinfo=UTC))


def _file(path: Path) -> Source:
    name = readable(str(path))
    try:
        return Source(name, read_bytes(path))
    except InputError as error:
        return Source(name, error=error.what.removeprefix("cannot be read: "))


def _archive(path: Path) -> Iterator[Source]:
    from mailml.archive import Archive

    for row, raw in Archive.open(path).messages():
        name = f"{readable(str(path))}/{row.account}/{row.folder};UIDVALIDITY={row.uidvalidity};UID={row.uid}"
        yield Source(name, raw, received=row.internaldate, mailbox=row.account)
