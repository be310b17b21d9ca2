"""What a decision may depend on besides the bytes and the bundle, read from the journal into one value."""

from __future__ import annotations

import hashlib

from mailml.message import Message
from mailml.text import own_words
from mailml.thread import normal_subject
from mailml.verdict import Context

from ..instants import DAY, HOUR, to_datetime
from ..journal import Tx, incoming, interactions, limits
from ..journal.limits import Asked
from ..limits import Limits
from ..threads import Placed


def build(
    tx: Tx,
    mail: incoming.Claimed,
    message: Message,
    placed: Placed,
    *,
    allowed: Limits,
    cut_off_hours: float | None,
    key: bytes,
    now: int,
) -> Context:
    """The context of one message at this moment; asks the loop breaker, counts nothing."""
    refusal = limits.refusal(tx, asked(message), allowed, now) or _answers_for_others(tx, placed, now)
    if cut_off_hours is not None and now - mail.received_at > cut_off_hours * HOUR:
        refusal = f"the mail is older than the service's cut-off of {cut_off_hours:g} hours"
    sender = message.from_.addr if message.from_ else ""
    return Context(
        received_at=to_datetime(mail.received_at),
        now=to_datetime(now),
        mailbox=mail.mailbox,
        thread=placed.thread,
        limit=refusal,
        known_sender=bool(sender) and interactions.known_sender(tx, sender),
        loop_key=key,
    )


def _answers_for_others(tx: Tx, placed: Placed, now: int) -> str | None:
    """Why a stranger who answers our acknowledgement to somebody else gets none himself, for a day.

    That is what responders do that change address, domain and wording each round: no other limit sees them.
    """
    linked = interactions.by_reference(tx, placed.joined.linked) if placed.joined.linked else None
    if linked is None or linked.acked_at is None or now - linked.acked_at > DAY:
        return None
    return f"it answers our acknowledgement to somebody else, {linked.reference}"


def asked(message: Message, to: str = "") -> Asked:
    """The acknowledgement this message would get, as the loop breaker counts it.

    `to` is known once it is decided; before that it is where an answer would go.
    """
    first = message.reply_to[0] if message.reply_to else message.from_
    address = to or (first.addr if first else "")
    # folded, so that a responder that only re-wraps its text is still the same
    words = " ".join(own_words(message).own.casefold().split())
    body = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
    return Asked(address.lower(), normal_subject(message.subject), body)
