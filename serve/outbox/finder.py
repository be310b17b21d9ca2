"""Where a message lies: in which folder the bytes of a move are found again, and under which UID.

Asked before a move that may be a repetition and after one nobody confirmed. Message-ID or size choose whom to
compare, the bytes decide: other mail under the same Message-ID is other mail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from mailml.transport.imap import Head, ImapSession

from ..instants import DAY, to_datetime
from ..journal import Journal, outbox
from ..journal.outbox import Move

_CALENDARS = 2 * DAY  # SEARCH SINCE goes by the server's calendar, wherever it stands


class Finder:
    """Looks through folders; `named` turns our folder names into the server's."""

    def __init__(self, journal: Journal, named: Callable[[str], str]) -> None:
        self.journal, self.named = journal, named

    def find(self, session: ImapSession, folder: str, moves: Sequence[Move]) -> dict[int, int]:
        """The UIDs in a folder of those moves' messages that lie there, by the number of the move.

        Everything that arrived since the oldest of them is looked through. A message that is known to be
        another one with the same bytes does not count. The folder is left open, read-only.
        """
        if not moves or not session.has_folder(self.named(folder)):
            return {}
        session.examine(self.named(folder))
        heads = session.heads(self._since(session, min(move.received_at for move in moves)))
        found: dict[int, int] = {}
        for move in moves:
            uid = self._one(session, folder, move, heads, set(found.values()))
            if uid is not None:
                found[move.id] = uid
        return found

    def _since(self, session: ImapSession, received_at: int) -> list[int]:
        if received_at < _CALENDARS:
            return session.uids()  # an arrival before 1970 is none that can be asked for
        return session.uids_arrived_since(to_datetime(received_at - _CALENDARS).date())

    def _one(
        self, session: ImapSession, folder: str, move: Move, heads: Sequence[Head], given: set[int]
    ) -> int | None:
        candidates = {head.uid for head in heads if _alike(move, head)} - given
        if candidates:
            with self.journal.read() as tx:
                candidates -= outbox.taken(tx, move, folder)
        # one byte more than was hashed shows whether it ends there; of a truncated mail we know no more
        most = move.kept + (move.size <= move.kept)
        same = [
            fetched.uid
            for fetched in session.fetch_raw(sorted(candidates), max_bytes=most)
            if hashlib.sha256(fetched.raw or b"").hexdigest() == move.sha256
        ]
        return same[-1] if same else None


def _alike(move: Move, head: Head) -> bool:
    """Whether it is worth comparing: the same Message-ID, or none that can be compared and about its size."""
    wanted = move.message_id.strip("<> ").lower().encode("utf-8", "surrogateescape")
    if wanted and b"@" in head.message_id:
        return wanted in head.message_id.lower() or head.size == move.size
    # Exchange estimates RFC822.SIZE
    return abs(head.size - move.size) <= 1024 + move.size // 8
