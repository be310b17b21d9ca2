"""Folders as servers list them, and what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

# What servers call these folders that do not say SPECIAL-USE (RFC 6154); compared in lower case.
_BY_NAME = {
    "\\Drafts": {"drafts", "entwürfe", "brouillons"},
    "\\Junk": {"junk", "spam", "junk email", "junk e-mail", "bulk mail"},
    "\\Sent": {"sent", "sent items", "sent mail", "sent messages"},
    "\\Trash": {"trash", "deleted items", "deleted messages", "bin"},
}
_SPECIAL = {
    flag.lower(): flag
    for flag in ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the server: its name in Unicode, separator, and special use ("" or e.g. "\\Sent")."""

    name: str
    delimiter: str = "/"
    special_use: str = ""
    selectable: bool = True


def folder_of(flags: Sequence[bytes], delimiter: bytes | None, name: str) -> Folder:
    """One line of LIST: what the server says of the folder, nothing guessed."""
    told = {flag.decode("ascii", "replace").lower() for flag in flags}
    special = next((_SPECIAL[flag] for flag in sorted(told) if flag in _SPECIAL), "")
    separator = (delimiter or b"").decode("ascii", "replace")
    return Folder(name, separator, special, not told & {"\\noselect", "\\nonexistent"})


def guessed(folders: Sequence[Folder]) -> list[Folder]:
    """The folders with a special use by their name, for each use the server names no folder for.

    Only at the top (or right under INBOX, where some servers keep everything): "Queues/Spam" is a queue.
    """
    told = {folder.special_use for folder in folders}
    return [
        replace(folder, special_use=use)
        if not folder.special_use and (use := _by_name(folder)) not in told
        else folder
        for folder in folders
    ]


def _by_name(folder: Folder) -> str:
    name = folder.name.lower()
    if folder.delimiter:
        name = name.removeprefix(f"inbox{folder.delimiter}")
    return next((use for use, names in _BY_NAME.items() if name in names), "")


def rights_to(client: Any, folder: str) -> str:
    """The answer to MYRIGHTS, which imapclient does not ask."""
    told: bytes = client._command_and_check("myrights", client._normalise_folder(folder), unpack=True)
    return told.split()[-1].decode("ascii", "replace")
