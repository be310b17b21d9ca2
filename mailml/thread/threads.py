"""An index of interactions in memory: what the workbench replays an archive with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from mailml.message import Message
from mailml.thread.joining import Joined, Party, fold_message_id, join
from mailml.thread.people import copy_key, parties_of
from mailml.thread.references import reference_of
from mailml.thread.subjects import LONGEST_SUBJECT, normal_subject

_CLAIMED_TWICE = ""


class Threads:
    """Interactions by Message-ID and by reference; implements `Lookup`.

    A Message-ID that two interactions claim joins nothing from then on (duplicate ids are common in mail made
    by scripts). Everyone a joined message is from or addressed to is a party to its interaction.
    """

    def __init__(self, *, ours: Iterable[str] = (), same_subject: timedelta = timedelta()) -> None:
        """`ours` are the desk's own addresses, parties to everything: support@ may answer billing@'s mail.

        `same_subject` is how long after its last message an interaction is still joined by its subject alone;
        nothing switches that off.
        """
        self._same_subject = same_subject
        self._by_subject: dict[str, set[str]] = {}
        self._last: dict[str, datetime] = {}
        self._ours = frozenset(address.lower() for address in ours)
        self._by_id: dict[str, str] = {}
        self._addresses: dict[str, set[str]] = {}
        self._closed: set[str] = set()
        self._seen: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def __contains__(self, reference: object) -> bool:
        return reference in self._addresses

    def add(self, message: Message, reference: str, *, addresses: Iterable[str] = ()) -> None:
        """Record that `message` belongs to the interaction `reference`, which it opens or re-opens.

        `addresses` are further parties, such as the envelope recipient.
        """
        self.add_id(message.message_id, reference)
        parties = self._addresses.setdefault(reference, set())
        parties.update(parties_of(message))
        parties.update(address.lower() for address in addresses if address)
        self._closed.discard(reference)

    def add_id(self, message_id: str, reference: str) -> None:
        """Record one more Message-ID of an interaction; an empty one is ignored."""
        if folded := fold_message_id(message_id):
            known = self._by_id.setdefault(folded, reference)
            if known != reference:
                self._by_id[folded] = _CLAIMED_TWICE
        self._addresses.setdefault(reference, set())

    def close(self, reference: str) -> None:
        """Mark an interaction as closed; the next message that joins it says `reopens`."""
        if reference in self._addresses:
            self._closed.add(reference)

    def by_message_id(self, message_id: str, /) -> Party | None:
        """The one interaction that claims this Message-ID."""
        return self.by_reference(self._by_id.get(fold_message_id(message_id), _CLAIMED_TWICE))

    def by_reference(self, reference: str, /) -> Party | None:
        """The interaction with this reference."""
        addresses = self._addresses.get(reference)
        if addresses is None:
            return None
        return Party(reference, self._ours | addresses, reference in self._closed)

    def place(self, message: Message, key: bytes = b"", at: datetime | None = None) -> Joined:
        """Join a message or open an interaction for it, and record it: one step of a replay.

        `reference` is never empty in the answer; `by` tells whether it is new. A copy of a mail that came
        before (same Message-ID, sender, date and subject: two mailboxes, two folders) is `same_message`. `at`
        is when it arrived, which only joining by subject asks for.
        """
        # eight bytes of it are enough to tell a few million mails apart
        mail = int(copy_key(message)[:16] or "0", 16)
        if mail and (reference := self._seen.get(mail)):
            return Joined(reference, "same_message", message.message_id)
        subjects = partial(self._of_late, at) if self._same_subject and at else None
        joined = join(message, self, key, subjects)
        reference = joined.reference or self._unused_reference(message.sha256)
        if mail:
            self._seen[mail] = reference
        self.add(message, reference)
        self._remember(message, reference, at, opens=not joined.reference)
        if joined.reference:
            return joined
        return Joined(reference, joined.by, joined.evidence, joined.linked)

    def _remember(self, message: Message, reference: str, at: datetime | None, *, opens: bool) -> None:
        if not self._same_subject or at is None:
            return
        self._last[reference] = max(at, self._last.get(reference, at))
        if opens:
            subject = normal_subject(message.subject[:LONGEST_SUBJECT])
            self._by_subject.setdefault(subject, set()).add(reference)

    def _of_late(self, at: datetime, subject: str, sender: str) -> Party | None:
        """The only interaction with this subject that this sender takes part in and that is not over long."""
        if sender in self._ours:
            return None
        late = [
            reference
            for reference in self._by_subject.get(subject, ())
            if sender in self._addresses[reference] and at - self._last[reference] <= self._same_subject
        ]
        return self.by_reference(late[0]) if len(late) == 1 else None

    def _unused_reference(self, seed: str) -> str:
        # the same bytes in two folders, or (once in a lifetime) a clash of 40 bits, lengthen the seed
        turn, reference = 0, reference_of(seed.encode())
        while reference in self._addresses:
            turn, reference = turn + 1, reference_of(f"{seed}/{turn + 1}".encode())
        return reference
