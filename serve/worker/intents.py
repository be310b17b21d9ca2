"""A decision -> the rows that record it and what is to be done about it, inside the worker's transaction."""

from __future__ import annotations

from dataclasses import dataclass

from mailml.bundle import Bundle
from mailml.errors import MailmlError
from mailml.message import Message
from mailml.sla import due, parse_target
from mailml.text import own_words
from mailml.text.thanks import is_thanks
from mailml.thread import fold_message_id, parties_of
from mailml.verdict import Context, Decision, Disposition, Kind, Reason

from ..acknowledgement import acknowledge
from ..config import Config, Mailbox
from ..instants import DAY, HOUR, Clock, to_ms
from ..journal import Tx, decisions, events, incoming, interactions, limits, outbox
from ..journal.interactions import Interaction
from ..threads import Placed, open_interaction
from .context import asked

_LOOP_ALARM = 3  # own mail that comes back within an hour before somebody is told


@dataclass(frozen=True, slots=True)
class Decided:
    """One message with everything known about it when its rows are written."""

    mail: incoming.Claimed
    message: Message
    placed: Placed
    context: Context
    decision: Decision
    bundle: Bundle
    mailbox: Mailbox


def record(tx: Tx, it: Decided, config: Config, clock: Clock) -> None:
    """Write decision, interaction, arrival and intents of one message."""
    now = clock()
    interaction = _interaction(tx, it)
    if interaction is not None:
        _arrive(tx, it, interaction, now)
    decisions.add(tx, it.mail.id, interaction.id if interaction else None, it.decision, it.context, now)
    outbox.add_move(tx, it.mail.mailbox_id, it.mail.id, _folder(it), now)
    if it.decision.ack.send and interaction is not None:
        _acknowledge(tx, it, interaction, config, now)
    _look_for_loops(tx, it, interaction, config, now)
    incoming.finish(tx, it.mail.id, "decided", now)


def _folder(it: Decided) -> str:
    filed = it.decision.disposition is Disposition.FILE
    return (
        it.mailbox.filed_folder(it.decision.folder) if filed else it.mailbox.queue_folder(it.decision.queue)
    )


def _interaction(tx: Tx, it: Decided) -> Interaction | None:
    """The interaction joined, or opened; filed mail opens none, but is linked to what it is about."""
    if it.placed.interaction is not None:
        return it.placed.interaction
    if it.decision.disposition is Disposition.FILE:
        return interactions.by_message_id(tx, fold_message_id(it.decision.verdict.related_message_id))
    answer = it.decision.due
    return open_interaction(
        tx,
        it.mail,
        it.message,
        queue=it.decision.queue,
        priority=it.decision.priority,
        due_at=to_ms(answer.at) if answer else None,
        target=answer.target if answer else "",
    )


def _arrive(tx: Tx, it: Decided, interaction: Interaction, now: int) -> None:
    joined = it.placed.joined
    by = joined.by if it.placed.interaction or it.decision.disposition is Disposition.DELIVER else "related"
    sender = it.message.from_.addr if it.message.from_ else ""
    interactions.arrive(
        tx,
        interaction.id,
        it.mail.id,
        it.mail.received_at,
        sender=sender,
        kind=it.decision.kind.value,
        joined_by=by,
        evidence=joined.evidence,
        copy_key=it.placed.copy_key,
    )
    if joined.linked:
        # the sender is no party to what the mail points to: its own interaction, and a person looks at it
        note = f"points to {joined.linked}, to which the sender is no party"
        events.add(tx, "linked", now, note, level="warning", interaction=interaction.id, incoming=it.mail.id)
    if it.decision.disposition is Disposition.FILE or joined.by == "same_message":
        return
    interactions.add_message_id(
        tx, interaction.id, fold_message_id(it.message.message_id), it.mail.received_at, ours=False
    )
    interactions.add_parties(tx, interaction.id, parties_of(it.message))
    if it.decision.kind is Kind.HUMAN and interaction.state != "open":
        if is_thanks(own_words(it.message).own):
            # nobody waits for an answer to a mere thank you
            events.add(tx, "thanked", now, interaction=interaction.id, incoming=it.mail.id)
            return
        interactions.reopen(tx, interaction.id, _due_anew(it, interaction))
        events.add(tx, "reopened", now, interaction=interaction.id, incoming=it.mail.id)


def _due_anew(it: Decided, interaction: Interaction) -> int | None:
    """When an answer is due that nobody waited for any more: by the target it had, from this mail on."""
    if interaction.state != "closed" or interaction.answered_at is not None or not interaction.target:
        return None
    target = parse_target(interaction.target)
    return to_ms(due(it.context.received_at, target, it.bundle.desk.calendar).at)


def _acknowledge(tx: Tx, it: Decided, interaction: Interaction, config: Config, now: int) -> None:
    """Count it, compose it, and leave it to the outbox: three things that commit together or not at all."""
    row = {
        "mailbox_id": it.mail.mailbox_id,
        "incoming_id": it.mail.id,
        "interaction_id": interaction.id,
        "recipient": it.decision.ack.to,
    }
    limits.grant(tx, asked(it.message, it.decision.ack.to), interaction.id, now)
    interactions.acked(tx, interaction.id, now)
    key, sending = f"ack:{interaction.reference}", config.smtp.sending
    try:
        ack = acknowledge(it.message, it.decision, it.context, it.bundle, interaction.reference, sending)
    except MailmlError as error:
        # an address or template nothing can be made of costs the acknowledgement, never the routing
        number = outbox.add_mail(tx, "ack", key, now, raw=b"", **row)
        outbox.settle(tx, number, "failed", now, f"could not be composed: {error.what}")
        events.add(tx, "mail_failed", now, "ack: could not be composed", level="warning", incoming=it.mail.id)
        return
    interactions.add_message_id(tx, interaction.id, fold_message_id(ack.message_id), now, ours=True)
    outbox.add_mail(tx, "ack", key, now, raw=ack.raw, message_id=ack.message_id, **row)


def _look_for_loops(tx: Tx, it: Decided, interaction: Interaction | None, config: Config, now: int) -> None:
    """Write down every sign of a loop, and let the global breaker look at them."""
    number = interaction.id if interaction else None
    kind = it.decision.kind
    if kind is Kind.OWN_LOOP:
        often = events.count(tx, ["own_loop"], now - HOUR) + 1 >= _LOOP_ALARM
        level = "alarm" if often else "warning"
        events.add(tx, "own_loop", now, level=level, interaction=number, incoming=it.mail.id)
    if limited := it.decision.ack.reason is Reason.LIMIT:
        # a subject many strangers share is no loop: it is limited, but trips nothing
        why = it.context.limit or ""
        told = "ack_limited" if "per_subject_day" in why or "cut-off" in why else "ack_refused"
        events.add(tx, told, now, why, interaction=number, incoming=it.mail.id)
    if kind is Kind.BOUNCE:
        _silence(tx, it, config, now)
    if limited or it.decision.ack.send or kind in (Kind.OWN_LOOP, Kind.BOUNCE):
        limits.watch(tx, config.limits, now)


def _silence(tx: Tx, it: Decided, config: Config, now: int) -> None:
    """A bounced acknowledgement silences its address; a bounce of anything else is only filed."""
    bounced = outbox.ours(tx, it.decision.verdict.related_message_id)
    if bounced is None or bounced.effect != "ack":
        return
    until = now + config.limits.silence_days * DAY
    limits.silence(tx, bounced.recipient, until, "an acknowledgement bounced")
    events.add(tx, "ack_bounced", now, interaction=bounced.interaction_id, incoming=it.mail.id)
