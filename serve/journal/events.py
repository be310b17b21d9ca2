"""What happened, for people and alarms: append-only, ids and reasons, never bodies."""

from __future__ import annotations

from sqlalchemy import func, insert, select, update

from .engine import Tx
from .prepared import Prepared
from .schema import events

FORGIVEN = "forgiven"  # the level of events an operator has looked at: kept, and no longer counted
_ADD = Prepared(insert(events))


def add(
    tx: Tx,
    kind: str,
    at: int,
    note: str = "",
    *,
    level: str = "info",
    mailbox: int | None = None,
    interaction: int | None = None,
    incoming: int | None = None,
) -> None:
    """Write down one event; `level` is info, warning or alarm."""
    _ADD.run(
        tx,
        kind=kind,
        at=at,
        note=note[:2000],
        level=level,
        mailbox_id=mailbox,
        interaction_id=interaction,
        incoming_id=incoming,
    )


def count(tx: Tx, kinds: list[str], since: int) -> int:
    """How many events of these kinds there were since a moment, those forgiven left out."""
    counted = events.c.kind.in_(kinds) & (events.c.at > since) & (events.c.level != FORGIVEN)
    return int(tx.execute(select(func.count()).select_from(events).where(counted)).scalar_one())


def forgive(tx: Tx, kinds: list[str]) -> None:
    """Keep these events, but count them no more: an operator has looked at them."""
    tx.execute(update(events).where(events.c.kind.in_(kinds)).values(level=FORGIVEN))


def latest(tx: Tx, number: int = 20, *, alarms: bool = False) -> list[dict[str, object]]:
    """The last events, newest first."""
    t = events.c
    rows = select(t.at, t.kind, t.level, t.note, t.interaction_id, t.incoming_id).order_by(t.id.desc())
    rows = rows.where(t.level == "alarm") if alarms else rows
    return [dict(row._mapping) for row in tx.execute(rows.limit(number))]
