"""An archive in order of arrival: who wrote, in which interaction, ours or theirs. Facts only, no bodies.

A message that lies in two folders (a copy, or pulled before and after a move) counts once, where a queue's
folder says more than INBOX.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from mailml.lab.folders import is_history, is_sent, queue_of
from mailml.message import Address
from mailml.thread import Joined, Threads, fold_message_id

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.message import Message

Key = tuple[str, str, int, int]  # account, folder, UIDVALIDITY, UID

COLUMNS = (
    "account", "folder", "uidvalidity", "uid", "internaldate", "sha256", "message_id", "in_reply_to",
    "references", "subject", "from_addr", "reply_to", "to", "cc", "date", "present",
)  # fmt: skip
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of the history, at its moment, with the interaction it belongs to.

    `opens` is whether it opens that interaction; `answers` are the folded Message-IDs it says it answers.
    """

    key: Key
    at: datetime
    sha256: str
    message_id: str
    subject: str
    from_addr: str
    to: tuple[str, ...]
    answers: tuple[str, ...]
    sent: bool
    thread: str
    joined_by: str

    @property
    def opens(self) -> bool:
        """Whether the message opens its interaction."""
        return self.joined_by == "new"

    @property
    def folder(self) -> str:
        """The folder it lies in."""
        return self.key[1]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the archive's columns know of a message, under the names that `thread.join` asks for."""

    sha256: str
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    from_: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    date: datetime | None


def arrivals(
    archive: Archive,
    own: Collection[str],
    queues: Collection[str] = (),
    *,
    loop_key: bytes = b"",
    same_subject: timedelta = timedelta(),
) -> list[Arrival]:
    """Every message of the archive once, in order of arrival, each placed in its interaction.

    `own` are the desk's addresses: mail from them, and mail in a Sent folder, is ours. `queues` name the
    folders that are preferred where a message lies in several. Drafts and deleted mail are left out.
    `same_subject` is the desk's own: how long an interaction is joined by its subject alone.
    """
    rows = archive.table(columns=list(COLUMNS)).to_pylist()
    chosen = _once([row for row in rows if is_history(row["folder"])], queues)
    chosen.sort(key=lambda row: (row["internaldate"] or _START, row["sha256"]))
    ours = frozenset(address.lower() for address in own)
    # our own addresses are parties to everything: an answer to billing@ may leave from support@
    threads = Threads(ours=ours, same_subject=same_subject)
    return [_placed(row, threads, ours, loop_key) for row in chosen]


def _once(rows: Iterable[Mapping[str, Any]], queues: Collection[str]) -> list[Mapping[str, Any]]:
    best: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for row in rows:
        place = 2 if queue_of(row["folder"], queues) else 0 if row["folder"].upper() == "INBOX" else 1
        # where it lies now says more than where it once was
        rank = place + 3 * bool(row["present"])
        if row["sha256"] not in best or rank > best[row["sha256"]][0]:
            best[row["sha256"]] = (rank, row)
    return [row for _, row in best.values()]


def _placed(row: Mapping[str, Any], threads: Threads, own: frozenset[str], loop_key: bytes) -> Arrival:
    known = _known(row)
    # Threads reads nothing of a message but what _Known has: parsing 100,000 again would take minutes
    joined = threads.place(cast("Message", known), loop_key, row["internaldate"] or _START)
    return _arrival(row, known, joined, own)


def _arrival(row: Mapping[str, Any], known: _Known, joined: Joined, own: frozenset[str]) -> Arrival:
    sender = known.from_.addr if known.from_ else ""
    return Arrival(
        key=(row["account"], row["folder"], row["uidvalidity"], row["uid"]),
        at=row["internaldate"] or _START,
        sha256=known.sha256,
        message_id=fold_message_id(known.message_id),
        subject=known.subject,
        from_addr=sender,
        to=tuple(person.addr for person in (*known.to, *known.cc)),
        answers=tuple(fold_message_id(i) for i in (*known.in_reply_to, *known.references)),
        sent=is_sent(row["folder"]) or sender in own,
        thread=joined.reference,
        joined_by=joined.by,
    )


def _known(row: Mapping[str, Any]) -> _Known:
    sender = row["from_addr"] or ""
    return _Known(
        sha256=row["sha256"],
        message_id=row["message_id"] or "",
        in_reply_to=tuple(row["in_reply_to"] or ()),
        references=tuple(row["references"] or ()),
        subject=row["subject"] or "",
        from_=Address("", sender) if sender else None,
        to=_people(row["to"]),
        cc=_people(row["cc"]),
        reply_to=_people(row["reply_to"]),
        date=row["date"],
    )


def _people(addresses: Iterable[str] | None) -> tuple[Address, ...]:
    return tuple(Address("", address) for address in addresses or ())
