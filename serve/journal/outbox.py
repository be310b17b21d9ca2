"""Intents: what is to be done to the world, written with the decision and carried out later.

    move   pending ─────────────────────────► done | gone
    ack    pending ─► sending ─► sent | failed | uncertain | withheld
    reply  pending ─► sending ─► sent | failed | uncertain

`sending` is committed after the server's 354 and just before the body: whoever finds a row in it after a
restart cannot know whether the mail was taken. It is in `doubt` until the Sent folder has been asked; what
stays in doubt is `uncertain` and never sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, func, insert, select, update

from .due import NOW, is_due
from .engine import Tx
from .prepared import Prepared
from .schema import incoming, mailboxes, outbox, raws


@dataclass(frozen=True, slots=True)
class Move:
    """A message to be moved from the inbox to a folder.

    `kept` is how many bytes `sha256` was taken of: all of them, or the head of a truncated mail. With
    `remote_uid` a copy lies in the folder already and the original is still to go.
    """

    id: int
    incoming_id: int
    source: str
    folder: str
    uidvalidity: int
    uid: int
    message_id: str
    sha256: str
    size: int
    kept: int
    received_at: int
    attempts: int
    remote_uid: int | None


@dataclass(frozen=True, slots=True)
class Send:
    """A mail of ours to be sent."""

    id: int
    effect: str
    state: str
    mailbox_id: int
    interaction_id: int | None
    message_id: str
    sender: str
    recipient: str
    attempts: int
    created_at: int
    raw: bytes = field(repr=False)


_ADD = Prepared(insert(outbox).returning(outbox.c.id))
_ADD_MOVE = Prepared(insert(outbox))
_SEND = [outbox.c[name] for name in Send.__dataclass_fields__]
_NUMBER: BindParameter[int] = bindparam("number")
_MOST: BindParameter[int] = bindparam("most")
_ONE = update(outbox).where(outbox.c.id == _NUMBER)
_PENDING = outbox.c.state == "pending"
# Most of what waits was never tried: due_at is 0, and the index finds the oldest without sorting all of it.
_FRESH, _DUE = outbox.c.due_at == 0, is_due(outbox.c.due_at, NOW)


def _moves(when: ColumnElement[bool]) -> Prepared:
    o, i = outbox.c, incoming.c
    columns: list[ColumnElement[Any]] = [o.id, o.incoming_id, o.source, o.folder, i.uidvalidity, i.uid]
    columns += [i.message_id, i.sha256, i.size, func.coalesce(func.length(raws.c.raw), i.size)]
    columns += [i.received_at, o.attempts, o.remote_uid]
    due = select(o.id).where(_PENDING, o.effect == "move", when, o.mailbox_id == bindparam("mailbox"))
    joined = outbox.join(incoming).outerjoin(raws, raws.c.incoming_id == i.id)
    found = select(*columns).select_from(joined).where(o.id.in_(due.order_by(o.id).limit(_MOST)))
    return Prepared(found.order_by(o.id))


def _sends(effect: str, when: ColumnElement[bool]) -> Prepared:
    o = outbox.c
    # by the mail it answers: every other number of the outbox is a move's, and half of the lines stood idle
    of = func.coalesce(o.incoming_id, o.id)
    mine = of % bindparam("lines", type_=o.id.type) == bindparam("line", type_=o.id.type)
    due = select(*_SEND).where(_PENDING, o.effect == effect, when, mine)
    return Prepared(due.order_by(o.due_at, o.id).limit(_MOST))


_MOVES = _moves(_FRESH), _moves(_DUE)
_REPLIES, _ACKS = _sends("reply", _DUE), (_sends("ack", _FRESH), _sends("ack", _DUE))
_MOVED = Prepared(
    _ONE.where(_PENDING).values(
        state=bindparam("outcome"),
        done_at=bindparam("moment"),
        remote_uid=bindparam("there"),
        note=bindparam("words"),
    )
)
_MOVED_AT = Prepared(update(incoming).where(incoming.c.id == _NUMBER).values(moved_at=bindparam("moment")))
_SENDING = Prepared(_ONE.where(_PENDING).values(state="sending", attempts=outbox.c.attempts + 1))
_SETTLE = Prepared(
    _ONE.values(state=bindparam("outcome"), done_at=bindparam("moment"), note=bindparam("words"))
)
_COPIED = Prepared(_ONE.values(copied=True))
_OF_MAILBOX = outbox.c.mailbox_id == bindparam("mailbox")
_DOUBTFUL = Prepared(select(*_SEND).where(outbox.c.state == "doubt", _OF_MAILBOX, _DUE).order_by(outbox.c.id))
_UNCOPIED = Prepared(
    select(*_SEND)
    .where(outbox.c.state == "sent", outbox.c.copied.is_(False), _OF_MAILBOX)
    .order_by(outbox.c.id)
    .limit(_MOST)
)


def add_move(tx: Tx, mailbox: int, incoming_id: int, folder: str, now: int, *, source: str = "") -> None:
    """Intend to move a message from the inbox, or later once more from another folder, its `source`."""
    key = f"move:{incoming_id}:{now}" if source else f"move:{incoming_id}"
    _ADD_MOVE.run(
        tx,
        dedupe=key,
        effect="move",
        mailbox_id=mailbox,
        incoming_id=incoming_id,
        source=source,
        folder=folder,
        due_at=0,
        created_at=now,
    )


def add_mail(tx: Tx, effect: str, dedupe: str, now: int, *, raw: bytes, **row: object) -> int:
    """Intend to send a mail; `row` holds mailbox_id, interaction_id, message_id, sender and recipient."""
    values = {"effect": effect, "dedupe": dedupe, "raw": raw, "due_at": 0, "created_at": now, **row}
    number: int = _ADD.value(tx, **values)
    return number


def moves(tx: Tx, mailbox: int, now: int, limit: int = 100) -> list[Move]:
    """Moves of a mailbox that are due, oldest first; those tried before come when the new ones are fewer."""
    fresh, due = _MOVES
    rows = fresh.rows(tx, mailbox=mailbox, most=limit)
    if len(rows) < limit:
        rows = due.rows(tx, mailbox=mailbox, now=now, most=limit)
    return [Move(*row) for row in rows]


def moved(tx: Tx, move: Move, state: str, now: int, *, remote_uid: int | None = None, note: str = "") -> None:
    """The message lies where it should (done), or nobody knows where (gone)."""
    if _MOVED.run(tx, number=move.id, outcome=state, moment=now, there=remote_uid, words=note):
        _MOVED_AT.run(tx, number=move.incoming_id, moment=now)


def landed(tx: Tx, move: Move, remote_uid: int) -> None:
    """A copy lies in the folder: from now on only the original is to go, whatever dies meanwhile."""
    tx.execute(update(outbox).where(outbox.c.id == move.id).values(remote_uid=remote_uid))


def taken(tx: Tx, move: Move, folder: str) -> set[int]:
    """The UIDs in a folder that are known to be other mails with the very same bytes."""
    o, i = outbox.c, incoming.c
    twins = (i.sha256 == move.sha256) & (o.incoming_id != move.incoming_id) & (o.folder == folder)
    known = select(o.remote_uid).select_from(outbox.join(incoming)).where(twins, o.remote_uid.is_not(None))
    return set(tx.execute(known).scalars())


def newest(tx: Tx) -> int:
    """The number of the latest intent: every later one is younger than this moment."""
    return int(tx.execute(select(func.max(outbox.c.id))).scalar() or 0)


def next_sends(tx: Tx, now: int, share: tuple[int, int] = (0, 1), limit: int = 1) -> list[Send]:
    """The next mails to send: a person's reply goes before any acknowledgement.

    `share` is (which, of how many): several senders divide the mails between them.
    """
    mine = {"line": share[0], "lines": share[1], "most": limit}
    fresh, due = _ACKS
    acks = fresh.rows(tx, **mine)
    if len(acks) < limit:
        acks = due.rows(tx, now=now, **mine)
    return [Send(*row) for row in [*_REPLIES.rows(tx, now=now, **mine), *acks][:limit]]


def sending(tx: Tx, number: int) -> bool:
    """Claim the mail at the point of no return, by compare-and-set; False when somebody else has it."""
    return _SENDING.run(tx, number=number) > 0


def settle(tx: Tx, number: int, state: str, now: int, note: str = "") -> None:
    """The mail has its end: sent, failed, uncertain or withheld."""
    _SETTLE.run(tx, number=number, outcome=state, moment=now, words=note[:2000])


def postpone(tx: Tx, number: int, due_at: int, note: str) -> None:
    """Try again later; a mail that was being sent is known not to have been taken."""
    values = {"state": "pending", "due_at": due_at, "note": note[:2000], "attempts": outbox.c.attempts + 1}
    tx.execute(update(outbox).where(outbox.c.id == number).values(**values))


def doubtful(tx: Tx, mailbox: int, now: int) -> list[Send]:
    """Mails of a mailbox that may or may not have been taken: the Sent folder is to be asked."""
    return [Send(*row) for row in _DOUBTFUL.rows(tx, mailbox=mailbox, now=now)]


def doubt(tx: Tx, number: int, ask_at: int, note: str) -> None:
    """Nobody can say whether the mail was taken; the Sent folder is asked from `ask_at` on."""
    values = {"state": "doubt", "due_at": ask_at, "note": note[:2000]}
    tx.execute(update(outbox).where(outbox.c.id == number).values(**values))


def recover(tx: Tx) -> int:
    """After a crash: what was being sent is in doubt, never pending. Returns how many."""
    died = update(outbox).where(outbox.c.state == "sending")
    return int(tx.execute(died.values(state="doubt", note="the process died while sending")).rowcount)


def uncopied(tx: Tx, mailbox: int, limit: int = 100) -> list[Send]:
    """Sent mails that have no copy in the Sent folder yet."""
    return [Send(*row) for row in _UNCOPIED.rows(tx, mailbox=mailbox, most=limit)]


def copied(tx: Tx, number: int) -> None:
    """A copy lies in the Sent folder."""
    _COPIED.run(tx, number=number)


def ours(tx: Tx, message_id: str) -> Send | None:
    """The mail of ours that has this Message-ID."""
    if not message_id:
        return None
    row = tx.execute(
        select(*_SEND).where(outbox.c.message_id == message_id, outbox.c.raw.is_not(None))
    ).first()
    return None if row is None else Send(**row._mapping)


def next_number(tx: Tx, interaction: int) -> int:
    """The running number of the next mail of ours in an interaction."""
    o = outbox.c
    mine = select(o.id).where(o.interaction_id == interaction, o.effect.in_(["ack", "reply"]))
    return len(tx.execute(mine).all()) + 1


def waiting(tx: Tx, effects: list[str]) -> int:
    """How many effects of these kinds are not finished."""
    o = outbox.c
    open_ = o.state.in_(["pending", "sending", "doubt"]) & o.effect.in_(effects)
    return len(tx.execute(select(o.id).where(open_)).all())


def mailbox_names(tx: Tx) -> dict[int, str]:
    """The names of all mailboxes by number."""
    return {row.id: row.name for row in tx.execute(select(mailboxes.c.id, mailboxes.c.name))}


def in_doubt(tx: Tx) -> bool:
    """Whether any mail waits for the Sent folder's answer."""
    return tx.execute(select(outbox.c.id).where(outbox.c.state == "doubt").limit(1)).first() is not None
