"""What time does: answers that fall due or are late, mailboxes that fell silent, the daily reconciliation."""

from __future__ import annotations

import structlog

from mailml.errors import MailmlError

from .bells import Bells
from .config import Config
from .instants import HOUR, MINUTE, SECOND, Clock, now_ms
from .journal import Journal, events, incoming, interactions
from .reconcile import reconcile

_TICK_SECONDS = 10.0
_SILENT_POLLS = 3  # polls that may be missed before a mailbox counts as silent


class Timekeeper:
    """Looks at the clocks every few seconds; writes events, changes no mail."""

    def __init__(self, journal: Journal, config: Config, *, clock: Clock = now_ms) -> None:
        self.journal, self.config, self.clock = journal, config, clock
        self.log = structlog.get_logger("clock")
        self._silent: set[str] = set()
        self._started_at = self._reconciled_at = clock()  # the watchers are reading everything just now

    def run(self, bells: Bells) -> None:
        """Tick until told to stop."""
        while not bells.stop.is_set():
            self.tick()
            bells.clock.wait(_TICK_SECONDS)

    def tick(self) -> None:
        """Everything that is due at this moment."""
        self._answers()
        self._freshness()
        if self.clock() - self._reconciled_at >= self.config.service.reconcile_hours * HOUR:
            self.reconcile()

    def _answers(self) -> None:
        """Tell of answers that fall due soon, once, and of those that are late, once."""
        now = self.clock()
        soon = now + self.config.service.due_soon_minutes * MINUTE
        with self.journal.read() as tx:
            warn = interactions.overdue(tx, "warned_at", soon)
            late = interactions.overdue(tx, "breached_at", now)
        if not warn and not late:
            return
        with self.journal.write() as tx:
            for column, kind, level, found in (
                ("warned_at", "sla_due", "warning", warn),
                ("breached_at", "sla_breached", "alarm", late),
            ):
                for one in found:
                    interactions.mark(tx, one.id, column, now)
                    events.add(tx, kind, now, one.reference, level=level, interaction=one.id)

    def _freshness(self) -> None:
        """A mailbox that fell silent is an alarm: a failure must not look like an empty mailbox."""
        now = self.clock()
        period = self.config.service.poll_seconds * _SILENT_POLLS + 60
        before = now - round(period * SECOND)
        if before < self._started_at:
            return  # a service that has just started has not been silent yet
        with self.journal.read() as tx:
            silent = {name: number for number, name in incoming.stale(tx, before)}
        watched = {mailbox.name for mailbox in self.config.mailboxes}
        fell = [name for name in silent if name in watched and name not in self._silent]
        self._silent = set(silent) & watched
        if fell:
            with self.journal.write() as tx:
                for name in fell:
                    self.log.error("mailbox silent", mailbox=name)
                    events.add(tx, "mailbox_silent", now, name, level="alarm", mailbox=silent[name])

    def reconcile(self) -> None:
        """Compare every inbox with the journal; one that cannot be reached does not hold up the others."""
        self._reconciled_at = self.clock()
        for mailbox in self.config.mailboxes:
            try:
                report = reconcile(self.journal, mailbox, clock=self.clock)
            except MailmlError as error:
                self.log.warning("not reconciled", mailbox=mailbox.name, why=str(error))
            else:
                self.log.info("reconciled", **report.to_plain())
