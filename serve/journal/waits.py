"""What waits for whom, in one look over everybody: what is due now, and when the next of it will be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, Table, bindparam, func, select

from .due import is_due
from .engine import Tx
from .outbox import mailbox_names
from .schema import decisions, events, incoming, outbox
from .schema_edges import deliveries

WORKER, SENDER, CALLER = "worker", "sender", "caller"
MOVER = "mover "  # with the mailbox's name behind it


@dataclass(frozen=True, slots=True)
class Waits:
    """By role, marks that differ when something new waits; and the next moment at which something will."""

    of: dict[str, list[Any]]
    next_at: int | None

    def __or__(self, other: Waits) -> Waits:
        """What waits for one or the other."""
        ahead = [at for at in (self.next_at, other.next_at) if at is not None]
        return Waits({**self.of, **other.of}, min(ahead, default=None))

    def news(self, before: Waits) -> set[str]:
        """The roles for which something has come since."""
        return {role for role, marks in self.of.items() if before.of.get(role) != marks}


NOTHING = Waits({}, None)
_AT: Any = bindparam("now", type_=BigInteger)


def _due(table: Table, states: Collection[str], *groups: str) -> Select[Any]:
    """By group: how many rows are due, the newest of them, and when the next of the others will be."""
    c = table.c
    due, by = is_due(c.due_at, _AT), [c[name] for name in groups]
    marks = (func.count().filter(due), func.max(c.id).filter(due), func.min(c.due_at).filter(~due))
    return select(*by, *marks).where(c.state.in_(states)).group_by(*by)


# Built once: they run whenever anybody has written.
_UNDECIDED = _due(incoming, ["new"])
_EFFECTS = _due(outbox, ["pending", "doubt"], "mailbox_id", "effect", "state")
_UNCOPIED = (
    select(outbox.c.mailbox_id, func.count(), func.max(outbox.c.id))
    .where(outbox.c.state == "sent", outbox.c.copied.is_(False))
    .group_by(outbox.c.mailbox_id)
)
_DELIVERIES = _due(deliveries, ["pending"])
_TOLD = [select(func.max(table.c.id)) for table in (decisions, events)]


def undecided(tx: Tx, now: int) -> Waits:
    """What waits for the worker."""
    ((count, newest, next_at),) = tx.execute(_UNDECIDED, {"now": now})
    return Waits({WORKER: [(count, newest)]} if count else {}, next_at)


def effects(tx: Tx, now: int, *, copies: bool) -> Waits:
    """What waits for those who move, send and call; `copies` is whether what was sent is copied to Sent."""
    found: dict[str, list[Any]] = defaultdict(list)
    ahead: list[int | None] = []
    names = mailbox_names(tx)
    for mailbox, effect, state, count, newest, next_at in tx.execute(_EFFECTS, {"now": now}):
        ahead.append(next_at)
        if count:
            moves = effect == "move" or state == "doubt"
            found[MOVER + names[mailbox] if moves else SENDER].append((effect, state, count, newest))
    for mailbox, count, newest in tx.execute(_UNCOPIED) if copies else ():
        found[MOVER + names[mailbox]].append(("copy", count, newest))
    ((count, newest, next_at),) = tx.execute(_DELIVERIES, {"now": now})
    # who calls webhooks has something to say about every decision and event
    found[CALLER] = [count, newest, *(tx.execute(one).scalar() for one in _TOLD)]
    ahead.append(next_at)
    return Waits(dict(found), min((at for at in ahead if at is not None), default=None))
