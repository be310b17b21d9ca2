"""Reconciliation: every UID the server shows against the journal, so that nothing is ever silently missed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mailml.transport.imap import connect

from .config import Mailbox
from .instants import Clock, now_ms
from .journal import Journal, events, incoming


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one mailbox's inbox and the journal say of each other; `good` when they agree.

    `unknown` UIDs stand in the inbox behind the cursor without a row: they are read again. `new` ones the
    watcher has yet to come to. `vanished` counts rows whose mail is neither in the inbox nor moved by us.
    """

    mailbox: str
    on_server: int
    known: int
    new: int
    unknown: tuple[int, ...]
    vanished: int

    @property
    def good(self) -> bool:
        """Whether every message behind the cursor is known."""
        return not self.unknown

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON-able values."""
        return {**asdict(self), "unknown": list(self.unknown), "good": self.good}


def reconcile(journal: Journal, mailbox: Mailbox, *, clock: Clock = now_ms) -> Reconciled:
    """Compare the inbox with the journal, and have read again what is missing. Raises TransportError."""
    with connect(mailbox.account) as session:
        selected = session.examine(mailbox.places.inbox)
        on_server = set(session.uids())
    with journal.write() as tx:
        number = incoming.mailbox_id(tx, mailbox.name, mailbox.places.inbox)
        at = incoming.cursor(tx, number)
        reached = at.last_uid if at.uidvalidity == selected.uidvalidity else 0
        stored = incoming.known_uids(tx, number, selected.uidvalidity)
        unknown = tuple(sorted(uid for uid in on_server - stored if uid <= reached))
        vanished = len(incoming.unmoved_uids(tx, number) - on_server)
        if unknown:
            incoming.rewind(tx, number, unknown[0])
        note = f"{len(on_server)} on the server, {len(unknown)} unknown, {vanished} vanished"
        level = "alarm" if unknown else "info"
        events.add(tx, "reconciled", clock(), note, level=level, mailbox=number)
    new = sum(uid > reached for uid in on_server - stored)
    return Reconciled(mailbox.name, len(on_server), len(on_server & stored), new, unknown, vanished)
