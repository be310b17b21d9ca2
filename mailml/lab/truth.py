"""`lab.truth`: in which queue each message belonged. By where agents left it, by labels, by who answered.

Each is a mapping from a message's SHA-256 to a queue, so that they can be laid over one another:
`{**truth.answered(archive, bundle), **truth.folders(archive, bundle), **truth.labelled(labels, bundle)}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mailml.errors import InputError, NotEnoughData
from mailml.lab.arrivals import Arrival
from mailml.lab.folders import queue_of
from mailml.lab.memory import memory_of
from mailml.lab.queues import categories_of

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.labels import Labels

Truth = Mapping[str, str]
# An agent who answers for two queues alike says nothing of either.
LOYAL = 0.6
_FEWEST = 5


def folders(archive: Archive, bundle: Bundle) -> dict[str, str]:
    """The queue in whose folder agents finally left a message."""
    queues = bundle.flow.queues()
    placed = ((one, queue_of(one.folder, queues)) for one in _history(archive, bundle) if not one.sent)
    return {one.sha256: queue for one, queue in placed if queue}


def labelled(labels: Labels | Mapping[str, str], bundle: Bundle) -> dict[str, str]:
    """The queue that a label names, or that stands for the category it names.

    A category that several queues share says no queue. Raises InputError for a label that is neither.
    """
    said = labels if isinstance(labels, Mapping) else {sha: one.label for sha, one in labels.latest().items()}
    queues = bundle.flow.queues()
    of = {category: queue for queue, category in categories_of(bundle.flow, bundle.desk.fallback).items()}
    known = {*queues, *bundle.desk.categories, "automated"}
    if strange := sorted({label for label in said.values() if label not in known}):
        near = get_close_matches(strange[0], sorted(known), n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        what = f"the labels say {', '.join(map(repr, strange))}, which is neither queue nor category"
        raise InputError(what, cure=f"{hint}There are: {', '.join(sorted(known))}")
    found = {sha: label if label in queues else of.get(label, "") for sha, label in said.items()}
    return {sha: queue for sha, queue in found.items() if queue}


def answered(archive: Archive, bundle: Bundle, teams: Mapping[str, str] | None = None) -> dict[str, str]:
    """The queue of whoever answered first: for mail that agents answered without moving it.

    `teams` maps an agent's address or display name to a queue. Without it an agent belongs to the queue in
    whose folder lies most of what he or she answered, 60 % at least of five messages or more. Raises
    NotEnoughData when nobody's queue is known (an archive without Sent, for example).
    """
    first = _first_answers(archive, bundle)
    homes = (
        {name.casefold(): queue for name, queue in teams.items()} if teams else _homes(archive, bundle, first)
    )
    made = {sha: homes.get(who, homes.get(address, "")) for sha, (who, address) in first.items()}
    told = {sha: queue for sha, queue in made.items() if queue}
    if not told:
        cure = "Pull the Sent folder as well, or give teams={'billing@example.com': 'Billing'}"
        raise NotEnoughData("nobody who answered belongs to a known queue", cure=cure)
    return told


def check_truth(truth: Truth, messages: Collection[str], queues: Collection[str]) -> str:
    """What is to be said of a truth ("" if nothing): messages that are not here, queues nobody knows.

    Raises InputError when none of it can be used.
    """
    here = {sha: queue for sha, queue in truth.items() if sha in messages}
    if truth and not here:
        what = f"none of the {len(truth):,} messages of the truth is in this archive"
        raise InputError(what, cure="Its keys are the SHA-256 of messages, as `lab.frame` lists them")
    strange = sorted({queue for queue in here.values() if queue and queue not in queues})
    if strange and not any(queue in queues for queue in here.values()):
        what = f"the truth names {', '.join(map(repr, strange[:5]))}, and neither flow has such a queue"
        raise InputError(what, cure=f"The queues are {', '.join(sorted(queues))}; see lab.truth.labelled")
    notes = []
    if missing := len(truth) - len(here):
        notes.append(f"{missing:,} of {len(truth):,} messages of the truth are not in this archive.")
    if strange:
        names = ", ".join(map(repr, strange[:5]))
        notes.append(f"The truth names {names}, to which neither flow can send.")
    return " ".join(notes)


def _history(archive: Archive, bundle: Bundle) -> list[Arrival]:
    queues = sorted(bundle.flow.queues())
    desk = bundle.desk
    return memory_of(archive).arrivals(archive, desk.identity.addresses, queues, b"", desk.same_subject)


def _first_answers(archive: Archive, bundle: Bundle) -> dict[str, tuple[str, str]]:
    """Message -> (display name, address) of the person who answered its interaction first after it."""
    from mailml.lab.replay import replay

    table = archive.table(columns=["sha256", "from_name"]).to_pydict()
    names = dict(zip(table["sha256"], table["from_name"], strict=True))
    rows = replay(archive, bundle)
    waiting: dict[str, list[str]] = {}
    found: dict[str, tuple[str, str]] = {}
    for sha, thread, sent, automatic, sender in rows[
        ["sha256", "thread", "sent", "automatic", "from_addr"]
    ].itertuples(index=False, name=None):
        if not sent:
            waiting.setdefault(thread, []).append(sha)
        elif not automatic:
            who = (names.get(sha) or "").casefold(), sender
            found.update(dict.fromkeys(waiting.pop(thread, ()), who))
    return found


def _homes(archive: Archive, bundle: Bundle, first: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    final, seen = folders(archive, bundle), dict[str, Counter[str]]()
    for sha, (who, address) in first.items():
        if sha in final:
            seen.setdefault(who or address, Counter())[final[sha]] += 1
    best = {who: counts.most_common(1)[0] for who, counts in seen.items()}
    enough = {who: seen[who].total() for who in best if seen[who].total() >= _FEWEST}
    return {who: best[who][0] for who, total in enough.items() if best[who][1] >= LOYAL * total}
