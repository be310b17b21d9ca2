"""The two mails of ours, each under a signed Message-ID: the acknowledgement, and an agent's reply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailml.bundle import Bundle
from mailml.message import Message
from mailml.reply import compose_ack, compose_reply
from mailml.thread import own_message_id
from mailml.verdict import Context, Decision, Identity

from .config import Sending

ACK = 1  # the acknowledgement is our first mail in an interaction; an agent's replies count on from there


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail of ours, ready to be sent; its Message-ID stays the same however often that is tried."""

    message_id: str
    raw: bytes = field(repr=False)


def acknowledge(
    message: Message,
    decision: Decision,
    context: Context,
    bundle: Bundle,
    reference: str,
    sending: Sending,
) -> Composed:
    """The acknowledgement that a decision grants. Raises InputError or TemplateError if it cannot be made."""
    message_id = own_message_id(reference, ACK, _domain(sending), context.loop_key)
    raw = compose_ack(
        message=message,
        decision_ack=decision.ack,
        reference=reference,
        message_id=message_id,
        identity=_as(bundle.desk.identity, sending),
        policy=bundle.desk.ack,
        sla_target=decision.due.target if decision.due else bundle.desk.sla_target.text,
        customer_name=message.from_.name if message.from_ else "",
        loop_token=message_id.strip("<>"),
        date=context.now,
    )
    return Composed(message_id, _answered_to(raw, sending.reply_to))


def reply(
    message: Message,
    body: str,
    *,
    number: int,
    reference: str,
    to: str,
    identity: Identity,
    sending: Sending,
    key: bytes,
    date: datetime,
    agent: str = "",
    cc: Iterable[str] = (),
) -> Composed:
    """An agent's reply to the customer's latest message; `number` is its place among our mails there."""
    message_id = own_message_id(reference, number, _domain(sending), key)
    raw = compose_reply(
        message=message,
        to=to,
        reference=reference,
        message_id=message_id,
        identity=_as(identity, sending),
        body=body,
        date=date,
        agent_name=agent,
        cc=cc,
    )
    return Composed(message_id, _answered_to(raw, sending.reply_to))


def _answered_to(raw: bytes, address: str) -> bytes:
    """The mail with answers led to the configured Reply-To, which the configuration has checked."""
    if not address:
        return raw
    head, end, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"reply-to:")]
    return b"\r\n".join([f"Reply-To: <{address}>".encode("ascii"), *lines]) + end + body


def _as(identity: Identity, sending: Sending) -> Identity:
    """The desk writing from the corporate address of [smtp], whichever of its addresses comes first."""
    return replace(identity, addresses=frozenset({sending.from_}))


def _domain(sending: Sending) -> str:
    return sending.from_.rpartition("@")[2]
