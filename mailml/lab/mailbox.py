"""The mailbox a notebook works on: the made-up sample, or the reader's own by the name of an account."""

from __future__ import annotations

import os
from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from mailml.bundle import Desk
from mailml.bundle import desk as desks
from mailml.errors import InputError
from mailml.lab.folders import is_sent
from mailml.lab.sample_archive import ACCOUNT, sample_archive
from mailml.lab.sample_bundle import sample_desk

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.transport.account import Account

_RARE = 0.02  # of the sent mail: an address seen less often is somebody's slip, not the desk's


def mailbox(
    account: str = "",
    folder: str | os.PathLike[str] = "work",
    *,
    settings: str | os.PathLike[str] = "mailml.toml",
    messages: int = 3000,
) -> Archive:
    """The archive a notebook works on, brought up to date.

    An empty `account` is the made-up sample with its hostile mails, in `folder`/archive. A name is an
    `[account.NAME]` of the settings file: what is new on its server is pulled into `folder`/NAME, read-only.
    Raises InputError for a name the file has not, and what `lab.pull` raises.
    """
    if not account:
        return sample_archive(Path(folder) / "archive", messages=messages, hostile=True)
    from mailml.archive import Archive
    from mailml.lab.pull import pull

    place = Path(folder) / account
    pull(own_account(account, settings), place)
    return Archive.open(place)


def own_account(name: str, settings: str | os.PathLike[str] = "mailml.toml") -> Account:
    """The account of that name in the settings file; InputError names those that are there."""
    from mailml.transport.account import load

    known = load(Path(settings))
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(known) or 'none'}"
        raise InputError(f"no account {name!r:.60}", where=str(settings), cure=hint)
    return known[name]


def first_desk(archive: Archive, path: str | os.PathLike[str] = "desk.toml") -> Desk:
    """The desk to start from: the file at `path` if it is there, the sample's for the sample mailbox.

    For other mailboxes a desk is made from the addresses that sent mail comes from, with office hours in UTC;
    `print(desk.source)` shows what to write into the file. Raises InputError when nothing was ever sent.
    """
    if Path(path).exists():
        return desks.load(Path(path))
    if is_sample(archive):
        return sample_desk()
    rows = archive.table(columns=["folder", "from_addr"]).to_pylist()
    senders = Counter(row["from_addr"] for row in rows if is_sent(row["folder"]) and "@" in row["from_addr"])
    least = _RARE * senders.total()
    addresses = [address for address, count in senders.most_common(20) if count >= least]
    if not addresses:
        raise InputError(
            "nobody knows which addresses are yours: there is no sent mail in the archive",
            where=str(archive.path),
            cure=f"Write your addresses into {path}, or pull the Sent folder",
        )
    return desks.default(*addresses, primary=addresses[0])


def is_sample(archive: Archive) -> bool:
    """Whether the archive holds the made-up sample and nothing else."""
    return set(archive.table(columns=["account"]).column("account").unique().to_pylist()) <= {ACCOUNT}
