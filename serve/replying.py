"""An agent's reply: from the corporate address, into the customer's thread, through the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from mailml.errors import InputError
from mailml.message import parse
from mailml.thread import fold_message_id
from mailml.verdict import Identity

from .acknowledgement import Composed, reply
from .config import Sending
from .instants import Clock, now_ms, to_datetime
from .journal import Journal, Tx, events, interactions, outbox
from .journal.interactions import Interaction


def put_reply(
    journal: Journal,
    reference: str,
    body: str,
    *,
    identity: Identity,
    sending: Sending,
    key: bytes,
    to: str = "",
    agent: str = "",
    cc: Sequence[str] = (),
    clock: Clock = now_ms,
) -> Composed:
    """Put a reply into the outbox; the running service sends it. Returns it with its Message-ID.

    It goes to the customer who opened the interaction unless `to` says otherwise. The interaction counts as
    answered when the server has taken it. Raises InputError for an unknown reference or an empty text.
    """
    if not body.strip():
        raise InputError("the reply is empty", cure="Write something into the file")
    with journal.write() as tx:
        found, raw, recipient = _addressed(tx, reference, to)
        now = clock()
        number = max(outbox.next_number(tx, found.id), 2)  # 1 is the acknowledgement's, sent or not
        mail = reply(
            parse(raw),
            body,
            number=number,
            reference=found.reference,
            to=recipient,
            identity=identity,
            sending=sending,
            key=key,
            date=to_datetime(now),
            agent=agent,
            cc=cc,
        )
        outbox.add_mail(
            tx,
            "reply",
            f"reply:{found.reference}:{number}",
            now,
            raw=mail.raw,
            mailbox_id=found.mailbox_id,
            incoming_id=found.opened_by,
            interaction_id=found.id,
            message_id=mail.message_id,
            sender=sending.envelope or sending.from_,
            recipient=recipient,
        )
        interactions.add_message_id(tx, found.id, fold_message_id(mail.message_id), now, ours=True)
        interactions.add_parties(tx, found.id, {recipient, *cc})
        events.add(tx, "reply_written", now, interaction=found.id)
    return mail


def _addressed(tx: Tx, reference: str, to: str) -> tuple[Interaction, bytes, str]:
    """The interaction, the customer's latest message in it, and where the reply goes."""
    found = interactions.by_reference(tx, reference.strip().lstrip("#").upper())
    if found is None:
        raise InputError(f"there is no interaction {reference!r}", cure="See: mailml-serve decisions")
    raw = interactions.latest_raw(tx, found.id)
    if raw is None:
        raise InputError("the customer's message is no longer kept", where=found.reference)
    recipient = to or found.customer
    if not recipient:
        raise InputError("the customer has no address", where=found.reference, cure="Name one with --to")
    return found, raw, recipient
