"""A mailbox -> journal.incoming: stored durably before anything else happens; knows nothing of decisions.

IDLE only hints: after every wake and every time-out the folder is scanned from the cursor on. The folder is
opened read-only and bodies are peeked at: a colleague who reads a mail, or we who fetch it, changes
nothing.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

import structlog

from mailml.errors import MailmlError, TransportError
from mailml.message import parse
from mailml.transport.imap import Fetched, ImapSession, connect

from . import backoff
from .bells import Bells
from .config import Mailbox
from .instants import Clock, now_ms, to_ms
from .journal import Journal, events, incoming
from .service_table import Service

_BATCH_MAILS, _BATCH_BYTES = 50, 8 << 20  # what is stored in one transaction
_HEAD_BYTES = 512 << 10  # headers are read up to half of this: the rest of a large mail need not be copied


class Watcher:
    """Watches one mailbox; rings for the worker after every commit that brought new mail."""

    def __init__(
        self,
        journal: Journal,
        mailbox: Mailbox,
        service: Service,
        *,
        bells: Bells,
        clock: Clock = now_ms,
    ) -> None:
        self.journal, self.mailbox, self.service = journal, mailbox, service
        self.bells, self.stop, self.clock = bells, bells.stop, clock
        self.log = structlog.get_logger("watcher").bind(mailbox=mailbox.name)
        with journal.write() as tx:
            self.id = incoming.mailbox_id(tx, mailbox.name, mailbox.places.inbox)

    def run(self, bells: Bells) -> None:
        """Watch until told to stop; every failure of the server is waited out."""
        failures, self.stop = 0, bells.stop
        while not self.stop.is_set():
            try:
                with connect(self.mailbox.account) as session:
                    session.examine(self.mailbox.places.inbox)
                    self.scan(session)
                    self._recovered(failures)
                    failures = 0
                    while not self.stop.is_set():
                        self._wait(session)
                        self.scan(session)
            except MailmlError as error:
                failures += 1
                self._failed(error, failures)
                self.stop.wait(backoff.seconds(failures, error))

    def once(self) -> int:
        """Store what is there now; returns how many messages were new. Raises TransportError."""
        try:
            with connect(self.mailbox.account) as session:
                session.examine(self.mailbox.places.inbox)
                return self.scan(session)
        except MailmlError as error:
            self._failed(error, 1)
            raise

    def _wait(self, session: ImapSession) -> None:
        """Until there is news, at most one poll period."""
        news: tuple[bytes, ...] = ()
        # apart from one another: fifty mailboxes that all wake at once cost more than twice as much
        part = random.uniform(0.75, 1.0)
        if self.service.idle and session.has("IDLE"):
            seconds = min(self.service.poll_seconds, self.service.idle_minutes * 60)
            news = session.idle(seconds * part, self.stop)
        else:
            self.stop.wait(self.service.poll_seconds * part)
        if not news and not self.stop.is_set():
            # Opening it again shows a changed UIDVALIDITY, which an open folder would hide.
            session.examine(self.mailbox.places.inbox)

    def scan(self, session: ImapSession) -> int:
        """Store every message that is not stored yet; returns how many were new."""
        if session.selected is None:
            raise TransportError("no folder is open", where=self.mailbox.name)
        uidvalidity = session.selected.uidvalidity
        with self.journal.read() as tx:
            at = incoming.cursor(tx, self.id)
            same = at.uidvalidity == uidvalidity
            first = at.last_uid + 1 if same else 1
            known = incoming.known_uids(tx, self.id, uidvalidity, first)
        if at.uidvalidity is not None and not same:
            self._folder_rebuilt(at.uidvalidity, uidvalidity)
        wanted = [uid for uid in session.uids(first) if uid not in known]
        seen_at, new, told = self.clock(), 0, False
        for batch in self.batches(session, wanted):
            with self.journal.write() as tx:
                stored = incoming.store(tx, self.id, uidvalidity, batch, seen_at)
                incoming.fresh(tx, self.id, self.clock())
            new, told = new + len(stored), True
            self.log.info("stored", new=len(stored), known=len(batch) - len(stored))
            if stored:
                self.bells.worker.ring()
        if not told:
            self._fresh(uidvalidity, cursor=same)
        return new

    def batches(self, session: ImapSession, uids: list[int]) -> Iterator[list[incoming.Mail]]:
        """These messages as the journal takes them, in portions that fit into one transaction."""
        batch: list[incoming.Mail] = []
        held = 0
        if not uids:
            return
        limit = int(self.service.max_message_mb * 1024 * 1024)
        for fetched in session.fetch_raw(uids, max_bytes=limit):
            batch.append(_mail(fetched, limit, self.clock))
            held += len(batch[-1].raw)
            if len(batch) >= _BATCH_MAILS or held >= _BATCH_BYTES:
                yield batch
                batch, held = [], 0
        if batch:
            yield batch

    def _fresh(self, uidvalidity: int, *, cursor: bool) -> None:
        with self.journal.write() as tx:
            if not cursor:
                # an empty folder has a cursor too: UIDVALIDITY is what makes the next one comparable
                incoming.store(tx, self.id, uidvalidity, (), self.clock())
            incoming.fresh(tx, self.id, self.clock())

    def _folder_rebuilt(self, old: int, new: int) -> None:
        self.log.warning("uidvalidity changed", old=old, new=new)
        with self.journal.write() as tx:
            note = f"UIDVALIDITY {old} became {new}; every message is compared with what is stored"
            events.add(tx, "uidvalidity_changed", self.clock(), note, level="warning", mailbox=self.id)

    def _failed(self, error: MailmlError, failures: int) -> None:
        self.log.warning("mailbox failed", why=str(error), failures=failures)
        with self.journal.write() as tx:
            incoming.failed(tx, self.id, self.clock(), str(error))
            if failures == 1:
                events.add(tx, "mailbox_failed", self.clock(), str(error), level="alarm", mailbox=self.id)

    def _recovered(self, failures: int) -> None:
        if failures:
            self.log.info("mailbox recovered", failures=failures)
            with self.journal.write() as tx:
                events.add(tx, "mailbox_recovered", self.clock(), mailbox=self.id)


def _mail(fetched: Fetched, limit: int, clock: Clock) -> incoming.Mail:
    raw = fetched.raw or b""
    received = to_ms(fetched.internaldate) if fetched.internaldate else clock()
    return incoming.Mail(
        uid=fetched.uid,
        message_id=_message_id(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        size=max(fetched.size, len(raw)),
        received_at=received,
        raw=raw,
        truncated=len(raw) >= limit and fetched.size > limit,
    )


def _message_id(raw: bytes) -> str:
    try:
        return parse(raw[:_HEAD_BYTES]).message_id
    except Exception:  # noqa: BLE001 - parse is total; should it ever not be, one mail must not block the inbox
        return ""
