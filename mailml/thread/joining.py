"""Which interaction a message belongs to, and by what evidence.

The order (strongest first): our own signed Message-IDs, then any Message-ID we know, then the reference in
the subject. A sender who is not a party is never let in: replies that land in a stranger's conversation are a
privacy incident, so such a message opens its own interaction and is only *linked* to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mailml.message import Message
from mailml.thread.references import find_references, verify_own_message_id
from mailml.thread.subjects import is_marked, normal_subject

_MOST_IDS = 50  # a hostile References of thousands must not become thousands of look-ups


@dataclass(frozen=True, slots=True)
class Party:
    """An interaction as joining sees it: reference, lower-case addresses that take part, open or closed."""

    reference: str
    addresses: frozenset[str]
    closed: bool = False


class Lookup(Protocol):
    """What is known of earlier mail: the journal in serve, `Threads` in the lab.

    `by_message_id` answers None for an id that it does not know *or that more than one interaction claims*.
    """

    def by_message_id(self, message_id: str, /) -> Party | None:
        """The interaction that holds the message with this id (as written, with its angle brackets)."""
        ...

    def by_reference(self, reference: str, /) -> Party | None:
        """The interaction with this reference."""
        ...


@dataclass(frozen=True, slots=True)
class Joined:
    """The answer: the interaction joined, and why.

    `by` is `own_message_id`, `references`, `subject_reference`, `same_subject` or `new`; `evidence` is the
    very id, reference or subject that decided. `linked` names an interaction that the message points to but
    to which the sender is no party: an agent is shown it. `reopens` says that the one joined was closed.
    """

    reference: str = ""
    by: str = "new"
    evidence: str = ""
    linked: str = ""
    reopens: bool = False

    @property
    def answers_ours(self) -> bool:
        """Whether a message that we sent and signed is what it answers."""
        return self.by == "own_message_id"


def join(
    message: Message, lookup: Lookup, key: bytes, subjects: Callable[[str, str], Party | None] | None = None
) -> Joined:
    """The interaction that a message belongs to; `Joined()` when it opens one.

    `key` verifies our own Message-IDs. Empty Message-IDs, the message's own, and those that more than one
    interaction claims join nothing. Pure but for `lookup`, which is asked at most 50 times.

    `subjects` is the last resort of a desk that has switched it on, for mail programs that name nothing they
    answer: given a normal subject and a sender it says which interaction of late is the only one of both.
    """
    sender = message.from_.addr if message.from_ else ""
    linked = ""
    for by, evidence, party in _candidates(message, lookup, key):
        if sender and sender in party.addresses:
            return Joined(party.reference, by, evidence, linked, reopens=party.closed)
        linked = linked or party.reference
    return (not linked and _by_subject(message, sender, subjects)) or Joined(linked=linked)


def _by_subject(
    message: Message, sender: str, subjects: Callable[[str, str], Party | None] | None
) -> Joined | None:
    """Join an answer that names nothing by its subject; a new mail under an old subject is a new matter."""
    subject = normal_subject(message.subject)
    if subjects is None or not sender or not subject:
        return None
    if not (message.in_reply_to or message.references or is_marked(message.subject)):
        return None
    party = subjects(subject, sender)
    if party is None or sender not in party.addresses:
        return None
    return Joined(party.reference, "same_subject", subject, reopens=party.closed)


def _candidates(message: Message, lookup: Lookup, key: bytes) -> Iterator[tuple[str, str, Party]]:
    """Every interaction that the message points to, the strongest evidence first."""
    ids = answered_ids(message)
    for message_id in ids:
        reference = verify_own_message_id(message_id, key)
        if reference and (party := lookup.by_reference(reference)):
            yield "own_message_id", message_id, party
    for message_id in ids:
        if party := lookup.by_message_id(message_id):
            yield "references", message_id, party
    for reference in find_references(message.subject)[:5]:
        if party := lookup.by_reference(reference):
            yield "subject_reference", reference, party


def answered_ids(message: Message) -> tuple[str, ...]:
    """The Message-IDs that a message answers, nearest first: In-Reply-To, then References backwards.

    Empty ids and the message's own are left out.
    """
    own = fold_message_id(message.message_id)
    ids = dict.fromkeys((*message.in_reply_to[:_MOST_IDS], *reversed(message.references[-_MOST_IDS:])))
    return tuple(i for i in ids if fold_message_id(i) not in ("", own))[:_MOST_IDS]


def fold_message_id(message_id: str) -> str:
    """A Message-ID as a key: without brackets and blanks, lower-case; "" for an empty one.

    Some servers change the case of an id on its way, and mail programs drop the brackets.
    """
    return message_id.strip().strip("<>").strip().lower()
