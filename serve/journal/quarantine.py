"""Messages that could not be decided: kept with raw bytes and reason, shown, and tried again by hand."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from . import events
from .engine import Tx
from .schema import incoming, mailboxes, quarantine, raws


def put(tx: Tx, incoming_id: int, mailbox_id: int, reason: str, now: int) -> None:
    """Set a message aside; it stays where it is on the server, and the others go on."""
    state = update(incoming).where(incoming.c.id == incoming_id)
    tx.execute(state.values(state="quarantined", decided_at=now))
    again = update(quarantine).where(quarantine.c.incoming_id == incoming_id)
    if not tx.execute(again.values(reason=reason[:2000], at=now, retried_at=None)).rowcount:
        tx.execute(insert(quarantine).values(incoming_id=incoming_id, reason=reason[:2000], at=now))
    events.add(tx, "quarantined", now, reason, level="alarm", mailbox=mailbox_id, incoming=incoming_id)


def held(tx: Tx) -> list[dict[str, object]]:
    """What is set aside now, oldest first."""
    q, i = quarantine.c, incoming.c
    columns = [i.id, mailboxes.c.name.label("mailbox"), i.uid, i.message_id, i.sha256, i.size, i.attempts]
    joined = quarantine.join(incoming).join(mailboxes)
    rows = select(*columns, q.reason, q.at).select_from(joined).where(i.state == "quarantined").order_by(q.id)
    return [dict(row._mapping) for row in tx.execute(rows)]


def raw(tx: Tx, incoming_id: int) -> bytes | None:
    """The raw bytes of a message that is set aside."""
    found = select(raws.c.raw).select_from(
        raws.join(quarantine, quarantine.c.incoming_id == raws.c.incoming_id)
    )
    return tx.execute(found.where(raws.c.incoming_id == incoming_id)).scalar()


def retry(tx: Tx, incoming_id: int, now: int) -> bool:
    """Let the worker try again; a message of which only the head is kept is decided on its head."""
    again = update(incoming).where(incoming.c.id == incoming_id, incoming.c.state == "quarantined")
    won = tx.execute(again.values(state="new", attempts=0, due_at=now)).rowcount > 0
    if won:
        tx.execute(update(quarantine).where(quarantine.c.incoming_id == incoming_id).values(retried_at=now))
        events.add(tx, "quarantine_retried", now, incoming=incoming_id)
    return won


def retried(tx: Tx, incoming_id: int) -> bool:
    """Whether somebody asked for this message to be tried again."""
    found = select(quarantine.c.retried_at).where(quarantine.c.incoming_id == incoming_id)
    return tx.execute(found).scalar() is not None
