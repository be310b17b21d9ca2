"""Old mail of a folder: decided, threaded, and moved if wished; never acknowledged, never late, never told.

It runs beside the service. Each message is stored and decided in one transaction, so that no worker finds it
waiting, and under a mailbox of its own, so that no watcher's cursor is touched. Run it again: what is there
already is recognised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from mailml.errors import InputError
from mailml.message import Message, parse
from mailml.transport.imap import connect

from .bells import Bells
from .bundles import Bundles
from .config import Config, Mailbox
from .instants import Clock, now_ms
from .journal import Journal, Tx, apart, deliveries, events, incoming, interactions, outbox, quarantine
from .outbox import Mover
from .watcher import Watcher
from .worker import Worker

_NEVER = -1e9  # hours: every mail is older than this, whatever its clock says


@dataclass
class Backfilled:
    """What one run did."""

    mailbox: str
    folder: str
    messages: int = 0
    known: int = 0
    quarantined: int = 0
    queues: Counter[str] = field(default_factory=Counter)

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON-able values."""
        return {**self.__dict__, "queues": dict(self.queues.most_common())}


class Backfill:
    """Reads one folder of one mailbox into the journal."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        bundles: Bundles,
        key: bytes,
        box: Mailbox,
        folder: str,
        *,
        move: bool = False,
        clock: Clock = now_ms,
    ) -> None:
        """Raises InputError for the inbox itself, which the service reads."""
        if folder == box.places.inbox:
            raise InputError(
                f"{folder!r} is the inbox, which the service reads itself",
                where=box.name,
                cure="Old mail in it is decided at the first run, and acknowledged only within the cut-off",
            )
        places = box.places.model_copy(
            update={"inbox": folder, "name": f"{box.name}/{folder}"[:180] + deliveries.BACKFILLED}
        )
        self.journal, self.move, self.clock = journal, move, clock
        self.box, self.old = box, Mailbox(account=box.account, places=places)
        service = config.service.model_copy(update={"cut_off_hours": _NEVER})
        self.config = config.model_copy(update={"mailboxes": (self.old,), "service": service})
        self.worker = Worker(journal, self.config, bundles, key, decided=lambda _: None, clock=clock)
        # rules see the mailbox the mail once came into
        self.worker.mailboxes = {box.name: self.old}
        self.watcher = Watcher(journal, self.old, service, bells=Bells(), clock=clock)
        self.report = Backfilled(box.name, folder)

    def run(self, since: date | None = None, progress: Callable[[int], None] = lambda _: None) -> Backfilled:
        """Decide what is there, oldest first. Raises TransportError when the server cannot be reached."""
        with connect(self.old.account) as session:
            selected = session.examine(self.old.places.inbox)
            with self.journal.read() as tx:
                have = incoming.known_uids(tx, self.watcher.id, selected.uidvalidity)
            there = session.uids_arrived_since(since) if since else session.uids()
            wanted = [uid for uid in there if uid not in have]
            self.report.known = len(there) - len(wanted)
            for batch in self.watcher.batches(session, wanted):
                self._store(batch, selected.uidvalidity)
                progress(self.report.messages)
        if self.move:
            Mover(self.journal, self.old, self.config, clock=self.clock).once()
        return self.report

    def _store(self, batch: list[incoming.Mail], uidvalidity: int) -> None:
        read = {mail.uid: _read(mail.raw) for mail in batch}  # the slow half, outside the write lock
        with self.journal.write() as tx:
            ids = incoming.store(tx, self.watcher.id, uidvalidity, batch, self.clock())
            for mail in incoming.claimed(tx, ids):
                self._one(tx, replace(mail, mailbox=self.box.name), read[mail.uid])

    def _one(self, tx: Tx, mail: incoming.Claimed, message: Message | Exception) -> None:
        self.report.messages += 1
        try:
            if isinstance(message, Exception):
                raise message
            if mail.truncated:
                raise InputError("larger than the limit: only the head is kept")
            with apart(tx):
                self.worker.decide(tx, mail, message)
        except InputError as error:
            self._aside(tx, mail, error.what)
        except Exception as error:  # noqa: BLE001 - one broken mail is set aside, the others go on
            self._aside(tx, mail, f"{type(error).__name__} while deciding")
        else:
            self._settled(tx, mail)

    def _aside(self, tx: Tx, mail: incoming.Claimed, why: str) -> None:
        quarantine.put(tx, mail.id, mail.mailbox_id, why, self.clock())
        self.report.quarantined += 1

    def _settled(self, tx: Tx, mail: incoming.Claimed) -> None:
        """Old conversations are closed: no clock runs for them, and an answer opens them again."""
        found = interactions.of_message(tx, mail.id)
        if found is not None:
            interactions.close_old(tx, found.id, mail.mailbox_id)
        if found is not None and found.opened_by == mail.id:
            self.report.queues[found.queue] += 1
        else:
            self.report.queues["(joined or filed)"] += 1
        if not self.move:
            for move in outbox.moves(tx, mail.mailbox_id, self.clock()):
                outbox.moved(tx, move, "done", self.clock(), note="left where it is: backfill")


def backfill(
    config: Config, journal: Journal, bundles: Bundles, key: bytes, name: str, folder: str, **options: Any
) -> Backfill:
    """The backfill of a mailbox by its name ("" where there is only one). Raises InputError."""
    boxes = [box for box in config.mailboxes if name in ("", box.name)]
    if len(boxes) != 1:
        known = ", ".join(box.name for box in config.mailboxes)
        raise InputError(f"{name!r} names no one mailbox", cure=f"Give one with --mailbox: {known}")
    return Backfill(config, journal, bundles, key, boxes[0], folder, **options)


def finished(journal: Journal, report: Backfilled, clock: Clock = now_ms) -> None:
    """Write down that it was done."""
    with journal.write() as tx:
        note = f"{report.mailbox}/{report.folder}: {report.messages} decided, {report.quarantined} set aside"
        events.add(tx, "backfilled", clock(), note)


def _read(raw: bytes) -> Message | Exception:
    try:
        return parse(raw)
    except Exception as error:  # noqa: BLE001 - it is set aside, with its bytes
        return error
