"""Start, stop, signals: the only module that knows every role.

Each role runs in a thread of its own, each mailbox has two; one that fails is started again after a pause
and stops no other. Only a disk that cannot be written to ends the process: what is not on the disk must not
have consequences.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import structlog

from mailml.errors import InputError, MailmlError

from . import backoff
from .bells import Bells
from .bundles import Bundles
from .clock import Timekeeper
from .config import Config
from .instants import Clock, now_ms
from .journal import Journal, events, incoming, is_disk_trouble, outbox
from .keys import loop_key
from .outbox import Mover, Sender
from .shadow import Shadow
from .vitals import Vitals
from .watcher import Watcher
from .webhooks import Caller
from .worker import Worker

if TYPE_CHECKING:
    from .api.server import ApiServer

DONE, FAILED, DISK = 0, 1, 74  # 74 is EX_IOERR
# What one process may do for a journal; each part is done by one process only.
PARTS = ("watch", "work", "send", "clock")
_PATIENCE_SECONDS = 25.0  # for what is begun to be finished after a signal


class Supervisor:
    """All roles of one process over one open journal; `parts` are those it takes on."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        key: bytes,
        *,
        parts: Collection[str] = PARTS,
        clock: Clock = now_ms,
    ) -> None:
        """Load the bundle and make every role; raises BundleError, FlowError or ConfigError."""
        self.config, self.journal, self.clock, self.parts = config, journal, clock, parts
        self.bells = Bells()
        self.log = structlog.get_logger("supervisor")
        self.bundles = Bundles(config.service.bundle, journal, config.releases, clock=clock)
        self.watchers = [
            Watcher(journal, one, config.service, bells=self.bells, clock=clock) for one in config.mailboxes
        ]
        self.worker = Worker(journal, config, self.bundles, key, decided=self._decided, clock=clock)
        self.movers = [Mover(journal, mailbox, config, clock=clock) for mailbox in config.mailboxes]
        self.sender = Sender(journal, config, sent=self._sent, clock=clock)
        self.timekeeper = Timekeeper(journal, config, clock=clock)
        self.shadow = Shadow(journal, self.bundles, key, clock=clock)
        self.callers = [Caller(journal, hook, clock=clock) for hook in config.webhooks]
        self.vitals = Vitals(journal, config, parts, clock=clock)
        self.api: ApiServer | None = None
        self._key = key
        self.disk_failed = False

    def _open_api(self) -> None:
        """Bind the port before anything is started; only a process that does everything answers too."""
        if self.config.http is None or set(self.parts) != set(PARTS):
            return
        # imported only when it is on: a router without it does without FastAPI's memory
        from .api.server import ApiServer

        self.api = ApiServer(self.config, self.journal, self.bundles, self._key)

    def _decided(self, mailboxes: set[str]) -> None:
        for name in mailboxes:
            self.bells.mover(name).ring()
        self.bells.sender.ring()
        self.bells.news()

    def _sent(self, mailbox: int) -> None:
        for mover in self.movers:
            if mover.id == mailbox:
                self.bells.mover(mover.mailbox.name).ring()

    def recover(self) -> None:
        """After a crash: what was being sent is in doubt, everything else goes on where it stopped."""
        with self.journal.write() as tx:
            # only who sends knows that nobody else is sending just now
            doubts = outbox.recover(tx) if "send" in self.parts else 0
            events.add(
                tx, "started", self.clock(), f"bundle {self.bundles.current.id}, {doubts} sends in doubt"
            )

    # -- once ------------------------------------------------------------------------------------------------

    def once(self) -> int:
        """Process everything that is there now, then come to an end; the exit code."""
        good = self._tried(watcher.once for watcher in self.watchers)
        self._decide_all()
        while True:
            good &= self._effects()
            if not good or not self._doubts_wait():
                break
            self.bells.stop.wait(1.0)
        self.timekeeper.tick()
        return DONE if good else FAILED

    def _decide_all(self) -> None:
        """Until every stored message has its outcome, those tried again after a pause included."""
        while True:
            if self.worker.batch():
                continue
            with self.journal.read() as tx:
                if not incoming.waiting(tx):
                    return
            self.bells.stop.wait(0.1)

    def _effects(self) -> bool:
        """Carry out what is due; movers go twice, because what was just sent is copied to Sent."""
        movers = [mover.once for mover in self.movers]
        for caller in self.callers:
            caller.batch()
        return self._tried([*movers, self.sender.once, *movers])

    def _doubts_wait(self) -> bool:
        with self.journal.read() as tx:
            return outbox.in_doubt(tx)

    def _tried(self, acts: Iterable[Callable[[], object]]) -> bool:
        """Whether all of it worked; what did not has been written down, and has not held up the others."""
        failed = 0
        for act in acts:
            try:
                act()
            except MailmlError:
                failed += 1
        return not failed

    # -- for good --------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until a signal ends it; the exit code."""
        self._open_api()
        threads = [threading.Thread(target=self._role, args=role, name=role[0]) for role in self._roles()]
        self._listen()
        for thread in threads:
            thread.start()
        self.log.info("serving", mailboxes=len(self.watchers), bundle=self.bundles.current.id)
        while not self.bells.stop.wait(1.0):
            pass
        left = [thread.name for thread in self._joined(threads)]
        self.log.info("stopped", left_behind=left)
        return DISK if self.disk_failed else FAILED if left else DONE

    def _roles(self) -> Iterator[tuple[str, Callable[[Bells], None]]]:
        yield "vitals", self.vitals.run
        if "watch" in self.parts:
            for watcher in self.watchers:
                yield f"watcher {watcher.mailbox.name}", watcher.run
        if "work" in self.parts:
            yield "worker", self.worker.run
        if "send" in self.parts:
            for mover in self.movers:
                yield f"mover {mover.mailbox.name}", mover.run
            yield "sender", self.sender.run
            for caller in self.callers:
                yield f"webhook {caller.hook.name}", caller.run
        if "clock" in self.parts:
            yield "clock", self.timekeeper.run
            if self.config.releases.shadow is not None:
                yield "shadow", self.shadow.run
        if self.api is not None:
            yield "api", self.api.run

    def _role(self, name: str, run: Callable[[Bells], None]) -> None:
        failures = 0
        while not self.bells.stop.is_set():
            try:
                run(self.bells)
            except Exception as error:  # noqa: BLE001 - a role that fails is started again, and stops no other
                failures += 1
                if is_disk_trouble(error):
                    self.log.critical("the journal cannot be written to", role=name, why=str(error)[:300])
                    self.disk_failed = True
                    self.bells.end()
                    return
                self.log.error("role failed", role=name, why=f"{type(error).__name__}: {error}"[:300])
                self.bells.stop.wait(backoff.seconds(failures))

    def _listen(self) -> None:
        def end(_number: int, _frame: FrameType | None) -> None:
            self.bells.end()

        def look(_number: int, _frame: FrameType | None) -> None:
            self.bundles.reload()
            self.bells.worker.ring()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        signal.signal(signal.SIGHUP, look)

    def _joined(self, threads: list[threading.Thread]) -> list[threading.Thread]:
        """Those that did not come to an end in time: what they were doing is in the journal."""
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)
        return [thread for thread in threads if thread.is_alive()]


def run(config: Config, *, once: bool = False, parts: Collection[str] = PARTS) -> int:
    """Open the journal and serve; the exit code. Raises MailmlError for what stands in the way of a start."""
    with alone(config.service.journal, parts), Journal.open(config.service.journal) as journal:
        try:
            supervisor = Supervisor(config, journal, loop_key(config.service), parts=parts)
            supervisor.recover()
            return supervisor.once() if once else supervisor.run()
        except Exception as error:
            if not is_disk_trouble(error):
                raise
            log = structlog.get_logger("supervisor")
            log.critical("the journal cannot be written to", why=str(error)[:300])
            return DISK


@contextmanager
def alone(path: Path, parts: Collection[str] = PARTS) -> Iterator[None]:
    """Hold these parts of the journal's work alone; a second router is refused in words instead of racing."""
    with ExitStack() as stack:
        for part in sorted(parts):
            stack.enter_context(_alone(path, part))
        yield


@contextmanager
def _alone(path: Path, part: str) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(f"{path}.{part}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror})", where=str(path)) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise InputError(
            "another router serves this journal",
            where=f"{path} ({part})",
            cure="Stop it first, or give this one its own",
        ) from None
    try:
        yield
    finally:
        os.close(fd)
