"""Where each message has been seen, pull after pull: the trail from which agents' moves are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import TYPE_CHECKING, Any

from mailml.archive import parts
from mailml.lab.folders import is_junk, is_sent, is_trash, leaf

if TYPE_CHECKING:
    from mailml.archive import Archive

_COLUMNS = ("account", "folder", "uidvalidity", "uid", "sha256", "present")


@dataclass(frozen=True, slots=True)
class Place:
    """One sighting: the folder, its UID there, in which part of the archive, and whether it is there now."""

    account: str
    folder: str
    uidvalidity: int
    uid: int
    part: int
    present: bool


@dataclass(frozen=True, slots=True)
class Trail:
    """The sightings of one message, in the order in which they were pulled."""

    message: str
    places: tuple[Place, ...]

    @property
    def now(self) -> tuple[Place, ...]:
        """Where it lies now, INBOX only when nowhere else."""
        here = tuple(place for place in self.places if place.present)
        filed = tuple(place for place in here if place.folder.upper() != "INBOX")
        return filed or here

    @property
    def before(self) -> Place | None:
        """Where it was seen last before it came to where it lies now."""
        past = [place for place in self.places if not place.present]
        return past[-1] if past else None

    @property
    def discarded(self) -> bool:
        """Whether somebody put it into Trash or Junk, and it lies there or is gone."""
        last = self.now or self.places[-1:]
        return any(is_trash(place.folder) or is_junk(place.folder) for place in last)


def trails(archive: Archive) -> Iterator[Trail]:
    """The trail of every message that is not ours, by its SHA-256."""
    rows = archive.table(columns=list(_COLUMNS)).to_pylist()
    seen = [(row["sha256"], _place(row, part)) for row, part in zip(rows, _parts(archive), strict=True)]
    seen.sort(key=lambda pair: pair[0])  # stable: within a message the order of the pulls stays
    for message, pairs in groupby(seen, key=lambda pair: pair[0]):
        places = tuple(place for _, place in pairs)
        if not any(is_sent(place.folder) or leaf(place.folder).casefold() == "drafts" for place in places):
            yield Trail(message, places)


def _parts(archive: Archive) -> Iterator[int]:
    """For every row of the archive's table the number of its part: one pull writes parts of its own."""
    for part in parts.listed(archive.layout.raw):
        yield from repeat(part.number, parts.opened(part).metadata.num_rows)


def _place(row: dict[str, Any], part: int) -> Place:
    keys = row["account"], row["folder"], row["uidvalidity"], row["uid"]
    return Place(*keys, part=part, present=bool(row["present"]))
