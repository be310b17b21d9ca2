"""Signs of life in the journal: which parts of the work some process does, and until when tokens are good."""

from __future__ import annotations

from collections.abc import Collection

from .bells import Bells
from .config import Config
from .instants import SECOND, Clock, now_ms
from .journal import Journal, Tx, marks

_BEAT_SECONDS = 10.0
SILENT_SECONDS = 45.0  # a part not heard of for so long is done by nobody


class Vitals:
    """Beats every few seconds for the parts this process has taken on."""

    def __init__(
        self, journal: Journal, config: Config, parts: Collection[str], *, clock: Clock = now_ms
    ) -> None:
        self.journal, self.config, self.parts, self.clock = journal, config, parts, clock

    def run(self, bells: Bells) -> None:
        """Beat until told to stop."""
        while not bells.stop.is_set():
            self.beat()
            bells.stop.wait(_BEAT_SECONDS)
        self.end()

    def beat(self) -> None:
        """One sign of life."""
        now, accounts = self.clock(), self.config.accounts()
        ends = {name: ends for name, one in accounts.items() if (ends := one.token_ends()) is not None}
        with self.journal.write() as tx:
            for part in sorted(self.parts):
                marks.put(tx, f"part:{part}", now)
            for name, at in sorted(ends.items()):
                marks.put(tx, f"token:{name}", round(at * SECOND))

    def end(self) -> None:
        """A process that stops on purpose is gone at once, not after a while."""
        with self.journal.write() as tx:
            for part in sorted(self.parts):
                marks.put(tx, f"part:{part}", 0)


def idle_parts(tx: Tx, parts: Collection[str], now: int) -> list[str]:
    """The parts that nobody does now."""
    heard = marks.every(tx, "part:")
    return [part for part in parts if now - heard.get(part, 0) > SILENT_SECONDS * SECOND]
