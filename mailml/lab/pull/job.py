"""A pull that goes on by itself: closing or reloading the tab, or running other cells, does not touch it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from mailml.archive import Archive
from mailml.errors import MailmlError
from mailml.lab.escape import esc
from mailml.lab.pull.progress import Progress
from mailml.lab.pull.puller import pull
from mailml.lab.pull.report import PullReport
from mailml.lab.pull.stopping import PullStopped
from mailml.transport.account import Account

_running: dict[Path, PullJob] = {}
_guard = threading.Lock()


class PullJob:
    """A pull in the kernel's background. `progress`, `report` and `error` say how it stands.

    A kernel that is restarted interrupts it; the next pull goes on from what is there.
    """

    def __init__(
        self, accounts: Account | list[Account], archive: Archive, folders: list[str] | None
    ) -> None:
        self.archive = archive
        self.progress: Progress | None = None
        self.report: PullReport | None = None
        self.error: MailmlError | OSError | None = None
        self.stopped = False
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(accounts, folders), name=f"pull into {archive.path}", daemon=True
        )
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def stop(self, timeout: float | None = None) -> bool:
        """Interrupt it at the next message; what has come is kept. Returns whether it has ended."""
        self._stop.set()
        return self.wait(timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for its end, at most `timeout` seconds; returns whether it has ended."""
        self._thread.join(timeout)
        return not self.running

    def __str__(self) -> str:
        if self.running:
            return f"pulling: {self.progress or 'connecting …'}"
        if self.error is not None:
            return f"the pull failed: {self.error}"
        if self.stopped:
            return f"interrupted at {self.progress or 'the start'}. Run the cell again and it goes on."
        return str(self.report)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{esc(str(self))}</pre>"

    def _run(self, accounts: Account | list[Account], folders: list[str] | None) -> None:
        try:
            self.report = pull(accounts, self.archive, folders, self._show, stop=self._stop.is_set)
        except PullStopped:
            self.stopped = True
        except (MailmlError, OSError) as error:
            self.error = error

    def _show(self, progress: Progress) -> None:
        self.progress = progress


def pull_job(
    account: Account | Iterable[Account],
    archive: str | Path | Archive,
    folders: str | Iterable[str] | None = None,
) -> PullJob:
    """`pull` in the background: the notebook stays free, and a reloaded tab finds the job again.

    While a job is at work on an archive, calling this again gives that same job: running the cell after a
    reload attaches to it. `archive.status()` shows it as well, from any kernel or terminal. `job.stop()`
    interrupts; a later pull goes on from there. What `pull` would raise is in `job.error`.
    """
    store = archive if isinstance(archive, Archive) else Archive.open(archive, create=True)
    accounts = account if isinstance(account, Account) else list(account)
    names = [folders] if isinstance(folders, str) else list(folders) if folders is not None else None
    place = store.path.resolve()
    with _guard:
        known = _running.get(place)
        if known is None or not known.running:
            known = _running[place] = PullJob(accounts, store, names)
        return known
