"""Folders as servers list them, and what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What servers call these folders that do not say SPECIAL-USE (RFC 6154); compared in lower case.
_BY_NAME = {
    "\\Drafts": {"drafts", "entwürfe", "brouillons"},
    "\\Junk": {"junk", "spam", "junk email", "junk e-mail", "bulk mail"},
    "\\Sent": {"sent", "sent items", "sent mail", "sent messages"},
    "\\Trash": {"trash", "deleted items", "deleted messages", "bin"},
}
_SPECIAL = {
    flag.lower(): flag
    for flag in ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")
}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the server: its name in Unicode, separator, and special use ("" or e.g. "\\Sent")."""

    name: str
    delimiter: str = "/"
    special_use: str = ""
    selectable: bool = True


def folder_of(flags: Sequence[bytes], delimiter: bytes | None, name: str) -> Folder:
    told = {flag.decode("ascii", "replace").lower() for flag in flags}
    special = next((_SPECIAL[flag] for flag in sorted(told) if flag in _SPECIAL), "")
    separator = (delimiter or b"").decode("ascii", "replace")
    if not special:
        last = (name.rsplit(separator, 1)[-1] if separator else name).lower()
        special = next((use for use, names in _BY_NAME.items() if last in names), "")
    return Folder(name, separator, special, not told & {"\\noselect", "\\nonexistent"})
