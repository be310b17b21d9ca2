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

from sqlalchemy import ColumnElement, func, insert, select, update

from .due import is_due
from .engine import Tx
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


_ADD = insert(outbox).returning(outbox.c.id)
_SEND = [outbox.c[name] for name in Send.__dataclass_fields__]


def add_move(tx: Tx, mailbox: int, incoming_id: int, folder: str, now: int, *, source: str = "") -> None:
    """Intend to move a message from the inbox, or later once more from another folder, its `source`."""
    row = {"effect": "move", "mailbox_id": mailbox, "incoming_id": incoming_id, "folder": folder}
    key = f"move:{incoming_id}:{now}" if source else f"move:{incoming_id}"
    tx.execute(insert(outbox), {"dedupe": key, "source": source, "due_at": 0, "created_at": now, **row})


def add_mail(tx: Tx, effect: str, dedupe: str, now: int, *, raw: bytes, **row: object) -> int:
    """Intend to send a mail; `row` holds mailbox_id, interaction_id, message_id, sender and recipient."""
    values = {"effect": effect, "dedupe": dedupe, "raw": raw, "due_at": 0, "created_at": now, **row}
    number: int = tx.execute(_ADD, values).scalar_one()
    return number


def moves(tx: Tx, mailbox: int, now: int, limit: int = 100) -> list[Move]:
    """Moves of a mailbox that are due, oldest first."""
    o, i = outbox.c, incoming.c
    columns: list[ColumnElement[Any]] = [o.id, o.incoming_id, o.source, o.folder, o.attempts, o.remote_uid]
    columns += [i.uidvalidity, i.uid, i.message_id, i.sha256, i.size, i.received_at]
    columns += [func.coalesce(func.length(raws.c.raw), i.size).label("kept")]
    due = (o.state == "pending") & (o.effect == "move") & (o.mailbox_id == mailbox) & is_due(o.due_at, now)
    joined = outbox.join(incoming).outerjoin(raws, raws.c.incoming_id == i.id)
    rows = tx.execute(select(*columns).select_from(joined).where(due).order_by(o.id).limit(limit))
    return [Move(**row._mapping) for row in rows]


def moved(tx: Tx, move: Move, state: str, now: int, *, remote_uid: int | None = None, note: str = "") -> None:
    """The message lies where it should (done), or nobody knows where (gone)."""
    values = {"state": state, "done_at": now, "remote_uid": remote_uid, "note": note}
    if tx.execute(
        update(outbox).where(outbox.c.id == move.id, outbox.c.state == "pending").values(**values)
    ).rowcount:
        tx.execute(update(incoming).where(incoming.c.id == move.incoming_id).values(moved_at=now))


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


def next_send(tx: Tx, now: int, share: tuple[int, int] = (0, 1)) -> Send | None:
    """The next mail to send: a person's reply goes before any acknowledgement.

    `share` is (which, of how many): several senders divide the mails between them by number.
    """
    o = outbox.c
    which, of = share
    due = (o.state == "pending") & o.effect.in_(["ack", "reply"]) & is_due(o.due_at, now)
    due = due & (o.id % of == which) if of > 1 else due
    row = tx.execute(select(*_SEND).where(due).order_by(o.effect.desc(), o.due_at, o.id).limit(1)).first()
    return None if row is None else Send(**row._mapping)


def sending(tx: Tx, number: int) -> bool:
    """Claim the mail at the point of no return, by compare-and-set; False when somebody else has it."""
    claim = update(outbox).where(outbox.c.id == number, outbox.c.state == "pending")
    won = claim.values(state="sending", attempts=outbox.c.attempts + 1).returning(outbox.c.id)
    return tx.execute(won).first() is not None


def settle(tx: Tx, number: int, state: str, now: int, note: str = "") -> None:
    """The mail has its end: sent, failed, uncertain or withheld."""
    values = {"state": state, "done_at": now, "note": note[:2000]}
    tx.execute(update(outbox).where(outbox.c.id == number).values(**values))


def postpone(tx: Tx, number: int, due_at: int, note: str) -> None:
    """Try again later; a mail that was being sent is known not to have been taken."""
    values = {"state": "pending", "due_at": due_at, "note": note[:2000], "attempts": outbox.c.attempts + 1}
    tx.execute(update(outbox).where(outbox.c.id == number).values(**values))


def doubtful(tx: Tx, mailbox: int, now: int) -> list[Send]:
    """Mails of a mailbox that may or may not have been taken: the Sent folder is to be asked."""
    o = outbox.c
    asked = (o.state == "doubt") & (o.mailbox_id == mailbox) & is_due(o.due_at, now)
    rows = tx.execute(select(*_SEND).where(asked).order_by(o.id))
    return [Send(**row._mapping) for row in rows]


def doubt(tx: Tx, number: int, ask_at: int, note: str) -> None:
    """Nobody can say whether the mail was taken; the Sent folder is asked from `ask_at` on."""
    values = {"state": "doubt", "due_at": ask_at, "note": note[:2000]}
    tx.execute(update(outbox).where(outbox.c.id == number).values(**values))


def recover(tx: Tx) -> int:
    """After a crash: what was being sent is in doubt, never pending. Returns how many."""
    died = update(outbox).where(outbox.c.state == "sending")
    return int(tx.execute(died.values(state="doubt", note="the process died while sending")).rowcount)


def uncopied(tx: Tx, mailbox: int, limit: int = 25) -> list[Send]:
    """Sent mails that have no copy in the Sent folder yet."""
    o = outbox.c
    sent = (o.state == "sent") & o.copied.is_(False) & (o.mailbox_id == mailbox)
    return [
        Send(**row._mapping) for row in tx.execute(select(*_SEND).where(sent).order_by(o.id).limit(limit))
    ]


def copied(tx: Tx, number: int) -> None:
    """A copy lies in the Sent folder."""
    tx.execute(update(outbox).where(outbox.c.id == number).values(copied=True))


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
