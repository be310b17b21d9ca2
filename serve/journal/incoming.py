"""What came in: mailboxes with their cursors, and every message with its raw bytes and its state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from sqlalchemy import bindparam, delete, func, insert, select, update

from .due import NOW, is_due
from .engine import Tx
from .prepared import Prepared
from .schema import incoming, mailboxes, raws


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox has been read: everything up to `last_uid` under `uidvalidity` is stored."""

    uidvalidity: int | None
    last_uid: int


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as the server showed it; `raw` is only its head when `truncated`."""

    uid: int
    message_id: str
    sha256: str
    size: int
    received_at: int
    raw: bytes = field(repr=False)
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A stored message taken up for deciding; `attempts` counts this one."""

    id: int
    mailbox_id: int
    mailbox: str
    uidvalidity: int
    uid: int
    message_id: str
    sha256: str
    received_at: int
    seen_at: int
    attempts: int
    truncated: bool
    raw: bytes = field(repr=False)


_INSERT = Prepared(insert(incoming).returning(incoming.c.id))
_INSERT_RAW = Prepared(insert(raws))
_KNOWN = Prepared(
    select(incoming.c.uid).where(
        incoming.c.mailbox_id == bindparam("mailbox"),
        incoming.c.uidvalidity == bindparam("validity"),
        incoming.c.uid >= bindparam("first"),
    )
)
_OLDER = Prepared(
    select(incoming.c.id)
    .where(
        incoming.c.mailbox_id == bindparam("mailbox"),
        incoming.c.uidvalidity != bindparam("validity"),
        incoming.c.sha256 == bindparam("digest"),
        incoming.c.message_id == bindparam("named"),
        incoming.c.moved_at.is_(None),
    )
    .order_by(incoming.c.uid)
    .limit(1)
)
_READY = (incoming.c.state == "new") & is_due(incoming.c.due_at, NOW)
_WAITING = Prepared(select(incoming.c.id).where(_READY).limit(1))
_STATE = Prepared(select(incoming.c.state).where(incoming.c.id == bindparam("number")))
_TAKE = Prepared(
    update(incoming)
    .where(incoming.c.id == bindparam("number"), _READY)
    .values(attempts=incoming.c.attempts + 1)
)
_FINISH = Prepared(
    update(incoming)
    .where(incoming.c.id == bindparam("number"))
    .values(state=bindparam("outcome"), decided_at=bindparam("moment"))
)


def mailbox_id(tx: Tx, name: str, folder: str) -> int:
    """The number of a mailbox, made known if it is new."""
    found = tx.execute(select(mailboxes.c.id, mailboxes.c.folder).where(mailboxes.c.name == name)).first()
    if found is None:
        row = insert(mailboxes).values(name=name, folder=folder).returning(mailboxes.c.id)
        number: int = tx.execute(row).scalar_one()
        return number
    if found.folder != folder:
        # another folder has UIDs of its own: start over there, known mail is recognised by its bytes
        values = {"folder": folder, "uidvalidity": None, "last_uid": 0}
        tx.execute(update(mailboxes).where(mailboxes.c.id == found.id).values(**values))
    return int(found.id)


def cursor(tx: Tx, mailbox: int) -> Cursor:
    """How far the mailbox has been read."""
    row = tx.execute(select(mailboxes).where(mailboxes.c.id == mailbox)).one()
    return Cursor(row.uidvalidity, row.last_uid)


def fresh(tx: Tx, mailbox: int, at: int) -> None:
    """The server has shown us the folder just now."""
    values = {"fresh_at": at, "failure": "", "failed_at": None}
    tx.execute(update(mailboxes).where(mailboxes.c.id == mailbox).values(**values))


def failed(tx: Tx, mailbox: int, at: int, why: str) -> None:
    """The server could not be reached or read; the time of the first failure in a row is kept."""
    first = func.coalesce(mailboxes.c.failed_at, at)
    tx.execute(update(mailboxes).where(mailboxes.c.id == mailbox).values(failure=why, failed_at=first))


def known_uids(tx: Tx, mailbox: int, uidvalidity: int, first: int = 1) -> set[int]:
    """The UIDs from `first` on that are stored already."""
    return {row.uid for row in _KNOWN.rows(tx, mailbox=mailbox, validity=uidvalidity, first=first)}


def store(
    tx: Tx, mailbox: int, uidvalidity: int, mails: Iterable[Mail], seen_at: int, *, reached: int = 0
) -> list[int]:
    """Store new messages and move the cursor behind them, or to `reached`; returns their numbers.

    A message stored under an earlier UIDVALIDITY (same bytes, same Message-ID, not yet found again) is
    recognised: its row gets the new UID, and nothing is decided twice.
    """
    at, mails = cursor(tx, mailbox), list(mails)
    highest = max(reached, at.last_uid if at.uidvalidity == uidvalidity else 0)
    # only from these on: a mailbox that has been watched for years has a million others
    have = known_uids(tx, mailbox, uidvalidity, min(mail.uid for mail in mails)) if mails else set()
    new: list[int] = []
    for mail in mails:
        highest = max(highest, mail.uid)
        if mail.uid in have or _recognised(tx, mailbox, uidvalidity, mail):
            continue
        new.append(_insert(tx, mailbox, uidvalidity, mail, seen_at))
    _move_cursor(tx, mailbox, uidvalidity, highest)
    return new


def _insert(tx: Tx, mailbox: int, uidvalidity: int, mail: Mail, seen_at: int) -> int:
    number: int = _INSERT.value(
        tx,
        mailbox_id=mailbox,
        uidvalidity=uidvalidity,
        uid=mail.uid,
        message_id=mail.message_id,
        sha256=mail.sha256,
        size=mail.size,
        truncated=mail.truncated,
        received_at=mail.received_at,
        seen_at=seen_at,
        due_at=0,  # at once, whatever the clock will say
    )
    _INSERT_RAW.run(tx, incoming_id=number, raw=mail.raw)
    return number


def _recognised(tx: Tx, mailbox: int, uidvalidity: int, mail: Mail) -> bool:
    """Give the row of the same mail under an older UIDVALIDITY its new UID; one row for one copy."""
    same = {"mailbox": mailbox, "validity": uidvalidity, "digest": mail.sha256, "named": mail.message_id}
    found = _OLDER.value(tx, **same)
    if found is None:
        return False
    tx.execute(update(incoming).where(incoming.c.id == found).values(uidvalidity=uidvalidity, uid=mail.uid))
    return True


def _move_cursor(tx: Tx, mailbox: int, uidvalidity: int, last_uid: int) -> None:
    values = {"uidvalidity": uidvalidity, "last_uid": last_uid}
    tx.execute(update(mailboxes).where(mailboxes.c.id == mailbox).values(**values))


def rewind(tx: Tx, mailbox: int, before_uid: int) -> None:
    """Read again from this UID on: reconciliation found mail that is not stored."""
    tx.execute(update(mailboxes).where(mailboxes.c.id == mailbox).values(last_uid=max(before_uid - 1, 0)))


def claim(tx: Tx, now: int, limit: int = 20, most_bytes: int = 32 << 20) -> list[int]:
    """Take up waiting messages, oldest first, and count the attempt before anything is tried.

    At most so many bytes of them, for they are held in memory together; a larger one comes alone.

    Committed by itself, so that a message that kills the process is counted too. One that was tried before
    comes alone: it must not take others with it again.
    """
    t = incoming.c
    ready = {"now": now}
    columns = [t.id, t.attempts, t.size]
    rows = tx.execute(select(*columns).where(_READY).order_by(t.attempts, t.id).limit(limit), ready).all()
    fresh = [row for row in rows if row.attempts == 0]
    held = accumulate(row.size for row in fresh)
    ids = [row.id for row, so_far in zip(fresh, held, strict=True) if so_far <= most_bytes]
    ids = ids or [row.id for row in (fresh or rows)[:1]]
    _TAKE.many(tx, [{"number": number, "now": now} for number in ids])
    return ids


def claimed(tx: Tx, ids: Sequence[int]) -> list[Claimed]:
    """The messages taken up, with their raw bytes, in order."""
    t = incoming.c
    columns = [t.id, t.mailbox_id, mailboxes.c.name.label("mailbox"), t.uidvalidity, t.uid, t.message_id]
    columns += [t.sha256, t.received_at, t.seen_at, t.attempts, t.truncated, raws.c.raw]
    joined = incoming.join(raws).join(mailboxes)
    rows = tx.execute(select(*columns).select_from(joined).where(t.id.in_(ids)).order_by(t.id))
    return [Claimed(**row._mapping) for row in rows]


def undecided(tx: Tx, number: int) -> bool:
    """Whether the message still waits for its outcome: another router may have given it one meanwhile."""
    return bool(_STATE.value(tx, number=number) == "new")


def later(tx: Tx, number: int, due_at: int) -> None:
    """Try this message again at a later moment."""
    tx.execute(update(incoming).where(incoming.c.id == number).values(due_at=due_at))


def finish(tx: Tx, number: int, state: str, decided_at: int) -> None:
    """The message has its outcome: decided or quarantined."""
    _FINISH.run(tx, number=number, outcome=state, moment=decided_at)


def shown_again(tx: Tx, mail: Claimed) -> int | None:
    """An earlier, decided row of this very mail without a Message-ID, from before the folder was rebuilt.

    Under one UIDVALIDITY equal bytes without a Message-ID are two mails; under another the server may have
    been restored and shows us the same mail again, which must not be acknowledged again.
    """
    if mail.message_id:
        return None
    t = incoming.c
    same = (t.sha256 == mail.sha256) & (t.id < mail.id) & (t.state == "decided")
    same = same & (t.mailbox_id == mail.mailbox_id) & (t.uidvalidity != mail.uidvalidity)
    return tx.execute(select(t.id).where(same).order_by(t.id).limit(1)).scalar()


def forget_body(tx: Tx, number: int) -> None:
    """Drop the raw bytes of a message, for retention; what was decided stays."""
    tx.execute(delete(raws).where(raws.c.incoming_id == number))


def waiting(tx: Tx, now: int | None = None) -> bool:
    """Whether any message waits to be decided, now or (without `now`) at all."""
    if now is not None:
        return _WAITING.first(tx, now=now) is not None
    new = select(incoming.c.id).where(incoming.c.state == "new")
    return tx.execute(new.limit(1)).first() is not None


def unmoved_uids(tx: Tx, mailbox: int) -> set[int]:
    """The UIDs of a mailbox that should still be in the inbox: nobody has moved them yet."""
    t = incoming.c
    here = (t.mailbox_id == mailbox) & t.moved_at.is_(None)
    return set(tx.execute(select(t.uid).where(here)).scalars())


def stale(tx: Tx, before: int) -> list[tuple[int, str]]:
    """Mailboxes the server has not shown us since a moment, by number and name."""
    t = mailboxes.c
    old = select(t.id, t.name).where((t.fresh_at < before) | t.fresh_at.is_(None)).order_by(t.id)
    return [(row.id, row.name) for row in tx.execute(old)]
