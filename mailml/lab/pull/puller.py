"""A pull over accounts and folders.

Folders are opened with EXAMINE and bodies read with BODY.PEEK: no flag changes, and there is no code here
that could send or write. A pull that is killed anywhere goes on where it was at the next call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from mailml.archive import Archive, Writer
from mailml.errors import FolderError, InputError, TransportError
from mailml.lab.pull.folders import Job, chosen, plan
from mailml.lab.pull.progress import Meter, Progress, shown
from mailml.lab.pull.report import FolderReport, PullReport
from mailml.lab.pull.retry import Patience
from mailml.lab.pull.stream import fetch
from mailml.transport.account import Account
from mailml.transport.imap import ImapSession, connect


def pull(
    account: Account | Iterable[Account],
    archive: str | Path | Archive,
    folders: str | Iterable[str] | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
    *,
    stop: Callable[[], bool] | None = None,
) -> PullReport:
    """Pull what is new from one or several accounts into the archive (made where there is none).

    `folders` are names or globs ("Queues/*"); by default all but trash, junk, drafts and virtual ones.
    `progress` is shown in a terminal or notebook unless False; a function is called with Progress instead.
    `stop` is asked after every message: once it says True, PullStopped is raised and what has come is kept.

    A connection that breaks is opened again, with patience, and the pull goes on. Raises ConnectError,
    TLSError, AuthError or FolderError when an account cannot be pulled; of several accounts the others are
    pulled first, and the report names those that failed (all failing raises the first error).
    """
    accounts = [account] if isinstance(account, Account) else list(account)
    if not accounts:
        raise InputError("no account to pull from", cure="Name one in mailml.toml: [account.desk]")
    names = [a.name for a in accounts]
    if twice := {name for name in names if names.count(name) > 1}:
        # Keys hold the account's name: two mailboxes under one would be taken for the same messages.
        raise InputError(f"two accounts have the name {sorted(twice)[0]!r}", cure="Name each account once")
    store = archive if isinstance(archive, Archive) else Archive.open(archive, create=True)
    wanted = [folders] if isinstance(folders, str) else list(folders) if folders is not None else None
    return _pull_all(accounts, store, wanted, progress, stop)


def _pull_all(
    accounts: list[Account],
    store: Archive,
    wanted: list[str] | None,
    progress: bool | Callable[[Progress], None] | None,
    stop: Callable[[], bool] | None,
) -> PullReport:
    started = time.monotonic()
    reports: list[FolderReport] = []
    failed: list[tuple[str, TransportError]] = []
    with shown(progress) as show, store.writer() as writer:
        meter = Meter(show, store.path, stop)
        for account in accounts:
            try:
                reports += _Puller(account, writer, meter).run(wanted)
            except TransportError as error:
                failed.append((account.name, error))
        meter.finish()
    if len(failed) == len(accounts):
        raise failed[0][1]
    return PullReport(tuple(reports), time.monotonic() - started, tuple(failed))


class _Puller:
    """One account: its connection, opened again when it breaks, and its folders one after the other."""

    def __init__(self, account: Account, writer: Writer, meter: Meter) -> None:
        self.account, self.writer, self.meter = account, writer, meter
        self.patience = Patience(meter.sleep)
        self.session: ImapSession | None = None

    def run(self, wanted: list[str] | None) -> list[FolderReport]:
        try:
            # The first connection is not tried again: a wrong host or password is for a person to correct.
            self.session = connect(self.account)
            jobs = self.patience.keep_trying(lambda: self._plan(wanted), self._reconnect)
            self.meter.expect(sum(len(job.todo) for job in jobs))
            return [self._pull(job) for job in jobs]
        finally:
            if self.session is not None:
                self.session.close()

    def _reconnect(self) -> None:
        if self.session is not None:
            self.session.close()
        self.session = connect(self.account)

    def _open(self) -> ImapSession:
        assert self.session is not None
        return self.session

    def _plan(self, wanted: list[str] | None) -> list[Job]:
        session = self._open()
        names = chosen(session.folders(), wanted, self.account)
        return [self._plan_one(name, named=wanted is not None) for name in names]

    def _plan_one(self, name: str, *, named: bool) -> Job:
        try:
            return plan(self._open(), self.account.name, name, self.writer)
        except FolderError as error:
            if named:
                raise
            # A folder somebody shared and took the rights of must not keep the others back.
            return Job(name, error=str(error))

    def _pull(self, job: Job) -> FolderReport:
        self.meter.enter(self.account.name, job.folder)

        def attempt() -> None:
            nonlocal job
            session = self._open()
            is_open = session.selected is not None and session.selected.folder == job.folder
            if not is_open and session.examine(job.folder).uidvalidity != job.uidvalidity:
                # The UIDs that were planned mean other messages now.
                job = plan(session, self.account.name, job.folder, self.writer)
            fetch(session, job, self.account.name, self.writer, self._one_more)

        if job.todo:
            self.patience.keep_trying(attempt, self._reconnect)
        if not job.error:
            job.note(self.writer, self.account.name)
        return job.report(self.account.name)

    def _one_more(self, size: int) -> None:
        self.patience.rewarded()
        self.meter.add(size)
