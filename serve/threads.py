"""The journal as `mailml.thread` sees it, and the placing of a message in its interaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from mailml.message import Message
from mailml.thread import (
    LONGEST_SUBJECT,
    Joined,
    Party,
    answered_ids,
    copy_key,
    fold_message_id,
    join,
    normal_subject,
    reference_of,
    verify_own_message_id,
)
from mailml.verdict import Thread

from .instants import DAY
from .journal import Tx, incoming, interactions
from .journal.interactions import Interaction


class JournalLookup:
    """Implements `mailml.thread.Lookup` in one transaction; the desk's addresses are parties everywhere."""

    def __init__(self, tx: Tx, ours: frozenset[str] = frozenset()) -> None:
        self._tx, self._ours = tx, ours

    def of_late(self, since: int, subject: str, sender: str, /) -> Party | None:
        """The only interaction of this sender with this subject and a message since a moment."""
        if sender in self._ours:
            return None
        late = interactions.of_sender(self._tx, sender, since)
        same = [number for number, opened in late if normal_subject(opened) == subject]
        return self._party(interactions.by_id(self._tx, same[0])) if len(same) == 1 else None

    def by_message_id(self, message_id: str, /) -> Party | None:
        """The one interaction that holds the message with this id."""
        return self._party(interactions.by_message_id(self._tx, fold_message_id(message_id)))

    def by_reference(self, reference: str, /) -> Party | None:
        """The interaction with this reference."""
        return self._party(interactions.by_reference(self._tx, reference))

    def _party(self, found: Interaction | None) -> Party | None:
        if found is None:
            return None
        who = interactions.addresses(self._tx, found.id)
        return Party(found.reference, who | self._ours, found.state == "closed")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a message belongs: the interaction it joins, if any, why, and the facts of the thread."""

    interaction: Interaction | None
    joined: Joined
    thread: Thread
    copy_key: str


def place(
    tx: Tx,
    mail: incoming.Claimed,
    message: Message,
    key: bytes,
    ours: frozenset[str] = frozenset(),
    same_subject: timedelta = timedelta(),
) -> Placed:
    """Find the interaction of a message and what is known of it before this message is counted.

    `ours` are the desk's own addresses: support@ may answer what was written to billing@. `same_subject` is
    how long an interaction is joined by its subject alone.
    """
    copy = copy_key(message)
    twin = interactions.of_copy(tx, copy)
    if twin is None and (again := incoming.shown_again(tx, mail)) is not None:
        twin = interactions.of_message(tx, again)
    if twin is not None:
        joined = Joined(twin.reference, "same_message", message.message_id)
    else:
        known = JournalLookup(tx, ours)
        since = mail.received_at - round(same_subject / timedelta(milliseconds=1))
        joined = join(message, known, key, partial(known.of_late, since) if same_subject else None)
    found = interactions.by_reference(tx, joined.reference) if joined.reference else None
    return Placed(found, joined, _thread(tx, mail, message, key, found, joined), copy)


def _thread(
    tx: Tx, mail: incoming.Claimed, message: Message, key: bytes, found: Interaction | None, joined: Joined
) -> Thread:
    ids = answered_ids(message)
    sent = interactions.ours(tx, [fold_message_id(one) for one in ids])
    ours = bool(sent) or any(verify_own_message_id(one, key) for one in ids)
    since = (mail.received_at - max(at for _, at in sent)) / 1000 if sent else None
    if found is None:
        return Thread(answers_ours=ours, seconds_since_ours=since)
    sender = message.from_.addr if message.from_ else ""
    return Thread(
        reference=found.reference,
        joined_by=joined.by,
        # a copy of a mail that was decided before is never answered by itself
        acked=found.acked_at is not None or joined.by == "same_message",
        answered=found.answered_at is not None,
        answers_ours=ours,
        human_within_30_days=interactions.wrote_lately(tx, found.id, sender, mail.received_at - 30 * DAY),
        seconds_since_ours=since,
    )


def reference_for(tx: Tx, message: Message) -> str:
    """The reference an interaction opened by this message would get: one that nobody has."""
    turn, reference = 0, reference_of(message.sha256.encode())
    while interactions.by_reference(tx, reference) is not None:
        turn += 1
        reference = reference_of(f"{message.sha256}/{turn}".encode())
    return reference


def open_interaction(tx: Tx, mail: incoming.Claimed, message: Message, **rest: object) -> Interaction:
    """Open an interaction for a message under a reference nobody has; `rest` as in the journal."""
    return interactions.open_new(
        tx,
        reference=reference_for(tx, message),
        mailbox_id=mail.mailbox_id,
        opened_by=mail.id,
        opened_at=mail.received_at,
        subject=message.subject[:LONGEST_SUBJECT],
        customer=message.from_.addr if message.from_ else "",
        **rest,
    )
