"""Files that a person named: read if ordinary, finite and, as text, text; told of where none can be written.

A FIFO would wait for ever and a device never end; each is refused in a sentence that says what it is.
"""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailml.errors import InputError

_ROOM = "Make room and run it again; what was there before is whole"
_CURES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: "Choose a folder that can be written",
}
_UNREAD = re.compile("[\udc80-\udcff]+")  # what Python makes of bytes of a name that the locale does not know
SETTINGS = 16_000_000  # bytes; no file of settings is larger
_SORTS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
    (stat.S_ISSOCK, "is a socket"),
)


def read_bytes(path: str | Path, most: int = 0) -> bytes:
    """The bytes of an ordinary file, at most `most` of them (0: any number). Raises InputError."""
    path = Path(path)
    try:
        known = path.stat()
        for asks, what in _SORTS:
            if asks(known.st_mode):
                raise InputError(f"cannot be read: it {what}", where=str(path), cure="Name a file")
        if most and known.st_size > most:
            what = f"cannot be read: it has {known.st_size:,} bytes, more than {most:,}"
            raise InputError(what, where=str(path), cure="Is it the right file?")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("cannot be read: there is no such file", where=str(path)) from error
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"cannot be read: {why}", where=str(path)) from error


def read_text(path: str | Path, most: int = SETTINGS) -> str:
    """The text of an ordinary file in UTF-8, with or without a byte-order mark. Raises InputError."""
    raw = read_bytes(path, most)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf16 = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        what = "it is UTF-16" if utf16 else f"byte {error.start} is not UTF-8 text"
        raise InputError(f"cannot be read: {what}", where=str(path), cure="Save it as UTF-8") from error


def readable(text: str) -> str:
    """The text with names of files as they were written, in UTF-8, also where the locale is C or Latin."""
    return _UNREAD.sub(lambda run: run[0].encode("utf-8", "surrogateescape").decode("utf-8", "replace"), text)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Within the block an error of the system names this path: of a full disk it would name none."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def told(error: OSError) -> str:
    """What the system could not do, as a sentence that names the file and, where there is one, the cure."""
    why = error.strerror or str(error) or type(error).__name__
    said = f"{error.filename}: {why[:1].lower()}{why[1:]}" if error.filename else why
    return f"{said}. {_CURES[error.errno]}" if error.errno in _CURES else said
