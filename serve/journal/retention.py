"""Forgetting: bodies first, people later; what was decided stays as rows without anybody in them.

Nothing that is still wanted is touched: mail that waits, is set aside, is being sent or copied.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, update

from . import deliveries as telling
from .engine import Tx
from .schema import (
    acks,
    arrivals,
    decisions,
    events,
    incoming,
    interactions,
    outbox,
    parties,
    raws,
    silences,
    thread_ids,
)
from .schema_edges import shadows

_OPEN = ("pending", "sending", "doubt")


def bodies(tx: Tx, before: int, limit: int) -> int:
    """Drop raw bytes of mail decided, and of mails of ours sent, before a moment; returns how many."""
    _overwrite(tx)
    unfinished = exists().where(outbox.c.incoming_id == incoming.c.id, outbox.c.state.in_(_OPEN))
    old = (incoming.c.state == "decided") & (incoming.c.decided_at < before) & ~unfinished
    found = select(raws.c.incoming_id).select_from(raws.join(incoming)).where(old).limit(limit)
    gone = list(tx.execute(found).scalars())
    if gone:
        tx.execute(delete(raws).where(raws.c.incoming_id.in_(gone)))
    ended = outbox.c.state.not_in(_OPEN) & (outbox.c.done_at < before) & (func.length(outbox.c.raw) > 0)
    # a mail that was sent and is not in the Sent folder yet is copied from here
    ended = ended & ((outbox.c.state != "sent") | outbox.c.copied.is_(True))
    mine = list(tx.execute(select(outbox.c.id).where(ended).limit(limit)).scalars())
    if mine:
        tx.execute(update(outbox).where(outbox.c.id.in_(mine)).values(raw=b""))
    return len(gone) + len(mine)


def people(tx: Tx, before: int, limit: int) -> int:
    """Take everybody out of conversations that ended before a moment; returns how many conversations.

    What stays: when, which mailbox, kind, queue, rule, reason, bundle, how long it took.
    """
    _overwrite(tx)
    late = exists().where(arrivals.c.interaction_id == interactions.c.id, arrivals.c.at >= before)
    open_ = exists().where(outbox.c.interaction_id == interactions.c.id, outbox.c.state.in_(_OPEN))
    known = exists().where(parties.c.interaction_id == interactions.c.id)
    old = (interactions.c.opened_at < before) & ~late & ~open_ & known
    gone = list(tx.execute(select(interactions.c.id).where(old).limit(limit)).scalars())
    if gone:
        tx.execute(delete(parties).where(parties.c.interaction_id.in_(gone)))
        tx.execute(delete(thread_ids).where(thread_ids.c.interaction_id.in_(gone)))
        _blank(tx, interactions, interactions.c.id.in_(gone), "subject", "customer")
        _blank(tx, arrivals, arrivals.c.interaction_id.in_(gone), "sender", "evidence", "copy_key")
        _blank(tx, acks, acks.c.interaction_id.in_(gone), "address", "domain", "subject", "body")
        mails = outbox.c.interaction_id.in_(gone)
        _blank(tx, outbox, mails, "message_id", "sender", "recipient", "note")
    return len(gone)


def details(tx: Tx, before: int, limit: int) -> int:
    """Take the words of people out of decisions made before a moment, whose bytes are gone already."""
    kept = exists().where(raws.c.incoming_id == decisions.c.incoming_id)
    old = (decisions.c.decided_at < before) & (decisions.c.decision != "") & ~kept
    gone = list(tx.execute(select(decisions.c.incoming_id).where(old).limit(limit)).scalars())
    if gone:
        _blank(tx, decisions, decisions.c.incoming_id.in_(gone), "context", "decision")
        _blank(tx, shadows, shadows.c.incoming_id.in_(gone), "decision")
        _blank(tx, incoming, incoming.c.id.in_(gone), "message_id")
    return len(gone)


def leftovers(tx: Tx, before: int, now: int) -> None:
    """Notes of old events, silences that are over, and what webhooks were told."""
    _blank(tx, events, (events.c.at < before) & (events.c.note != ""), "note")
    tx.execute(delete(silences).where(silences.c.until < now))
    telling.forget(tx, before)


def waiting(tx: Tx, before: int) -> int:
    """How many bodies are older than a moment, for a dry run."""
    old = (incoming.c.state == "decided") & (incoming.c.decided_at < before)
    asked = select(func.count()).select_from(raws.join(incoming)).where(old)
    return int(tx.execute(asked).scalar_one())


def _blank(tx: Tx, table: Table, which: ColumnElement[bool], *columns: str) -> None:
    tx.execute(update(table).where(which).values(dict.fromkeys(columns, "")))


def _overwrite(tx: Tx) -> None:
    """SQLite leaves deleted bytes in the file until they are overwritten, unless it is told not to."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA secure_delete=ON")
