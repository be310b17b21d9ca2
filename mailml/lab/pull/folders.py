"""Which folders are pulled, and what is new in each."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailml.archive import Writer
from mailml.archive.overlay import flags_of
from mailml.archive.rows import News
from mailml.errors import FolderError
from mailml.lab.pull.report import FolderReport
from mailml.transport.account import Account
from mailml.transport.imap import Folder, ImapSession

# Trash, junk and drafts are nobody's answer; Gmail's "All Mail" and "Starred" show every message once more.
LEFT_OUT = frozenset({"\\Trash", "\\Junk", "\\Drafts", "\\All", "\\Flagged", "\\Important"})


def chosen(folders: Iterable[Folder], wanted: list[str] | None, account: Account) -> list[str]:
    """The names of the folders to pull; raises FolderError for a name or glob that fits none."""
    selectable = [folder for folder in folders if folder.selectable]
    if wanted is None:
        return [folder.name for folder in selectable if folder.special_use not in LEFT_OUT]
    names = [folder.name for folder in selectable]
    picked: dict[str, None] = {}
    for pattern in wanted:
        fitting = [name for name in names if _fits(name, pattern)]
        if not fitting:
            near = difflib.get_close_matches(pattern, names, 1, 0.5)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise FolderError(
                f"no folder is called {pattern!r}",
                where=account.where,
                cure=f"{meant}The folders are: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}",
            )
        picked.update(dict.fromkeys(fitting))
    return list(picked)


def _fits(name: str, pattern: str) -> bool:
    # INBOX is the one name IMAP compares without case (RFC 3501 5.1). A name that is there wins over a glob.
    if name == pattern or name.upper() == pattern.upper() == "INBOX":
        return True
    return re.fullmatch(fnmatch.translate(pattern), name) is not None


@dataclass(slots=True)
class Job:
    """One folder's work: the UIDs to fetch, and what was seen of the others."""

    folder: str
    uidvalidity: int = 0
    known: int = 0
    todo: list[int] = field(default_factory=list)
    uidvalidity_changed: bool = False
    modseq: int = 0
    news: list[News] = field(default_factory=list)
    new: int = 0
    bytes: int = 0
    refused: list[int] = field(default_factory=list)
    error: str = ""

    def note(self, writer: Writer, account: str) -> None:
        """Keeps what was seen, once the folder is done: a pull that breaks off must look again."""
        for item in self.news:
            writer.note(item)
        entry = writer.known.folder(account, self.folder)
        if entry.latest != self.uidvalidity or entry.modseq != self.modseq:
            writer.note(News(account, self.folder, self.uidvalidity, 0, modseq=self.modseq))

    def report(self, account: str) -> FolderReport:
        """What became of it."""
        return FolderReport(
            account,
            self.folder,
            self.new,
            self.bytes,
            self.known,
            self.uidvalidity_changed,
            changed=sum(item.present for item in self.news),
            gone=sum(not item.present for item in self.news),
            refused=tuple(self.refused),
            error=self.error,
        )


def plan(session: ImapSession, account: str, folder: str, writer: Writer) -> Job:
    """Opens a folder read-only and compares it with the archive.

    The server's whole list of UIDs is asked for, not only those above the last one: it is one round trip as
    well, heals gaps that a refused message or a deleted part left, and tells what has left the folder.
    """
    opened = session.examine(folder)
    entry = writer.known.folder(account, folder)
    changed = bool(entry.uids) and entry.latest != opened.uidvalidity
    known = entry.uids.get(opened.uidvalidity, set())
    there = session.uids() if opened.exists else []
    job = Job(
        folder,
        opened.uidvalidity,
        known=len(known),
        todo=[uid for uid in there if uid not in known],
        uidvalidity_changed=changed,
        modseq=opened.highestmodseq,
    )
    if known and not changed:
        left = known.difference(there) - entry.gone
        job.news += [News(account, folder, opened.uidvalidity, uid, present=False) for uid in sorted(left)]
        job.news += _flag_news(session, account, job, known.intersection(there), entry.modseq, writer)
    return job


def _flag_news(
    session: ImapSession, account: str, job: Job, known: set[int], since: int, writer: Writer
) -> list[News]:
    if not known or (since and since == job.modseq):
        return []  # nothing has changed: CONDSTORE says so in the answer to EXAMINE
    if since and job.modseq:
        seen = [item for item in session.flags_changed_since(since) if item.uid in known]
    else:
        seen = list(session.fetch_flags(sorted(known)))
    before = flags_of(writer.layout, account, job.folder, job.uidvalidity) if seen else {}
    return [
        News(account, job.folder, job.uidvalidity, item.uid, flags=item.flags)
        for item in seen
        if before.get(item.uid) != item.flags
    ]
