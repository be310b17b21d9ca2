"""The journal in numbers, for `status`: states, latencies, freshness, what waits and for how long."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from . import limits
from .engine import Tx
from .schema import acks, events, incoming, interactions, mailboxes, outbox

_SAMPLE = 1000  # the latest messages that latencies are taken from


def states(tx: Tx) -> dict[str, int]:
    """How many messages are in each state: new, decided, quarantined."""
    return _counted(tx, select(incoming.c.state, func.count()).group_by(incoming.c.state))


def _counted(tx: Tx, groups: Select[Any]) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in tx.execute(groups)}


def outbox_states(tx: Tx) -> dict[str, dict[str, int]]:
    """How many effects of each kind are in each state."""
    found: dict[str, dict[str, int]] = {}
    o = outbox.c
    for effect, state, count in tx.execute(
        select(o.effect, o.state, func.count()).group_by(o.effect, o.state)
    ):
        found.setdefault(effect, {})[state] = count
    return found


def oldest_waiting(tx: Tx) -> int | None:
    """When the oldest effect that is not finished was intended."""
    open_ = outbox.c.state.in_(["pending", "sending", "doubt"])
    return tx.execute(select(func.min(outbox.c.created_at)).where(open_)).scalar()


def lag(tx: Tx, now: int) -> int:
    """For how many milliseconds the oldest message has waited for its decision."""
    waits = select(func.min(incoming.c.seen_at)).where(incoming.c.state == "new")
    seen = tx.execute(waits).scalar()
    return 0 if seen is None else max(now - int(seen), 0)


def latencies(tx: Tx) -> dict[str, dict[str, float]]:
    """Seconds from seen to decided and from seen to moved, of the latest messages: count, p50, p99, worst."""
    i = incoming.c
    rows = tx.execute(select(i.seen_at, i.decided_at, i.moved_at).order_by(i.id.desc()).limit(_SAMPLE)).all()
    decided = [row.decided_at - row.seen_at for row in rows if row.decided_at is not None]
    moved = [row.moved_at - row.seen_at for row in rows if row.moved_at is not None]
    return {"seen_to_decided": _spread(decided), "seen_to_moved": _spread(moved)}


def _spread(milliseconds: list[int]) -> dict[str, float]:
    values = sorted(milliseconds)
    if not values:
        return {"count": 0}

    def at(share: float) -> float:
        return values[min(int(share * len(values)), len(values) - 1)] / 1000

    return {"count": len(values), "p50": at(0.5), "p99": at(0.99), "worst": values[-1] / 1000}


def watched(tx: Tx) -> list[dict[str, Any]]:
    """Every mailbox: when the server last showed it, and what is wrong with it now."""
    t = mailboxes.c
    columns = [t.name, t.folder, t.uidvalidity, t.last_uid, t.fresh_at, t.failed_at, t.failure]
    return [dict(row._mapping) for row in tx.execute(select(*columns).order_by(t.name))]


def conversations(tx: Tx, now: int) -> dict[str, int]:
    """Interactions by state, and how many open ones are late."""
    i = interactions.c
    found = _counted(tx, select(i.state, func.count()).group_by(i.state))
    late = (i.state == "open") & i.answered_at.is_(None) & (i.due_at < now)
    found["late"] = tx.execute(select(func.count()).select_from(interactions).where(late)).scalar_one()
    return found


def alarms(tx: Tx, since: int) -> dict[str, int]:
    """How many alarms of each kind there were since a moment."""
    e = events.c
    counted = select(e.kind, func.count()).where(e.level == "alarm", e.at > since).group_by(e.kind)
    return _counted(tx, counted.order_by(e.kind))


def breaker(tx: Tx, since: int) -> dict[str, Any]:
    """The loop breaker: open and why, and how many acknowledgements were granted since a moment."""
    granted = tx.execute(select(func.count()).select_from(acks).where(acks.c.at > since)).scalar_one()
    why = limits.tripped(tx)
    return {"open": why is not None, "why": why or "", "acks_granted_24h": granted}
