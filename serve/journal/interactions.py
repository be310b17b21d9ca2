"""Conversations: references, parties, the Message-IDs that belong to them, and their clocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, case, func, insert, select, update

from .engine import Tx
from .prepared import Prepared
from .schema import arrivals, incoming, interactions, parties, raws, thread_ids


@dataclass(frozen=True, slots=True)
class Interaction:
    """One conversation with a customer as the journal knows it."""

    id: int
    reference: str
    mailbox_id: int
    opened_by: int
    opened_at: int
    subject: str
    customer: str
    queue: str
    state: str
    due_at: int | None
    target: str
    acked_at: int | None
    answered_at: int | None


_COLUMNS = [interactions.c[name] for name in Interaction.__dataclass_fields__]
_VALUE: BindParameter[Any] = bindparam("value")

# Statements of the worker's path are built once: building one costs more than running it.
_WHOLE = select(*_COLUMNS)
_BY_REFERENCE = Prepared(_WHOLE.where(interactions.c.reference == _VALUE))
_BY_ID = Prepared(_WHOLE.where(interactions.c.id == _VALUE))
_OF_MESSAGE = Prepared(
    _WHOLE.where(
        interactions.c.id
        == select(arrivals.c.interaction_id).where(arrivals.c.incoming_id == _VALUE).scalar_subquery()
    )
)
_OF_COPY = Prepared(
    _WHOLE.where(
        interactions.c.id
        == select(arrivals.c.interaction_id)
        .where(arrivals.c.copy_key == _VALUE)
        .order_by(arrivals.c.id)
        .limit(1)
        .scalar_subquery()
    )
)
_HOLDERS = Prepared(select(thread_ids.c.interaction_id).where(thread_ids.c.message_id == _VALUE).distinct())
_PARTIES = Prepared(select(parties.c.address).where(parties.c.interaction_id == _VALUE))
_OPEN = Prepared(insert(interactions).returning(*_COLUMNS))
_ADD_PARTY = Prepared(insert(parties))
_ADD_MESSAGE_ID = Prepared(insert(thread_ids))
_ARRIVE = Prepared(insert(arrivals))
_ACKED = Prepared(
    update(interactions).where(interactions.c.id == bindparam("number")).values(acked_at=_VALUE)
)
_KNOWN = Prepared(
    select(interactions.c.id)
    .select_from(interactions.join(parties))
    .where(parties.c.address == _VALUE, interactions.c.answered_at.is_not(None))
    .limit(1)
)


def _one(tx: Tx, statement: Prepared, value: object) -> Interaction | None:
    row = statement.first(tx, value=value)
    return None if row is None else Interaction(*row)


def by_reference(tx: Tx, reference: str) -> Interaction | None:
    """The interaction with this reference."""
    return _one(tx, _BY_REFERENCE, reference)


def by_id(tx: Tx, number: int) -> Interaction | None:
    """The interaction with this number."""
    return _one(tx, _BY_ID, number)


def by_message_id(tx: Tx, message_id: str) -> Interaction | None:
    """The one interaction a Message-ID belongs to; a Message-ID that two of them hold joins nothing."""
    if not message_id:
        return None
    found = _HOLDERS.rows(tx, value=message_id)
    return by_id(tx, found[0].interaction_id) if len(found) == 1 else None


def of_message(tx: Tx, incoming_id: int) -> Interaction | None:
    """The interaction a stored message arrived in."""
    return _one(tx, _OF_MESSAGE, incoming_id)


def addresses(tx: Tx, number: int) -> frozenset[str]:
    """Who takes part in an interaction."""
    return frozenset(row.address for row in _PARTIES.rows(tx, value=number))


def ours(tx: Tx, message_ids: Iterable[str]) -> list[tuple[str, int]]:
    """Those of the Message-IDs that we sent, each with when."""
    t = thread_ids.c
    asked = [one for one in message_ids if one][:200]
    if not asked:
        return []
    found = select(t.message_id, t.at).where(t.message_id.in_(asked), t.ours.is_(True))
    return [(row.message_id, row.at) for row in tx.execute(found)]


def open_new(
    tx: Tx, *, reference: str, mailbox_id: int, opened_by: int, opened_at: int, **rest: object
) -> Interaction:
    """Open an interaction; `rest` holds subject, customer, queue, priority, due_at and target."""
    row = {"reference": reference, "mailbox_id": mailbox_id, "opened_by": opened_by, "opened_at": opened_at}
    (opened,) = _OPEN.rows(tx, **row, **rest)
    return Interaction(*opened)


def add_parties(tx: Tx, number: int, who: Iterable[str]) -> None:
    """Make these addresses parties of the interaction; who is one already stays one."""
    new = {address[:320] for address in who if address} - addresses(tx, number)
    _ADD_PARTY.many(tx, [{"interaction_id": number, "address": one} for one in sorted(new)])


def add_message_id(tx: Tx, number: int, message_id: str, at: int, *, ours: bool) -> None:
    """Let answers to this Message-ID find the interaction."""
    if message_id:
        _ADD_MESSAGE_ID.run(tx, message_id=message_id, interaction_id=number, at=at, ours=ours)


def arrive(tx: Tx, number: int, incoming_id: int, at: int, **why: str) -> None:
    """The message belongs to the interaction; `why` holds sender, kind, joined_by, evidence and copy_key."""
    why["evidence"] = why.get("evidence", "")[:2000]
    _ARRIVE.run(tx, interaction_id=number, incoming_id=incoming_id, at=at, **why)


def of_copy(tx: Tx, copy_key: str) -> Interaction | None:
    """The interaction in which a copy of this mail arrived before."""
    return _one(tx, _OF_COPY, copy_key) if copy_key else None


def of_sender(tx: Tx, sender: str, since: int, most: int = 200) -> list[tuple[int, str]]:
    """Number and subject of the interactions this address takes part in that had a message since a moment."""
    i, t, a = interactions.c, thread_ids.c, arrivals.c
    mine = select(parties.c.interaction_id).where(parties.c.address == sender)
    ours_or_theirs = select(t.id).where(t.interaction_id == i.id, t.at >= since).exists()
    theirs = select(a.id).where(a.interaction_id == i.id, a.at >= since).exists()
    late = select(i.id, i.subject).where(i.id.in_(mine), ours_or_theirs | theirs)
    return [(row.id, row.subject) for row in tx.execute(late.order_by(i.id.desc()).limit(most))]


def close(tx: Tx, number: int) -> None:
    """Nobody waits for anything any more; a person who writes again opens it."""
    tx.execute(update(interactions).where(interactions.c.id == number).values(state="closed"))


def reopen(tx: Tx, number: int, due_at: int | None = None) -> None:
    """An answered or closed interaction is open once more; with `due_at` its clock begins anew."""
    values: dict[str, Any] = {"state": "open"}
    if due_at is not None:
        values |= {"due_at": due_at, "warned_at": None, "breached_at": None}
    tx.execute(update(interactions).where(interactions.c.id == number).values(**values))


def acked(tx: Tx, number: int, at: int) -> None:
    """The interaction has had its one acknowledgement, sent or doubtful."""
    _ACKED.run(tx, number=number, value=at)


def answered(tx: Tx, number: int, at: int) -> None:
    """A person of ours has answered; the first answer stops the clock. What is closed stays closed."""
    first = func.coalesce(interactions.c.answered_at, at)
    state = case((interactions.c.state == "closed", "closed"), else_="answered")
    values = {"answered_at": first, "state": state}
    tx.execute(update(interactions).where(interactions.c.id == number).values(**values))


def wrote_lately(tx: Tx, number: int, sender: str, since: int) -> bool:
    """Whether this sender wrote in the interaction as a person since a moment."""
    t = arrivals.c
    same = (t.interaction_id == number) & (t.sender == sender) & (t.kind == "human") & (t.at >= since)
    return tx.execute(select(t.id).where(same).limit(1)).first() is not None


def known_sender(tx: Tx, address: str) -> bool:
    """Whether a person of ours has answered this address before: then we know them."""
    return _KNOWN.first(tx, value=address) is not None


def latest_raw(tx: Tx, number: int) -> bytes | None:
    """The raw bytes of the latest customer's message that is still kept."""
    t = arrivals.c
    found = select(raws.c.raw).select_from(arrivals.join(raws, raws.c.incoming_id == t.incoming_id))
    latest = found.where(t.interaction_id == number).order_by(t.kind != "human", t.id.desc()).limit(1)
    return tx.execute(latest).scalar()


def overdue(tx: Tx, column: str, before: int) -> list[Interaction]:
    """Open, unanswered interactions due by a moment whose `column` is not set (warned_at, breached_at)."""
    t = interactions.c
    waits = (t.state == "open") & t.answered_at.is_(None) & (t.due_at <= before) & t[column].is_(None)
    rows = tx.execute(select(*_COLUMNS).where(waits).order_by(t.due_at).limit(500))
    return [Interaction(**row._mapping) for row in rows]


def close_old(tx: Tx, number: int, mailbox: int) -> None:
    """A conversation of old mail alone, read in after the fact: nobody owes an answer any more."""
    elsewhere = select(arrivals.c.id).select_from(arrivals.join(incoming))
    elsewhere = elsewhere.where(arrivals.c.interaction_id == number, incoming.c.mailbox_id != mailbox)
    old = (interactions.c.id == number) & ~elsewhere.exists()
    tx.execute(update(interactions).where(old).values(state="closed", due_at=None))


def mark(tx: Tx, number: int, column: str, at: int) -> None:
    """Set a moment of the interaction: warned_at or breached_at."""
    tx.execute(update(interactions).where(interactions.c.id == number).values({column: at}))
