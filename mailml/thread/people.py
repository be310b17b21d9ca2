"""Who takes part in a conversation by a message, and what copies of one mail have in common."""

from __future__ import annotations

from hashlib import sha256

from mailml.message import Message
from mailml.thread.joining import fold_message_id

_MOST = 100  # a mail to thousands must not make thousands of parties
_LONGEST = 1_000  # archives cut texts at 4,096 characters; both sides read the same beginning


def parties_of(message: Message) -> frozenset[str]:
    """Everyone a message is from, asks to be answered at, or is addressed to."""
    people = (message.from_, *message.reply_to[:_MOST], *message.to[:_MOST], *message.cc[:_MOST])
    return frozenset(person.addr for person in people if person and person.addr)


def copy_key(message: Message) -> str:
    """What copies of one mail have in common ("" without a Message-ID): each server adds its own Received.

    Message-ID, sender, date and subject; two mailboxes or two folders are shown the same mail.
    """
    if not message.message_id:
        return ""
    sender = message.from_.addr if message.from_ else ""
    when = message.date.isoformat() if message.date else ""
    parts = (fold_message_id(message.message_id), sender, when, message.subject)
    told = "\0".join(part[:_LONGEST] for part in parts).replace("\ufffd", "")
    # lone surrogates cannot be stored everywhere: they count for nothing
    return sha256(told.encode("utf-8", "ignore")).hexdigest()
