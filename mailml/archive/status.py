"""What an archive holds, in numbers and in one table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailml.archive.amounts import amount
from mailml.archive.pulling import Pulling


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """One folder of one account. `messages` counts all, `present` those still there at the last pull."""

    account: str
    folder: str
    uidvalidity: int
    messages: int
    present: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class ArchiveStatus:
    """`bytes` are of the mail itself, `stored` what the archive takes on disk; `indexed` have their facts.

    `pulling` is a pull that runs now or was interrupted; None when the last one came to its end.
    """

    path: Path
    messages: int
    bytes: int
    stored: int
    parts: int
    indexed: int
    folders: tuple[FolderStatus, ...]
    pulling: Pulling | None = None

    @property
    def newest(self) -> datetime | None:
        """When the last message came."""
        return max((folder.newest for folder in self.folders if folder.newest), default=None)

    def __repr__(self) -> str:
        # a notebook shows this: the table, not every field of every folder
        return str(self)

    def __str__(self) -> str:
        parts = "1 part" if self.parts == 1 else f"{self.parts:,} parts"
        head = (
            f"{self.path}: {self.messages:,} messages, {amount(self.bytes)} of mail in "
            f"{amount(self.stored)} on disk ({parts})"
        )
        width = max((len(f"{f.account}/{f.folder}") for f in self.folders), default=0)
        lines = [
            f"  {f.account + '/' + f.folder:<{width}}  {f.messages:>9,}  {amount(f.bytes):>10}  "
            f"{_day(f.oldest)} to {_day(f.newest)}"
            for f in self.folders
        ]
        now = [f"  {self.pulling}"] if self.pulling else []
        return "\n".join([head, *now, *lines])


def _day(when: datetime | None) -> str:
    return when.date().isoformat() if when else "?"
