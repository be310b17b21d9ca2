"""One message of an archive: its key, what the server said of it, and where it stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

# A UID means something only within its folder and UIDVALIDITY (RFC 3501 2.3.1.1).
Key = tuple[str, str, int, int]  # account, folder, UIDVALIDITY, UID


class Arrival(NamedTuple):
    """A message as a server gave it, to be appended."""

    account: str
    folder: str
    uidvalidity: int
    uid: int
    raw: bytes
    internaldate: datetime | None = None
    flags: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What makes it this one."""
        return (self.account, self.folder, self.uidvalidity, self.uid)

    @property
    def sha256(self) -> str:
        """SHA-256 of the raw bytes, in hex."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """A message that is in the archive, without its bytes. `size` is in bytes, `internaldate` in UTC."""

    account: str
    folder: str
    uidvalidity: int
    uid: int
    internaldate: datetime | None
    flags: tuple[str, ...]
    size: int
    sha256: str

    @property
    def key(self) -> Key:
        """What makes it this one."""
        return (self.account, self.folder, self.uidvalidity, self.uid)


@dataclass(frozen=True, slots=True)
class News:
    """What a later pull saw of a message that is here already.

    `uid` 0 is about the folder itself: `modseq` is the HIGHESTMODSEQ up to which its flags are known, and
    `uidvalidity` the folder's current one.
    """

    account: str
    folder: str
    uidvalidity: int
    uid: int
    flags: tuple[str, ...] = ()
    present: bool = True
    modseq: int = 0
