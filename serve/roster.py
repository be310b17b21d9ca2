"""Who does what: with a journal file one process does all; on PostgreSQL several routers share the work.

A *turn* is the right to do one thing: to watch a mailbox, to move a mailbox's mail, to decide, to send, to
keep time. With a file it is an flock for all of a kind. On PostgreSQL each is a session lock: mailboxes are
shared out evenly, and what a killed router held is taken over at the next look of the others.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from mailml.errors import InputError

from .bells import Bells
from .config import Config
from .journal import JournalError, postgres
from .journal.locks import Locks

# What one process may do for a journal; each part is done by one process only.
PARTS = ("watch", "work", "send", "clock")
LOOK_SECONDS = 1.0
_PER_MAILBOX = ("watch", "move")  # kinds of turns of which there is one for each mailbox


def turns(mailboxes: Collection[str], parts: Collection[str]) -> list[str]:
    """The turns of a process that takes on these parts."""
    found = [f"watch {name}" for name in mailboxes] if "watch" in parts else []
    found += [f"move {name}" for name in mailboxes] if "send" in parts else []
    return [*found, *(part for part in ("work", "send", "clock") if part in parts)]


class Roster:
    """The turns of a process with a journal file: all are its own from the start."""

    def __init__(self, bells: Bells) -> None:
        self.bells = bells

    def wait(self, turn: str) -> Bells | None:
        """Wait for a turn; the bells to listen to while it lasts, or None at the end of the process."""
        return None if self.bells.stop.is_set() else self.bells

    def leave(self, turn: str) -> None:
        """A role has come to an end with what it was doing."""

    def holds(self, turn: str) -> bool:
        """Whether the turn is this process's now."""
        return True

    def run(self, bells: Bells) -> None:
        """Look after the turns until the end."""
        bells.stop.wait()

    def close(self) -> None:
        """Give back what is held."""


class SharedRoster(Roster):
    """The turns of one of several routers. `taken` is called with each turn before anybody works on it."""

    def __init__(
        self, bells: Bells, locks: Locks, turns: Collection[str], taken: Callable[[str], None]
    ) -> None:
        super().__init__(bells)
        self.locks, self.turns, self.taken = locks, tuple(turns), taken
        self.log = structlog.get_logger("roster")
        self._changed = threading.Condition()
        self._held: dict[str, None] = {}  # the locks, in the order they were taken
        self._mine: dict[str, Bells] = {}  # the turns that have begun: all roles of earlier ones are out
        self._at_work: Counter[str] = Counter()

    def wait(self, turn: str) -> Bells | None:
        """Wait for a turn; the bells to listen to while it lasts, or None at the end of the process."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready(turn) or self.bells.stop.is_set())
            if self.bells.stop.is_set():
                return None
            self._at_work[turn] += 1
            return self._mine[turn]

    def leave(self, turn: str) -> None:
        """A role has come to an end with what it was doing."""
        with self._changed:
            self._at_work[turn] -= 1
            self._changed.notify_all()

    def holds(self, turn: str) -> bool:
        """Whether the turn is this process's now."""
        return turn in self._mine

    def run(self, bells: Bells) -> None:
        """Look after the turns until the end."""
        try:
            while not bells.stop.is_set():
                self.look()
                bells.stop.wait(LOOK_SECONDS)
        finally:
            with self._changed:
                self._changed.notify_all()

    def look(self) -> None:
        """Take what is free, give back what is over our share; after a lost line everything is in doubt."""
        try:
            members = max(self.locks.members(), 1)
            for kind in _PER_MAILBOX:
                share = -(-len(_of(kind, self.turns)) // members)
                self._give_back(_of(kind, self._held)[share:])
                for turn in _of(kind, self.turns):
                    if turn in self._held or len(_of(kind, self._held)) < share:
                        self._try(turn)
            for turn in self.turns:
                if turn in PARTS:
                    self._try(turn)
        except JournalError as error:
            self._lost(error)
        except BaseException as error:
            # a lock whose turn never began would be held, and its work done by nobody
            self._lost(error)
            raise

    def close(self) -> None:
        """Give back what is held."""
        self.locks.close()

    def _ready(self, turn: str) -> bool:
        return turn in self._mine and not self._mine[turn].stop.is_set()

    def _try(self, turn: str) -> None:
        """Begin a turn if its lock is free, and everybody of ours is out of it."""
        if turn in self._mine and not self._mine[turn].stop.is_set():
            return
        if turn not in self._held:
            if not self.locks.take(turn):
                return
            self._held[turn] = None
        with self._changed:
            if self._at_work[turn]:
                return  # roles of an earlier time are finishing, and come first: asked again at the next look
        self.taken(turn)
        with self._changed:
            self._mine[turn] = self.bells.shift()
            self._changed.notify_all()
        self.log.info("turn taken", turn=turn)

    def _give_back(self, turns: Collection[str]) -> None:
        """End turns; each lock goes once everybody has finished what they were doing."""
        for turn in turns:
            if turn in self._mine:
                self._mine[turn].over()
        with self._changed:
            # who is still at work then is asked again at the next look
            self._changed.wait_for(
                lambda: not any(self._at_work[turn] for turn in turns), timeout=LOOK_SECONDS
            )
            ended = [turn for turn in turns if not self._at_work[turn]]
            for turn in ended:
                self._mine.pop(turn, None)
        for turn in ended:
            self.locks.release(turn)
            del self._held[turn]
            self.log.info("turn given back", turn=turn)

    def _lost(self, error: BaseException) -> None:
        """The line is gone, and with it every lock: stop at once, and begin anew."""
        if self._held:
            self.log.error("turns lost", turns=sorted(self._held), why=type(error).__name__)
        self.locks.close()
        for shift in self._mine.values():
            shift.over()
        with self._changed:
            self._mine.clear()
            self._held.clear()


def _of(kind: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{kind} ")]


@contextmanager
def alone(config: Config, parts: Collection[str] = PARTS) -> Iterator[None]:
    """Hold these parts of the journal's work alone; a second router is refused in words instead of racing."""
    service = config.service
    with ExitStack() as stack:
        if not service.database:
            for part in sorted(parts):
                stack.enter_context(_locked(service.journal, part))
        else:
            locks = Locks(service.database)
            stack.callback(locks.close)
            with postgres.told(service.database):
                locks.members()
            for turn in turns([one.name for one in config.mailboxes], parts):
                if not locks.take(turn):
                    raise _refused(f"the journal's database ({turn})")
        yield


@contextmanager
def _locked(path: Path, part: str) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(f"{path}.{part}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror})", where=str(path)) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise _refused(f"{path} ({part})") from None
    try:
        yield
    finally:
        os.close(fd)


def _refused(where: str) -> InputError:
    return InputError(
        "another router serves this journal", where=where, cure="Stop it first, or give this one its own"
    )
