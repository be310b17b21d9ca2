"""Rings the bells of this process for what others wrote and for what falls due.

Here routers, parts and commands meet. Whoever works in the same process rings for the next himself; what
another process has committed the journal hears of, and only then is it looked for: while nothing happens
nothing is asked.
"""

from __future__ import annotations

from collections.abc import Collection

from .bells import Bells
from .instants import Clock, now_ms
from .journal import Journal, waits

_RUNG = ("work", "send")  # the parts that wait for others
_SELDOM, _OFTEN = 1.0, 0.1  # seconds
_REST = 0.05  # between two looks, however much is written


class Ringer:
    """Looks after the bells of a process that decides (`work`), or moves and sends (`send`), or both."""

    def __init__(
        self,
        journal: Journal,
        parts: Collection[str] = ("work", "send"),
        *,
        copies: bool = True,
        clock: Clock = now_ms,
    ) -> None:
        self.journal, self.parts, self.copies, self.clock = journal, parts, copies, clock
        # how often a file is asked for its version: whoever does everything hears of commands only
        self.every = _SELDOM if {"watch", *_RUNG} <= set(parts) else _OFTEN
        self._before = waits.NOTHING

    def run(self, bells: Bells) -> None:
        """Ring until told to stop."""
        if not set(_RUNG) & set(self.parts):
            bells.stop.wait()
            return
        news = self.journal.news()
        try:
            while not bells.stop.is_set():
                if news.heard(self._pause(), bells.stop) or self._fallen_due():
                    self.look(bells)
                    bells.stop.wait(_REST)
        finally:
            news.close()

    def look(self, bells: Bells) -> set[str]:
        """Ring for everybody for whom something has come; returns whom."""
        found, now = waits.NOTHING, self.clock()
        with self.journal.read() as tx:
            if "work" in self.parts:
                found |= waits.undecided(tx, now)
            if "send" in self.parts:
                found |= waits.effects(tx, now, copies=self.copies)
        called, self._before = found.news(self._before), found
        for role in called:
            _ring(bells, role)
        return called

    def _pause(self) -> float:
        """Until the next look is worth it; with a database the line itself wakes us."""
        ahead = self._before.next_at
        return self.every if ahead is None else max(min(self.every, (ahead - self.clock()) / 1000), 0.01)

    def _fallen_due(self) -> bool:
        return self._before.next_at is not None and self.clock() >= self._before.next_at


def _ring(bells: Bells, role: str) -> None:
    if role == waits.WORKER:
        bells.worker.ring()
    elif role == waits.SENDER:
        bells.mail()
    elif role == waits.CALLER:
        bells.news()
    else:
        bells.mover(role.removeprefix(waits.MOVER)).ring()
