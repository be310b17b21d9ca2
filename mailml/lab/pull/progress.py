"""How far a pull is: count, megabytes and time left, in a terminal, in a notebook, or to a function.

What is shown is plain text everywhere: folder names come from a server, and markup in one must stay text.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mailml.archive.status import megabytes

Show = Callable[["Progress"], None]
EVERY = 0.25  # seconds between two pictures


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
        pace = megabytes(int(self.bytes / self.seconds)) if self.seconds > 0 else "0 MB"
        return f"{self.done:,} of {self.total:,} messages, {megabytes(self.bytes)}, {pace}/s{eta}  {place}"


class Meter:
    """Counts, and shows a picture a few times a second."""

    def __init__(self, show: Show | None) -> None:
        self._show = show
        self._started = self._shown = time.monotonic()
        self.account = self.folder = ""
        self.done = self.total = self.bytes = 0

    def expect(self, messages: int) -> None:
        """So many more are to come."""
        self.total += messages

    def enter(self, account: str, folder: str) -> None:
        """The next folder begins."""
        self.account, self.folder = account, folder

    def add(self, size: int) -> None:
        """One message of `size` bytes has come."""
        self.done += 1
        self.bytes += size
        # The clock is asked for every 32nd message: 20,000 looks at it are not free.
        if self._show is not None and (self.done & 31 == 0 or size > 1_000_000):
            now = time.monotonic()
            if now - self._shown >= EVERY:
                self._shown = now
                self._show(self.now())

    def finish(self) -> None:
        """Shows the last picture."""
        if self._show is not None:
            self._show(self.now())

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
