"""What a pull did, per folder."""

from __future__ import annotations

from dataclasses import dataclass

from mailml.archive.amounts import amount
from mailml.errors import TransportError


@dataclass(frozen=True, slots=True)
class FolderReport:
    """One folder. `known` counts what was there already; `bytes` are of the new messages.

    `uidvalidity_changed`: the server gave the folder a new life, so everything in it came again under new
    keys; the old rows stay. `changed` are messages with other flags than before, `gone` those that left the
    folder, `refused` those the server would not hand out (they are asked for again next time).
    `error` says why a folder could not be opened.
    """

    account: str
    folder: str
    new: int
    bytes: int
    known: int
    uidvalidity_changed: bool = False
    changed: int = 0
    gone: int = 0
    refused: tuple[int, ...] = ()
    error: str = ""

    def remarks(self) -> str:
        """What is worth saying beside the numbers, in words."""
        told = [self.error] if self.error else []
        if self.uidvalidity_changed:
            told.append("UIDVALIDITY has changed: everything came again under new keys, the old rows stay")
        if self.changed:
            told.append(f"{self.changed:,} with other flags")
        if self.gone:
            told.append(f"{self.gone:,} left the folder")
        if self.refused:
            told.append(f"{len(self.refused):,} not handed out by the server (UID {self.refused[0]} …)")
        return "; ".join(told)


@dataclass(frozen=True, slots=True)
class PullReport:
    """All folders of a pull; `failed` are accounts that could not be pulled, with the error."""

    folders: tuple[FolderReport, ...]
    seconds: float
    failed: tuple[tuple[str, TransportError], ...] = ()

    @property
    def new(self) -> int:
        """Messages that were not in the archive before."""
        return sum(folder.new for folder in self.folders)

    @property
    def bytes(self) -> int:
        """Bytes of the new messages."""
        return sum(folder.bytes for folder in self.folders)

    def __str__(self) -> str:
        head = (
            f"{self.new:,} new messages, {amount(self.bytes)}, from {len(self.folders)} folders "
            f"in {self.seconds:.1f} s"
        )
        width = max((len(f"{f.account}/{f.folder}") for f in self.folders), default=0)
        lines = []
        for report in self.folders:
            name = f"{report.account}/{report.folder}"
            line = f"  {name:<{width}}  {report.new:>8,} new  {report.known:>8,} known  {report.remarks()}"
            lines.append(line.rstrip())
        return "\n".join([head, *lines, *(f"  {name}: {error}" for name, error in self.failed)])
