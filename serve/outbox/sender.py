"""Mail of ours -> SMTP, each exactly as the journal says, and never twice.

`sending` is committed after the server's 354 and before the first byte of the body. Everything before it is
surely not taken; a lost answer after it is a doubt, which the Sent folder settles and no retry. That a mail
was sent is committed together with the claim of the next one, or at once when there is none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from mailml.errors import (
    MailmlError,
    SmtpPermanentError,
    SmtpTemporaryError,
    SmtpUncertainError,
    TransportError,
)
from mailml.transport import smtp

from .. import backoff
from ..bells import Bells
from ..config import Config
from ..instants import HOUR, SECOND, Clock, now_ms
from ..journal import Journal, Tx, events, interactions, limits, outbox
from ..journal.outbox import Send

_POLL_SECONDS = 5.0
_KEPT_OPEN = 5.0  # a connection unused for longer may be dead: open a new one
_LINGERS = 1.0  # a mail that comes so soon after another needs no new greeting and login
_AT_ONCE = 16  # mails taken in hand together
_SLOW = 0.05  # seconds from the body to the answer: then the line is what takes time, and not the journal
_DOUBT_SECONDS = 5  # servers that keep what was sent do so within moments


class _TakenError(Exception):
    """Somebody else has claimed this mail meanwhile."""


class Sender:
    """Sends acknowledgements and agents' replies. `sent` is called with the mailbox after each mail's end."""

    def __init__(
        self,
        journal: Journal,
        config: Config,
        *,
        sent: Callable[[int], None],
        share: tuple[int, int] = (0, 1),
        clock: Clock = now_ms,
    ) -> None:
        self.share = share  # which of how many connections this one is
        self.journal, self.config, self.sent, self.clock = journal, config, sent, clock
        self._session: smtp.SmtpSession | None = None
        self._used = 0.0
        self._taken: list[Send] = []  # by the server; written down with the claim of the next, or at the end
        self.log = structlog.get_logger("sender")

    def run(self, bells: Bells) -> None:
        """Send until told to stop; a server that cannot be reached is waited out."""
        failures = 0
        self.close()  # a line left in the middle of something by a failure of the journal
        while not bells.stop.is_set():
            try:
                if not self.batch(bells.stop):
                    patience = _POLL_SECONDS if self._session is None else _LINGERS
                    if not bells.sender_of(self.share[0]).wait(patience):
                        self.close()
                failures = 0
            except MailmlError as error:
                failures += 1
                self._unreachable(error, failures)
                bells.stop.wait(backoff.seconds(failures, error))
        self.close()

    def once(self) -> None:
        """Send what is due now. Raises TransportError when the server cannot be reached."""
        try:
            while self.batch():
                pass
        except MailmlError as error:
            self._unreachable(error, 1)
            raise
        finally:
            self.close()

    def batch(self, stop: threading.Event | None = None) -> int:
        """Send what is due, at most so many; returns how many. Raises when no server can be reached."""
        self._note()  # what a failure of the journal left behind
        with self.journal.read() as tx:
            mails = outbox.next_sends(tx, self.clock(), self.share, _AT_ONCE)
            held = {mail.id: why for mail in mails if (why := self._held(tx, mail))}
        try:
            for mail in mails:
                if stop is not None and stop.is_set():
                    break
                if mail.id in held:
                    self._settle(mail, "withheld", held[mail.id])
                else:
                    self._send(mail, self._connected())
        finally:
            self._note()
        return len(mails)

    def _held(self, tx: Tx, mail: Send) -> str | None:
        """Why an acknowledgement that was granted earlier must not leave now."""
        if mail.effect != "ack":
            return None
        if (why := limits.tripped(tx)) is not None:
            return f"the global breaker is open: {why}"
        return "the address is silenced" if limits.silenced(tx, mail.recipient, self.clock()) else None

    def _connected(self) -> smtp.SmtpSession:
        if self._session is not None and time.monotonic() - self._used > _KEPT_OPEN:
            self.close()
        if self._session is None:
            self._session = smtp.connect(self.config.smtp.account)
        return self._session

    def close(self) -> None:
        """Say goodbye to the server."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _send(self, mail: Send, session: smtp.SmtpSession) -> None:
        begun, held = 0.0, None

        def claim() -> None:
            nonlocal begun, held
            with self._writing() as tx:
                held = self._held(tx, mail)
                won = held is None and outbox.sending(tx, mail.id)
            if not won:
                raise _TakenError
            begun = time.monotonic()

        try:
            session.send(mail.sender, [mail.recipient], mail.raw, before_body=claim)
        except _TakenError:
            self._session = None
            if held:
                self._settle(mail, "withheld", held)
        except SmtpTemporaryError as error:
            self._later(mail, error)
        except SmtpPermanentError as error:
            self._settle(mail, "failed", str(error))
        except SmtpUncertainError as error:
            self._doubt(mail, str(error))
        except TransportError as error:
            self._doubt(mail, str(error)) if begun else self._later(mail, error)
        else:
            self._used = time.monotonic()
            self._taken.append(mail)
            if self._used - begun > _SLOW:
                # the next mail's way to its claim is as slow, and a crash on it would leave this one in doubt
                self._note()

    def _later(self, mail: Send, error: TransportError) -> None:
        """Surely not taken: once more, unless it has been tried for too long."""
        self._session = None
        now = self.clock()
        if now - mail.created_at > self.config.service.give_up_hours * HOUR:
            self._settle(mail, "failed", f"given up: {error}")
            return
        wait = backoff.seconds(mail.attempts + 1, error, longest=3600.0)
        self.log.warning("not taken yet", message_id=mail.message_id, why=str(error), again_in=round(wait))
        with self._writing() as tx:
            outbox.postpone(tx, mail.id, now + round(wait * SECOND), str(error))

    def _doubt(self, mail: Send, why: str) -> None:
        self._session = None
        self.log.warning("in doubt", message_id=mail.message_id, why=why)
        with self._writing() as tx:
            outbox.doubt(tx, mail.id, self.clock() + _DOUBT_SECONDS * SECOND, why)

    def _settle(self, mail: Send, state: str, note: str) -> None:
        """It has come to another end than being sent."""
        if state == "failed":
            self._session = None
        with self._writing() as tx:
            outbox.settle(tx, mail.id, state, self.clock(), note)
            level = "alarm" if mail.effect == "reply" else "warning"
            told = f"{mail.effect}: {note}"
            events.add(tx, f"mail_{state}", self.clock(), told, level=level, interaction=mail.interaction_id)
        self.log.info(state, effect=mail.effect, message_id=mail.message_id, why=note)
        self.sent(mail.mailbox_id)

    def _note(self) -> None:
        """Write down what was sent, if that has not been done."""
        if self._taken:
            with self._writing():
                pass

    @contextmanager
    def _writing(self) -> Iterator[Tx]:
        """A transaction that also writes down what was sent before: one commit a mail instead of two."""
        taken, now = self._taken, self.clock()
        with self.journal.write() as tx:
            for mail in taken:
                outbox.settle(tx, mail.id, "sent", now)
                if mail.effect == "reply" and mail.interaction_id is not None:
                    interactions.answered(tx, mail.interaction_id, now)
                    events.add(tx, "answered", now, interaction=mail.interaction_id)
            yield tx
        self._taken = []
        for mail in taken:
            self.log.info("sent", effect=mail.effect, message_id=mail.message_id, why="")
        for mailbox in {mail.mailbox_id for mail in taken}:
            self.sent(mailbox)

    def _unreachable(self, error: MailmlError, failures: int) -> None:
        self._session = None
        self.log.warning("server out of reach", why=str(error), failures=failures)
        if failures == 1 and self.share[0] == 0:  # one alarm for all connections to one server
            with self.journal.write() as tx:
                events.add(tx, "smtp_failed", self.clock(), str(error), level="alarm")
