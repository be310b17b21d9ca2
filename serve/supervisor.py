"""Start, stop, signals: the only module that knows every role.

Each role runs in a thread of its own, each mailbox has two; one that fails is started again after a pause
and stops no other. Only a disk that cannot be written to ends the process: what is not on the disk must not
have consequences.
"""

from __future__ import annotations

import select
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import nullcontext
from types import FrameType
from typing import TYPE_CHECKING

import structlog

from mailml.errors import MailmlError

from . import backoff, notify
from .bells import Bells
from .bundles import Bundles
from .clock import Timekeeper
from .config import Config
from .instants import Clock, now_ms
from .journal import Journal, events, incoming, is_disk_trouble, outbox
from .journal.locks import Locks
from .keys import loop_key
from .outbox import Mover, Sender
from .ringer import Ringer
from .roster import PARTS, Roster, SharedRoster, alone, turns
from .shadow import Shadow
from .vitals import Vitals
from .watcher import Watcher
from .webhooks import Caller
from .worker import Worker

if TYPE_CHECKING:
    from .api.server import ApiServer

DONE, FAILED, DISK = 0, 1, 74  # 74 is EX_IOERR
# So long a thread that hears from a server waits for one that calculates; 5 ms cost a third of the mails.
_SWITCH_SECONDS = 0.0005
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
        lines = config.smtp.sending.connections
        self.senders = [
            Sender(journal, config, sent=self._sent, share=(n, lines), clock=clock) for n in range(lines)
        ]
        self.timekeeper = Timekeeper(journal, config, clock=clock)
        self.shadow = Shadow(journal, self.bundles, key, clock=clock)
        self.callers = [Caller(journal, hook, clock=clock) for hook in config.webhooks]
        self.vitals = Vitals(journal, config, parts, clock=clock)
        self.ringer = Ringer(journal, parts, copies=bool(config.smtp.sending.sent_folder), clock=clock)
        self.roster: Roster = Roster(self.bells)
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
        self.bells.mail()
        self.bells.news()

    def _sent(self, mailbox: int) -> None:
        for mover in self.movers:
            if mover.id == mailbox:
                self.bells.mover(mover.mailbox.name).ring()

    def recover(self) -> None:
        """After a crash: what was being sent is in doubt, everything else goes on where it stopped."""
        with self.journal.write() as tx:
            # only who sends knows that nobody else is sending just now
            doubts = outbox.recover(tx) if "send" in self.parts and not self._shares() else 0
            events.add(
                tx, "started", self.clock(), f"bundle {self.bundles.current.id}, {doubts} sends in doubt"
            )

    def _shares(self) -> bool:
        """Whether other routers may be at work on the same journal."""
        return isinstance(self.roster, SharedRoster)

    def share(self) -> None:
        """Take turns with other routers on the same database instead of doing everything."""
        names = turns([one.name for one in self.config.mailboxes], self.parts)
        locks = Locks(self.config.service.database)
        self.roster = SharedRoster(self.bells, locks, names, self._taken)

    def _taken(self, turn: str) -> None:
        """A turn begins here: what its last holder was sending when it died is in doubt."""
        if turn == "send":
            with self.journal.write() as tx:
                if doubts := outbox.recover(tx):
                    events.add(tx, "taken_over", self.clock(), f"{doubts} sends in doubt")
        if turn == "work":
            self.bells.worker.ring()

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
        return self._tried([*movers, *(one.once for one in self.senders), *movers])

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
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._open_api()
        roles = [("roster", "", self.roster.run), *self._roles()]
        threads = [threading.Thread(target=self._role, args=role, name=role[0]) for role in roles]
        self._listen()
        for thread in threads:
            thread.start()
        self.log.info("serving", mailboxes=len(self.watchers), bundle=self.bundles.current.id)
        notify.tell("READY=1")
        # by poll and not by wait(): a signal's handler must find no lock in this thread's hands
        ears = select.poll()
        ears.register(self.bells.stop, select.POLLIN)
        while not ears.poll(1000):
            if all(thread.is_alive() for thread in threads):
                notify.tell("WATCHDOG=1")
        notify.tell("STOPPING=1")
        left = [thread.name for thread in self._joined(threads)]
        self.roster.close()
        self.log.info("stopped", left_behind=left)
        return DISK if self.disk_failed else FAILED if left else DONE

    def _roles(self) -> Iterator[tuple[str, str, Callable[[Bells], None]]]:
        """Every role: its name, the turn it needs ("" for none), and its work."""
        yield "vitals", "", self.vitals.run
        yield "ringer", "", self.ringer.run
        if "watch" in self.parts:
            for watcher in self.watchers:
                yield f"watcher {watcher.mailbox.name}", f"watch {watcher.mailbox.name}", watcher.run
        if "work" in self.parts:
            yield "worker", "work", self.worker.run
        if "send" in self.parts:
            for mover in self.movers:
                yield f"mover {mover.mailbox.name}", f"move {mover.mailbox.name}", mover.run
            for sender in self.senders:
                name = f"sender {sender.share[0] + 1}" if sender.share[0] else "sender"
                yield name, "send", sender.run
            for caller in self.callers:
                yield f"webhook {caller.hook.name}", "send", caller.run
        if "clock" in self.parts:
            yield "clock", "clock", self.timekeeper.run
            if self.config.releases.shadow is not None:
                yield "shadow", "clock", self.shadow.run
        if self.api is not None:
            yield "api", "", self.api.run

    def _in_turn(self, turn: str, run: Callable[[Bells], None]) -> None:
        """Work while the turn lasts."""
        bells = self.roster.wait(turn) if turn else self.bells
        if bells is None:
            return
        try:
            run(bells)
        finally:
            if turn:
                self.roster.leave(turn)

    def _role(self, name: str, turn: str, run: Callable[[Bells], None]) -> None:
        failures = 0
        while not self.bells.stop.is_set():
            try:
                self._in_turn(turn, run)
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
    service = config.service
    # with a file, or for one pass over everything, others are kept out; on PostgreSQL turns are shared
    apart = alone(config, parts) if once or not service.database else nullcontext()
    with apart, Journal.open(service.journal, service.database) as journal:
        try:
            supervisor = Supervisor(config, journal, loop_key(config.service), parts=parts)
            if service.database and not once:
                supervisor.share()
            supervisor.recover()
            return supervisor.once() if once else supervisor.run()
        except Exception as error:
            if not is_disk_trouble(error):
                raise
            log = structlog.get_logger("supervisor")
            log.critical("the journal cannot be written to", why=str(error)[:300])
            return DISK
