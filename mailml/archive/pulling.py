"""What a pull says of itself in a small file of the archive: anybody who opens it sees how far it is.

The file is a courtesy, not a state: a pull goes on from the messages that are there, whatever the file says.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mailml.archive.amounts import amount

_NAME = "pulling.json"


@dataclass(frozen=True, slots=True)
class Pulling:
    """The last pull: where it is or was, how much it has, and whether it still runs."""

    account: str
    folder: str
    done: int
    total: int
    bytes: int
    running: bool = False

    def __str__(self) -> str:
        place = "".join(c if c.isprintable() else "?" for c in f"{self.account}/{self.folder}")
        far = f"{self.done:,} of {self.total:,} messages, {amount(self.bytes)}, in {place}"
        if self.running:
            return f"a pull is running: {far}"
        return f"the last pull was interrupted: {far}. Pull again and it goes on from there"


def say(archive: Path, pulling: Pulling) -> None:
    """Write it down in one piece; a full disk is the pull's own business to tell."""
    new = archive / f"{_NAME}.{os.getpid()}"
    with contextlib.suppress(OSError):
        new.write_text(json.dumps(asdict(pulling)), encoding="utf-8")
        new.replace(archive / _NAME)


def silence(archive: Path) -> None:
    """The pull has come to its end."""
    (archive / _NAME).unlink(missing_ok=True)


def heard(archive: Path) -> Pulling | None:
    """What the last pull said, or None when it came to its end; `running` is read off the archive's lock."""
    try:
        said = Pulling(**json.loads((archive / _NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return Pulling(**{**asdict(said), "running": _locked(archive)})


def _locked(archive: Path) -> bool:
    """Whether a writer holds the archive; the kernel lets go of a lock with the process that held it."""
    try:
        handle = os.open(archive / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
