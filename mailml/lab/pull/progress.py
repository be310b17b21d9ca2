"""How far a pull is: count, megabytes and time left, in a terminal, in a notebook, or to a function.

What is shown is plain text everywhere: folder names come from a server, and markup in one must stay text.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailml.archive.amounts import amount
from mailml.archive.pulling import Pulling, say, silence
from mailml.lab.pull.stopping import PullStopped

Show = Callable[["Progress"], None]
EVERY = 0.25  # seconds between two pictures
SAY_EVERY = 1.0  # seconds between two notes in the archive


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a pull. `total` counts what is known to come; `seconds` since it began."""

    account: str
    folder: str
    done: int
    total: int
    bytes: int
    seconds: float

    @property
    def eta(self) -> float | None:
        """Seconds left at the pace so far; None before the first message."""
        if not self.done or self.seconds <= 0:
            return None
        return max(0, self.total - self.done) * self.seconds / self.done

    def __str__(self) -> str:
        eta = "" if self.eta is None else f", {_clock(self.eta)} left"
        place = "".join(c if c.isprintable() else "?" for c in f"{self.account}/{self.folder}")
        pace = amount(int(self.bytes / self.seconds) if self.seconds > 0 else 0)
        return f"{self.done:,} of {self.total:,} messages, {amount(self.bytes)}, {pace}/s{eta}  {place}"


class Meter:
    """Counts, shows a picture a few times a second, and tells the archive how far it is."""

    def __init__(
        self, show: Show | None, archive: Path | None = None, stop: Callable[[], bool] | None = None
    ) -> None:
        self._show, self._archive, self._stop = show, archive, stop
        self._started = self._shown = self._said = time.monotonic()
        self.account = self.folder = ""
        self.done = self.total = self.bytes = 0

    def expect(self, messages: int) -> None:
        """So many more are to come."""
        self.total += messages

    def enter(self, account: str, folder: str) -> None:
        """The next folder begins."""
        self.account, self.folder = account, folder
        self._tell()

    def add(self, size: int) -> None:
        """One message of `size` bytes has come."""
        self.done += 1
        self.bytes += size
        if self._stop is not None and self._stop():
            self._show_now()
            self._tell()
            raise PullStopped
        # The clock is asked for every 32nd message: 20,000 looks at it are not free.
        if self.done & 31 == 0 or size > 1_000_000:
            now = time.monotonic()
            if now - self._shown >= EVERY:
                self._shown = now
                self._show_now()
            if now - self._said >= SAY_EVERY:
                self._tell()

    def sleep(self, seconds: float) -> None:
        """Wait, hearing a wish to stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stop is not None and self._stop():
                raise PullStopped
            time.sleep(min(left, 0.2))

    def finish(self) -> None:
        """Shows the last picture; the archive forgets the pull."""
        self._show_now()
        if self._archive is not None:
            silence(self._archive)

    def _show_now(self) -> None:
        if self._show is not None:
            self._show(self.now())

    def _tell(self) -> None:
        self._said = time.monotonic()
        if self._archive is not None:
            say(self._archive, Pulling(self.account, self.folder, self.done, self.total, self.bytes))

    def now(self) -> Progress:
        """This moment."""
        seconds = time.monotonic() - self._started
        return Progress(self.account, self.folder, self.done, self.total, self.bytes, seconds)


@contextlib.contextmanager
def shown(progress: bool | Show | None) -> Iterator[Show | None]:
    """The way to show progress: the caller's function, rich in a terminal, a text that renews itself in a
    notebook; nothing with False, and nothing by itself where nobody is watching."""
    if callable(progress):
        yield progress
    elif progress is False:
        yield None
    elif in_notebook():
        yield _notebook()
    elif sys.stderr.isatty():
        with _terminal() as show:
            yield show
    else:
        yield _lines() if progress else None


def in_notebook() -> bool:
    """Whether this process is a Jupyter kernel."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def _notebook() -> Show:
    import IPython.display

    display: Any = IPython.display.display
    handle = display({"text/plain": "connecting …"}, raw=True, display_id=True)

    def show(progress: Progress) -> None:
        # text/plain only: a folder called <img onerror=…> stays a name.
        handle.update({"text/plain": str(progress)}, raw=True)

    return show


@contextlib.contextmanager
def _terminal() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    text = TextColumn("{task.description}", markup=False)
    with Bar(BarColumn(bar_width=24), text, console=Console(stderr=True)) as bar:
        task = bar.add_task("connecting …", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, description=str(progress), completed=progress.done, total=max(progress.total, 1))

        yield show


def _lines() -> Show:
    last = [0.0]

    def show(progress: Progress) -> None:
        if progress.seconds - last[0] >= 5 or progress.done == progress.total:
            last[0] = progress.seconds
            print(progress, file=sys.stderr, flush=True)

    return show


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
