"""What the lab learns from the journal: every message with what became of it, and every answer that left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from .engine import Tx
from .schema import arrivals, decisions, incoming, interactions, mailboxes, outbox, quarantine, raws

_AT_ONCE = 500


def messages(tx: Tx, since: int = 0) -> Iterator[dict[str, Any]]:
    """Every message that came in since a moment, in the order of arrival, with its raw bytes where kept."""
    after = 0
    while rows := _some(tx, since, after):
        moves = _moves(tx, [row["id"] for row in rows])
        for row in rows:
            yield row | {"moves": moves.get(row["id"], [])}
        after = rows[-1]["id"]


def _some(tx: Tx, since: int, after: int) -> list[dict[str, Any]]:
    i, d, t, a = incoming.c, decisions.c, interactions.c, arrivals.c
    columns = [i.id, mailboxes.c.name.label("mailbox"), i.uidvalidity, i.uid, i.sha256, i.message_id]
    columns += [i.received_at, i.decided_at, d.bundle, d.decision, d.undone_at, t.reference, t.opened_by]
    columns += [t.queue.label("queue_now"), t.subject, a.joined_by, a.sender, raws.c.raw]
    columns += [quarantine.c.reason.label("quarantined"), i.state]
    joined = incoming.join(mailboxes).outerjoin(decisions).outerjoin(arrivals, a.incoming_id == i.id)
    joined = joined.outerjoin(interactions, t.id == a.interaction_id)
    joined = joined.outerjoin(raws, raws.c.incoming_id == i.id)
    joined = joined.outerjoin(quarantine, quarantine.c.incoming_id == i.id)
    asked = select(*columns).select_from(joined).where(i.received_at >= since, i.id > after)
    return [dict(row._mapping) for row in tx.execute(asked.order_by(i.id).limit(_AT_ONCE))]


def _moves(tx: Tx, numbers: list[int]) -> dict[int, list[dict[str, Any]]]:
    o, found = outbox.c, dict[int, list[dict[str, Any]]]()
    asked = select(o.incoming_id, o.source, o.folder, o.state, o.done_at).where(
        o.effect == "move", o.incoming_id.in_(numbers)
    )
    for row in tx.execute(asked.order_by(o.id)):
        found.setdefault(row.incoming_id, []).append(dict(row._mapping))
    return found


def answers(tx: Tx, since: int = 0) -> Iterator[dict[str, Any]]:
    """Every mail of ours that left since a moment: acknowledgements, and what people answered."""
    o = outbox.c
    asked = select(o.effect, o.message_id, o.recipient, o.done_at, interactions.c.reference).select_from(
        outbox.join(interactions, interactions.c.id == o.interaction_id)
    )
    left = o.effect.in_(("ack", "reply")) & (o.state == "sent") & (o.done_at >= since)
    for row in tx.execute(asked.where(left).order_by(o.id)):
        yield dict(row._mapping)


def answered(tx: Tx, since: int = 0) -> Iterator[dict[str, Any]]:
    """Interactions with the moment of their first human answer, however the service learned of it."""
    t = interactions.c
    asked = select(t.reference, t.answered_at).where(t.answered_at >= since)
    for row in tx.execute(asked.order_by(t.id)):
        yield dict(row._mapping)
