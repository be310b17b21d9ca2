"""Counts for monitoring: what was decided since a row, and how long what waits has waited."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from .engine import Tx
from .schema import decisions, events, incoming, mailboxes, outbox

_OPEN = ("pending", "sending", "doubt")
Decided = tuple[str, str, str, str, str]  # mailbox, kind, rule, bundle, reason for no acknowledgement


def decided(tx: Tx, after: int) -> tuple[int, Counter[Decided]]:
    """Decisions behind a row by mailbox, kind, rule, bundle and acknowledgement, and the last row counted."""
    d = decisions.c
    upto = int(tx.execute(select(func.max(d.id))).scalar() or 0)
    if upto <= after:
        return after, Counter()
    groups: tuple[Any, ...] = (mailboxes.c.name, d.kind, d.rule, d.bundle, d.ack_reason)
    joined = decisions.join(incoming, incoming.c.id == d.incoming_id)
    joined = joined.join(mailboxes, mailboxes.c.id == incoming.c.mailbox_id)
    asked = select(*groups, func.count()).select_from(joined).where(d.id > after, d.id <= upto)
    rows = tx.execute(asked.group_by(*groups))
    return upto, Counter({(row[0], row[1], row[2], row[3], row[4]): int(row[5]) for row in rows})


def alarms(tx: Tx, after: int) -> tuple[int, Counter[str]]:
    """Alarms behind a row by kind, and the last row counted."""
    e = events.c
    upto = int(tx.execute(select(func.max(e.id))).scalar() or 0)
    asked = select(e.kind, func.count()).where(e.level == "alarm", e.id > after, e.id <= upto)
    return max(upto, after), Counter({row[0]: int(row[1]) for row in tx.execute(asked.group_by(e.kind))})


def oldest_by_effect(tx: Tx) -> dict[str, int]:
    """When the oldest effect of each kind that is not finished was intended."""
    o = outbox.c
    asked = select(o.effect, func.min(o.created_at)).where(o.state.in_(_OPEN)).group_by(o.effect)
    return {row[0]: int(row[1]) for row in tx.execute(asked)}
