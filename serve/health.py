"""Is the service alive, and does it do what it is there for? Every degraded mode by name, none left out.

Read from the journal, so that the answer is the same in whichever process it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from . import alarms
from .bundles import Bundles
from .config import Config
from .instants import MINUTE, SECOND, Clock, now_ms
from .journal import Journal, JournalError, Tx, deliveries, figures, marks, quarantine
from .roster import PARTS
from .vitals import idle_parts

_ESSENTIAL = ("watch", "work", "send")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way in which the service is not at its best; `serious` means that mail is not being routed."""

    mode: str
    about: str
    why: str
    serious: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is ok, degraded or down; `ready` says whether mail is being routed."""

    status: str
    troubles: tuple[Trouble, ...] = field(default=())

    @property
    def ready(self) -> bool:
        """Whether mail is being routed."""
        return self.status != "down"

    def to_plain(self) -> dict[str, Any]:
        """Flat JSON: status, ready, and the troubles."""
        return {
            "status": self.status,
            "ready": self.ready,
            "degraded": [asdict(trouble) for trouble in self.troubles],
        }


def examine(
    journal: Journal, config: Config, bundles: Bundles | None = None, *, clock: Clock = now_ms
) -> Health:
    """The state of the service now; a journal that cannot be read is the worst state and no error."""
    now = clock()
    try:
        with journal.read() as tx:
            found = [*_troubles(tx, config, now)]
    except JournalError as error:
        found = [Trouble("journal", str(journal.path), f"cannot be read: {type(error).__name__}", True)]
    for role, why in (bundles.refusals if bundles else {}).items():
        found.append(Trouble("bundle_refused", role, why))
    status = "ok" if not found else "down" if any(one.serious for one in found) else "degraded"
    return Health(status, tuple(found))


def _troubles(tx: Tx, config: Config, now: int) -> Iterator[Trouble]:
    for part in idle_parts(tx, PARTS, now):
        yield Trouble("part_idle", part, f"no process does {part!r}", part in _ESSENTIAL)
    yield from _mailboxes(tx, config, now)
    for one in alarms.conditions(tx, config, now):
        if one.kind != "mailbox_silent":
            yield Trouble(one.kind, one.about, one.note)
    for name, at in marks.every(tx, "token:").items():
        if at < now:
            # an open connection lives on: it is the next login that needs a new one
            yield Trouble("token_expired", name, f"its last token ended {(now - at) // SECOND} s ago")
    if held := len(quarantine.held(tx)):
        yield Trouble("quarantine", "", f"{held} messages are set aside")
    for target, state, count in deliveries.counts(tx):
        if state == "dead":
            yield Trouble("webhook_dead", target, f"{count} deliveries were given up")
    if (lag := figures.lag(tx, now)) > 5 * MINUTE:
        yield Trouble("lag", "", f"a message waits for its decision since {lag // SECOND} s", True)


def _mailboxes(tx: Tx, config: Config, now: int) -> Iterator[Trouble]:
    """Those that fail or are silent; when all of them do, nothing is being routed."""
    watched = {mailbox.name for mailbox in config.mailboxes}
    rows = {row["name"]: row for row in figures.watched(tx) if row["name"] in watched}
    silent = {one.about: one for one in alarms.conditions(tx, config, now) if one.kind == "mailbox_silent"}
    failing = {name: row["failure"] for name, row in rows.items() if row["failure"]}
    bad = {**{name: one.note for name, one in silent.items()}, **failing}
    for name in sorted(bad):
        mode = "mailbox_failing" if name in failing else "mailbox_silent"
        yield Trouble(mode, name, bad[name], serious=set(bad) >= watched)
