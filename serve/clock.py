"""What time does: answers that fall due or are late, mailboxes that fell silent, the daily reconciliation."""

from __future__ import annotations

import structlog

from mailml.errors import MailmlError

from . import alarms, retention
from .bells import Bells
from .config import Config
from .instants import HOUR, MINUTE, Clock, now_ms
from .journal import Journal, events, interactions, marks
from .reconcile import reconcile

_TICK_SECONDS = 10.0
_FORGET_HOURS = 6


class Timekeeper:
    """Looks at the clocks every few seconds; writes events, changes no mail."""

    def __init__(self, journal: Journal, config: Config, *, clock: Clock = now_ms) -> None:
        self.journal, self.config, self.clock = journal, config, clock
        self.log = structlog.get_logger("clock")
        self._forgot_at = 0
        self._started_at = self._reconciled_at = clock()  # the watchers are reading everything just now

    def run(self, bells: Bells) -> None:
        """Tick until told to stop."""
        while not bells.stop.is_set():
            self.tick()
            bells.clock.wait(_TICK_SECONDS)

    def tick(self) -> None:
        """Everything that is due at this moment."""
        self._answers()
        self._alarms()
        if self.clock() - self._reconciled_at >= self.config.service.reconcile_hours * HOUR:
            self.reconcile()
        if retention.due(self.config) and self.clock() - self._forgot_at >= _FORGET_HOURS * HOUR:
            self._forgot_at = self.clock()
            self.log.info(
                "forgotten", **retention.forget(self.config, self.journal, clock=self.clock).to_plain()
            )

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

    def _alarms(self) -> None:
        """Tell of what is wrong now, once: a failure must not look like an empty mailbox."""
        now = self.clock()
        with self.journal.read() as tx:
            found = list(alarms.conditions(tx, self.config, now, self._started_at))
            quiet = not found and not marks.names(tx, "alarm:")
        if quiet:
            return
        with self.journal.write() as tx:
            told = alarms.tell(tx, found, self.config, now)
        for one in told:
            self.log.error(one.kind.replace("_", " "), about=one.about, why=one.note)

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
