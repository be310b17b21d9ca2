"""How long mail and people are remembered: `[retention]`, carried out by the clock and on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from .config import Config
from .instants import DAY, Clock, now_ms
from .journal import Journal, Tx, events
from .journal import retention as forgetting

_PORTION = 500  # rows in one transaction: whoever waits for the write lock waits for one of these


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was dropped: bodies, conversations without people, decisions without their details."""

    bodies: int = 0
    conversations: int = 0
    decisions: int = 0

    def to_plain(self) -> dict[str, Any]:
        """The counts as JSON-able values."""
        return asdict(self)


def due(config: Config) -> bool:
    """Whether anything is ever forgotten."""
    return config.retention.body_days is not None or config.retention.person_days is not None


def forget(config: Config, journal: Journal, *, clock: Clock = now_ms) -> Forgotten:
    """Drop everything that is old enough, in portions."""
    now, settings = clock(), config.retention
    bodies = conversations = details = 0
    # people stand in bodies too: whoever forgets people forgets bodies by then
    body_days = settings.body_days if settings.body_days is not None else settings.person_days
    if body_days is not None:
        bodies = _all(journal, forgetting.bodies, now - round(body_days * DAY))
    if settings.person_days is not None:
        before = now - round(settings.person_days * DAY)
        conversations = _all(journal, forgetting.people, before)
        details = _all(journal, forgetting.details, before)
        with journal.write() as tx:
            forgetting.leftovers(tx, before, now)
    made = Forgotten(bodies, conversations, details)
    if made != Forgotten():
        with journal.write() as tx:
            note = ", ".join(f"{count} {name}" for name, count in made.to_plain().items())
            events.add(tx, "forgotten", now, note)
    return made


def _all(journal: Journal, step: Callable[[Tx, int, int], int], before: int) -> int:
    total = 0
    while True:
        with journal.write() as tx:
            count = step(tx, before, _PORTION)
        total += count
        if not count:
            return total
