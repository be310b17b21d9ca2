"""What is in an archive already: the sync state, derived from the parts and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mailml.archive import parts
from mailml.archive.layout import Layout
from mailml.archive.rows import Key, News


@dataclass(slots=True)
class FolderKnown:
    """What is known of one folder: UIDs by UIDVALIDITY, and what later pulls saw."""

    uids: dict[int, set[int]] = field(default_factory=dict)
    latest: int = 0  # the UIDVALIDITY seen last
    modseq: int = 0  # flags are known up to here, within `latest`
    gone: set[int] = field(default_factory=set)  # UIDs of `latest` that have left the folder

    def current(self) -> set[int]:
        """The UIDs known under the UIDVALIDITY seen last."""
        return self.uids.get(self.latest, set())


class Known:
    """The keys of every message here, by account and folder."""

    def __init__(self) -> None:
        self.folders: dict[tuple[str, str], FolderKnown] = {}

    @classmethod
    def read(cls, layout: Layout) -> Known:
        """Reads the key columns of all parts, in the order they were written."""
        known = cls()
        both = [*parts.listed(layout.raw), *parts.listed(layout.state)]
        for part in sorted(both, key=lambda part: (part.number, part.name)):
            if part.path.parent == layout.raw:
                known._add_part(part)
            else:
                for news in read_news(part):
                    known.note(news)
        return known

    def _add_part(self, part: parts.Part) -> None:
        table = parts.read(part, ["account", "folder", "uidvalidity", "uid"])
        grouped = table.group_by(["account", "folder", "uidvalidity"], use_threads=False).aggregate(
            [("uid", "list")]
        )
        for row in grouped.to_pylist():
            self._epoch(row["account"], row["folder"], row["uidvalidity"]).update(row["uid_list"])

    def _epoch(self, account: str, folder: str, uidvalidity: int) -> set[int]:
        entry = self.folder(account, folder)
        if entry.latest != uidvalidity:
            # What was noted of flags and absences belongs to the UIDs of another life of this folder.
            entry.latest, entry.modseq, entry.gone = uidvalidity, 0, set()
        return entry.uids.setdefault(uidvalidity, set())

    def folder(self, account: str, folder: str) -> FolderKnown:
        """The entry of a folder, made on first sight."""
        entry = self.folders.get((account, folder))
        if entry is None:
            entry = self.folders[account, folder] = FolderKnown()
        return entry

    def add(self, key: Key) -> bool:
        """Notes a message; False when it was known already."""
        uids = self._epoch(*key[:3])
        if key[3] in uids:
            return False
        uids.add(key[3])
        return True

    def note(self, news: News) -> None:
        """Notes what a pull saw of a folder (uid 0) or of a message."""
        self._epoch(news.account, news.folder, news.uidvalidity)
        entry = self.folder(news.account, news.folder)
        if news.uid == 0:
            entry.modseq = news.modseq
        elif news.present:
            entry.gone.discard(news.uid)
        else:
            entry.gone.add(news.uid)


def read_news(part: parts.Part) -> Iterator[News]:
    """The news of a state part, in the order they were seen."""
    for row in parts.read(part).to_pylist():
        yield News(**{**row, "flags": tuple(row["flags"].split())})


def news_table(news: Iterable[News], pa: Any, schema: Any) -> Any:
    """News as the table of a state part."""
    rows = [
        {name: getattr(item, name) for name in schema.names} | {"flags": " ".join(item.flags)}
        for item in news
    ]
    return pa.Table.from_pylist(rows, schema=schema)
