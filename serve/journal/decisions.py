"""What was decided: decision and context whole, as JSON, and the bundle, so that it can be made again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert, select, update

from mailml.verdict import Context, Decision, canonical_json

from .engine import Tx
from .prepared import Prepared
from .schema import arrivals, decisions, incoming, interactions, mailboxes, outbox, quarantine, raws

_ADD = Prepared(insert(decisions))


def add(
    tx: Tx, incoming_id: int, interaction_id: int | None, decision: Decision, context: Context, now: int
) -> None:
    """Write the one decision on a message; a second one breaks the transaction."""
    reason = decision.ack.reason
    _ADD.run(
        tx,
        incoming_id=incoming_id,
        interaction_id=interaction_id,
        bundle=decision.bundle,
        kind=decision.kind.value,
        disposition=decision.disposition.value,
        queue=decision.queue,
        folder=decision.folder,
        rule=decision.rule,
        ack=decision.ack.send,
        ack_reason=reason.value if reason else "",
        decided_at=now,
        context=canonical_json(context),
        decision=decision.to_json(),
    )


def every(tx: Tx, since: int = 0) -> Iterator[dict[str, Any]]:
    """Every message with its outcome, in the order of arrival."""
    i, d = incoming.c, decisions.c
    columns = [i.id, mailboxes.c.name.label("mailbox"), i.uidvalidity, i.uid, i.sha256, i.message_id, i.state]
    columns += [i.received_at, i.seen_at, i.decided_at, i.moved_at, interactions.c.reference]
    columns += [d.bundle, d.context, d.decision, d.undone_at, quarantine.c.reason.label("quarantined")]
    joined = (
        incoming.join(mailboxes).outerjoin(decisions).outerjoin(quarantine, quarantine.c.incoming_id == i.id)
    )
    joined = joined.outerjoin(interactions, interactions.c.id == d.interaction_id)
    joined = joined.outerjoin(arrivals, arrivals.c.incoming_id == i.id)
    columns += [arrivals.c.joined_by, arrivals.c.evidence.label("joined_on")]
    for row in tx.execute(select(*columns).select_from(joined).where(i.seen_at >= since).order_by(i.id)):
        yield dict(row._mapping)


def one(tx: Tx, incoming_id: int) -> dict[str, Any] | None:
    """The decision on one message."""
    row = tx.execute(select(decisions).where(decisions.c.incoming_id == incoming_id)).first()
    return None if row is None else dict(row._mapping)


def effects(tx: Tx, incoming_id: int) -> list[dict[str, Any]]:
    """What was intended for a message and how far it got."""
    o = outbox.c
    columns = [o.effect, o.state, o.folder, o.message_id, o.recipient, o.attempts, o.note]
    rows = tx.execute(select(*columns).where(o.incoming_id == incoming_id).order_by(o.id))
    return [dict(row._mapping) for row in rows]


def raw(tx: Tx, incoming_id: int) -> bytes | None:
    """The raw bytes a decision was made on, while they are kept."""
    return tx.execute(select(raws.c.raw).where(raws.c.incoming_id == incoming_id)).scalar()


def filed(tx: Tx, since: int) -> list[dict[str, Any]]:
    """Mail that was filed instead of queued since a moment and has not been put back, for the digest."""
    i, d = incoming.c, decisions.c
    columns = [i.id, mailboxes.c.name.label("mailbox"), d.kind, d.folder, d.rule, d.decided_at, i.message_id]
    columns += [i.sha256, d.decision, raws.c.raw]
    joined = decisions.join(incoming, i.id == d.incoming_id).join(mailboxes, mailboxes.c.id == i.mailbox_id)
    joined = joined.outerjoin(raws, raws.c.incoming_id == i.id)
    was = (d.disposition == "file") & d.undone_at.is_(None) & (d.decided_at >= since) & (d.decision != "")
    return [
        dict(row._mapping)
        for row in tx.execute(select(*columns).select_from(joined).where(was).order_by(i.id))
    ]


def undo(tx: Tx, incoming_id: int, now: int) -> bool:
    """Mark a filing as wrong, once."""
    d = decisions.c
    wrong = update(decisions).where(
        d.incoming_id == incoming_id, d.disposition == "file", d.undone_at.is_(None)
    )
    return tx.execute(wrong.values(undone_at=now)).rowcount > 0


def filings(tx: Tx, sha256: str) -> list[tuple[int, str, bool]]:
    """(number, mailbox, put back already) of every copy of a message that was filed."""
    d = decisions.c
    joined = decisions.join(incoming, incoming.c.id == d.incoming_id).join(
        mailboxes, mailboxes.c.id == incoming.c.mailbox_id
    )
    wanted = select(incoming.c.id, mailboxes.c.name, d.undone_at).select_from(joined)
    rows = tx.execute(
        wanted.where(incoming.c.sha256 == sha256, d.disposition == "file").order_by(incoming.c.id)
    )
    return [(number, name, undone_at is not None) for number, name, undone_at in rows]


def mailbox_of(tx: Tx, incoming_id: int) -> str | None:
    """The name of the mailbox a message came into."""
    joined = incoming.join(mailboxes)
    found = select(mailboxes.c.name).select_from(joined).where(incoming.c.id == incoming_id)
    return tx.execute(found).scalar()
