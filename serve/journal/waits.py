"""What waits for whom, in one look over everybody: what is due now, and when the next of it will be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from .due import is_due
from .engine import Tx
from .schema import decisions, events, incoming, outbox
from .schema_edges import deliveries

WORKER, SENDER, CALLER = "worker", "sender", "caller"
MOVER = "mover "  # with the mailbox's name behind it


@dataclass(frozen=True, slots=True)
class Waits:
    """By role, marks that differ when something new waits; and the next moment at which something will."""

    of: dict[str, list[Any]]
    next_at: int | None

    def news(self, before: Waits) -> set[str]:
        """The roles for which something has come since."""
        return {role for role, marks in self.of.items() if before.of.get(role) != marks}


NOTHING = Waits({}, None)


def look(tx: Tx, now: int, names: dict[int, str], *, copies: bool = True) -> Waits:
    """What waits at this moment; `names` are those of mailboxes, `copies` whether mail is copied to Sent."""
    found: dict[str, list[Any]] = defaultdict(list)
    ahead: list[int] = []

    def note(role: str, *marks: Any, next_at: int | None = None) -> None:
        if any(marks):
            found[role].append(marks)
        if next_at is not None:
            ahead.append(next_at)

    i, o, d = incoming.c, outbox.c, deliveries.c
    for count, newest, next_at in _due(tx, incoming, now, i.state == "new"):
        note(WORKER, count, newest, next_at=next_at)
    open_ = o.state.in_(["pending", "doubt"])
    for mailbox, effect, state, count, newest, next_at in _due(
        tx, outbox, now, open_, o.mailbox_id, o.effect, o.state
    ):
        moves = effect == "move" or state == "doubt"
        note(MOVER + names.get(mailbox, "") if moves else SENDER, count, newest, next_at=next_at)
    if copies:
        sent = select(o.mailbox_id, func.count(), func.max(o.id)).where(
            o.state == "sent", o.copied.is_(False)
        )
        for mailbox, count, newest in tx.execute(sent.group_by(o.mailbox_id)):
            note(MOVER + names.get(mailbox, ""), count, newest)
    for count, newest, next_at in _due(tx, deliveries, now, d.state == "pending"):
        note(CALLER, count, newest, next_at=next_at)
    # who calls webhooks has something to say about every decision and event
    note(CALLER, *(tx.execute(select(func.max(table.c.id))).scalar() for table in (decisions, events)))
    return Waits(dict(found), min(ahead, default=None))


def _due(
    tx: Tx, table: Table, now: int, waits: ColumnElement[bool], *groups: ColumnElement[Any]
) -> Iterable[Any]:
    """By group: how many rows are due, the newest of them, and when the next of the others will be."""
    c = table.c
    due = is_due(c.due_at, now)
    marks = (func.count().filter(due), func.max(c.id).filter(due), func.min(c.due_at).filter(~due))
    return tx.execute(select(*groups, *marks).where(waits).group_by(*groups))
