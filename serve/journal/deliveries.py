"""What webhooks are to be told: one row for each event and target, until it is delivered or dead.

pending ─► delivered | dead          dead ─► pending, by hand
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, func, insert, literal, select, update

from . import marks
from .engine import Tx
from .schema import decisions, events, incoming, interactions, mailboxes
from .schema_edges import deliveries

# Transactions of several writers commit out of order: rows this close behind the mark are looked at again.
_OVERLAP = 1000
BACKFILLED = " (backfill)"  # mailboxes of old mail: nobody wants to be told of last year's decisions


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one target."""

    id: int
    target: str
    event: str
    body: str
    state: str
    attempts: int
    due_at: int
    created_at: int
    note: str


_COLUMNS = [deliveries.c[name] for name in Delivery.__dataclass_fields__]


def begin(tx: Tx, target: str) -> None:
    """A target that is new hears of what happens from now on, and not of years gone by."""
    for stem, table in (("decision", decisions), ("alarm", events)):
        name = _mark(target, stem)
        if not marks.has(tx, name):
            newest = tx.execute(select(func.max(table.c.id))).scalar()
            marks.put(tx, name, int(newest or 0))
            marks.put(tx, f"{name}:floor", int(newest or 0))


def _mark(target: str, stem: str) -> str:
    return f"webhook:{target}:{stem}"


def untold_decisions(tx: Tx, target: str, limit: int = 200) -> list[dict[str, Any]]:
    """Decisions this target has no row for yet, oldest first."""
    d, i = decisions.c, incoming.c
    columns: list[Any] = [
        d.id,
        d.bundle,
        d.kind,
        d.disposition,
        d.queue,
        d.folder,
        d.rule,
        d.ack,
        d.ack_reason,
    ]
    columns += [d.decided_at, d.decision, i.sha256, i.received_at, mailboxes.c.name.label("mailbox")]
    columns += [interactions.c.reference]
    joined = decisions.join(incoming, i.id == d.incoming_id).join(mailboxes, mailboxes.c.id == i.mailbox_id)
    joined = joined.outerjoin(interactions, interactions.c.id == d.interaction_id)
    fresh = d.id.in_(_untold(tx, target, "decision", d.id)) & ~mailboxes.c.name.endswith(BACKFILLED)
    asked = select(*columns).select_from(joined).where(fresh)
    return [dict(row._mapping) for row in tx.execute(asked.order_by(d.id).limit(limit))]


def untold_alarms(tx: Tx, target: str, limit: int = 200) -> list[dict[str, Any]]:
    """Alarms this target has no row for yet; what webhooks themselves have to complain of is left out."""
    e = events.c
    columns: list[Any] = [
        e.id,
        e.at,
        e.kind,
        e.note,
        mailboxes.c.name.label("mailbox"),
        interactions.c.reference,
    ]
    joined = events.outerjoin(mailboxes, mailboxes.c.id == e.mailbox_id)
    joined = joined.outerjoin(interactions, interactions.c.id == e.interaction_id)
    alarm = (e.level == "alarm") & e.kind.not_like("webhook%") & e.id.in_(_untold(tx, target, "alarm", e.id))
    asked = select(*columns).select_from(joined).where(alarm)
    return [dict(row._mapping) for row in tx.execute(asked.order_by(e.id).limit(limit))]


def _untold(tx: Tx, target: str, stem: str, column: Any) -> Any:
    """The ids behind the mark, and a little before it, that have no row."""
    name = _mark(target, stem)
    since = max(marks.get(tx, name) - _OVERLAP, marks.get(tx, f"{name}:floor"))
    told = select(deliveries.c.id).where(
        deliveries.c.target == target, deliveries.c.event == literal(f"{stem}:").concat(cast(column, String))
    )
    return select(column).where(column > since, ~told.exists())


def add(tx: Tx, target: str, stem: str, bodies: Iterable[tuple[int, str]], now: int) -> int:
    """Intend to tell the target of these events, each by number and body; returns how many."""
    told = list(bodies)
    rows = [
        {"target": target, "event": f"{stem}:{number}", "body": body, "due_at": now, "created_at": now}
        for number, body in told
    ]
    if rows:
        tx.execute(insert(deliveries), rows)
        newest = max(number for number, _ in told)
        marks.put(tx, _mark(target, stem), max(newest, marks.get(tx, _mark(target, stem))))
    return len(rows)


def due(tx: Tx, target: str, now: int, limit: int = 20) -> list[Delivery]:
    """What is to be delivered to the target now, oldest first."""
    waits = (deliveries.c.state == "pending") & (deliveries.c.target == target) & (deliveries.c.due_at <= now)
    rows = tx.execute(select(*_COLUMNS).where(waits).order_by(deliveries.c.id).limit(limit))
    return [Delivery(**row._mapping) for row in rows]


def settle(tx: Tx, number: int, state: str, now: int, note: str = "") -> None:
    """The delivery has its end: delivered or dead."""
    values = {"state": state, "done_at": now, "note": note[:500], "attempts": deliveries.c.attempts + 1}
    tx.execute(update(deliveries).where(deliveries.c.id == number).values(**values))


def postpone(tx: Tx, number: int, due_at: int, note: str) -> None:
    """Try again later."""
    values = {"due_at": due_at, "note": note[:500], "attempts": deliveries.c.attempts + 1}
    tx.execute(update(deliveries).where(deliveries.c.id == number).values(**values))


def retry(tx: Tx, now: int, target: str = "") -> int:
    """Let what is dead be tried again, of one target or of all; returns how many."""
    dead = deliveries.c.state == "dead"
    dead = dead & (deliveries.c.target == target) if target else dead
    values = {"state": "pending", "attempts": 0, "due_at": now, "created_at": now, "done_at": None}
    return int(tx.execute(update(deliveries).where(dead).values(**values)).rowcount)


def held(tx: Tx, state: str, limit: int = 200) -> list[Delivery]:
    """Deliveries in a state, newest first."""
    asked = select(*_COLUMNS).where(deliveries.c.state == state).order_by(deliveries.c.id.desc())
    return [Delivery(**row._mapping) for row in tx.execute(asked.limit(limit))]


def counts(tx: Tx) -> list[tuple[str, str, int]]:
    """How many deliveries of each target are in each state."""
    groups = (deliveries.c.target, deliveries.c.state)
    return [
        (row[0], row[1], int(row[2])) for row in tx.execute(select(*groups, func.count()).group_by(*groups))
    ]


def forget(tx: Tx, before: int) -> int:
    """Drop what was delivered before a moment; the rows that say it was told stay without their bodies."""
    old = (deliveries.c.state != "pending") & (deliveries.c.created_at < before) & (deliveries.c.body != "")
    return int(tx.execute(update(deliveries).where(old).values(body="")).rowcount)
