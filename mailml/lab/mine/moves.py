"""What agents did with each message, and how surely: moved, filed or answered where it lay.

Nobody's word is taken for more than it is: where the router put a message says nothing until a person left it
there and answered; many messages moved at once say where a folder was emptied to, not what each is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

from mailml.lab.folders import queue_of
from mailml.lab.mine.places import Place, Trail

# How the queue of a message became known, and how sure that makes it.
MOVED, UNDONE, ANSWERED, FILED = (
    "moved by an agent",
    "filing undone",
    "answered where it lay",
    "filed by hand",
)
CONFIDENCE = {MOVED: 0.95, UNDONE: 0.95, ANSWERED: 0.85, FILED: 0.8}
# Why a message says nothing.
NOT_HUMAN, DISCARDED, UNSETTLED = "not written by a person", "in Trash or Junk", "too young to be settled"
BULK, UNFILED, TWO, UNTOUCHED = "bulk move", "in no queue's folder", "in two queues", "only the router's move"
GONE, SHARED = "gone from the mailbox", "its queue stands for no one category"
PER_SENDER, PER_THREAD, PER_TEXT = (
    "over the cap per sender",
    "over the cap per thread",
    "over the cap per text",
)


@dataclass(frozen=True, slots=True)
class Routed:
    """What the service is known to have done with a message: the queue it chose, and whether it moved it."""

    queue: str
    moved: bool
    undone_to: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one message: first and last queue, how, and why it says nothing ("" if it does)."""

    message: str
    first: str
    final: str
    how: str
    why_not: str

    @property
    def moved(self) -> bool:
        """Whether agents moved it from one queue to another."""
        return bool(self.first and self.final and self.first != self.final)


def known(
    trail: Trail, queues: Collection[str], routed: Routed | None, *, answered: bool, bulk: bool, settled: bool
) -> Known:
    """What a trail says, with what the service did and whether a person answered."""
    here = {queue_of(place.folder, queues) for place in trail.now} - {""}
    past = [queue for place in trail.places if (queue := queue_of(place.folder, queues))]
    final = next(iter(here)) if len(here) == 1 else ""
    first = routed.queue if routed and routed.queue else past[0] if past else ""
    if routed and routed.undone_to and not final:
        final = routed.undone_to
    how = _how(trail, routed, first, final, answered=answered)
    why = _why_not(trail, final, how, copies=len(here), bulk=bulk, settled=settled)
    return Known(trail.message, first, final, how, why)


def _how(trail: Trail, routed: Routed | None, first: str, final: str, *, answered: bool) -> str:
    if not final:
        return ""
    if routed and routed.undone_to:
        return UNDONE
    if first != final:
        return MOVED
    by_router = routed is not None and routed.moved
    if answered:
        # from INBOX into a queue with nobody but people there: that was a person, and one answered
        return ANSWERED
    return "" if by_router else FILED


def _why_not(trail: Trail, final: str, how: str, *, copies: int, bulk: bool, settled: bool) -> str:
    if trail.discarded:
        return DISCARDED
    if copies > 1:
        return TWO
    if not final:
        return UNFILED if trail.now else GONE
    if bulk and how in (MOVED, FILED):
        return BULK
    if not settled:
        return UNSETTLED
    return "" if how else UNTOUCHED


def bulk_moved(trails: Iterable[Trail], queues: Collection[str], most: int) -> frozenset[str]:
    """Messages that came to their folder among `most` or more in one go.

    A client that moves a selection makes one run of consecutive UIDs in the target, in the order of the
    source (RFC 6851 3.3, RFC 3501 6.4.7); agents who sort one by one leave others' mail in between. Only
    runs within one pull and from one source count.
    """
    arrivals: dict[tuple[str, str, int, int], list[tuple[int, Place, str]]] = defaultdict(list)
    for trail in trails:
        place, before = trail.now[0] if trail.now else None, trail.before
        if place and before and queue_of(place.folder, queues) and before.folder != place.folder:
            key = (place.account, place.folder, place.uidvalidity, place.part)
            arrivals[key].append((place.uid, before, trail.message))
    found: set[str] = set()
    for landed in arrivals.values():
        landed.sort(key=lambda item: item[0])
        for run in _runs(landed):
            if len(run) >= most:
                found.update(message for _, _, message in run)
    return frozenset(found)


def _runs(landed: list[tuple[int, Place, str]]) -> Iterable[list[tuple[int, Place, str]]]:
    run = landed[:1]
    for (uid, before, _), item in pairwise(landed):
        same = item[1].folder == before.folder and item[1].uidvalidity == before.uidvalidity
        if item[0] == uid + 1 and same and item[1].uid > before.uid:
            run.append(item)
        else:
            yield run
            run = [item]
    yield run
