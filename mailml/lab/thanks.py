"""Messages of an archive that are a mere "thank you": they wait for nobody and restart no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mailml.text.thanks import LONGEST, is_thanks

if TYPE_CHECKING:
    from mailml.archive import Archive

__all__ = ["LONGEST", "is_thanks", "thanks_in"]

# a rule editor replays one archive again and again; its texts do not change
_SEEN: WeakKeyDictionary[Any, tuple[int, frozenset[str]]] = WeakKeyDictionary()


def thanks_in(archive: Archive) -> frozenset[str]:
    """The SHA-256 of every message of the archive that only says thank you."""
    import pyarrow.compute as pc

    # only short texts leave the archive: all the words of a large one are gigabytes
    known = _SEEN.get(archive)
    if known is not None and known[0] == len(archive):
        return known[1]
    short = pc.utf8_length(pc.field("own")) <= LONGEST
    found = archive.table(columns=["sha256", "own"], filter=short).to_pydict()
    thanks = frozenset(sha for sha, own in zip(found["sha256"], found["own"], strict=True) if is_thanks(own))
    _SEEN[archive] = len(archive), thanks
    return thanks
