"""incoming -> decision + interaction + outbox rows, one transaction: the only place where serve decides.

A batch shares its commits: one counts the attempt, before anything is tried, so that a message that kills the
process is counted too; then each holds the decisions of one short turn, every one in a savepoint of its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import structlog

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.message import Message, parse
from mailml.text import own_words

from ..bells import Bells
from ..bundles import Bundles
from ..config import Config, Mailbox
from ..instants import SECOND, Clock, now_ms
from ..journal import Journal, Tx, apart, incoming, is_disk_trouble, quarantine
from ..threads import Placed, place, reference_for
from . import context, intents

__all__ = ["Worker"]

# A process may be killed for reasons of its own: more such ends are forgiven than failures to decide.
_DIED_TOO = 3
_TURN_SECONDS = 0.03  # senders wait for the journal meanwhile, and share the commit that follows
_POLL_SECONDS = 5.0  # only what other processes wrote waits so long: our own watchers ring


class Worker:
    """Decides every stored message once. `decided` is called after each commit with the mailboxes meant."""

    def __init__(
        self,
        journal: Journal,
        config: Config,
        bundles: Bundles,
        key: bytes,
        *,
        decided: Callable[[set[str]], None],
        clock: Clock = now_ms,
    ) -> None:
        self.journal, self.config, self.bundles, self.key = journal, config, bundles, key
        self.decided, self.clock = decided, clock
        self.mailboxes: dict[str, Mailbox] = {one.name: one for one in config.mailboxes}
        self.log = structlog.get_logger("worker")

    def run(self, bells: Bells) -> None:
        """Decide until told to stop; what is begun is finished."""
        while not bells.stop.is_set():
            self.bundles.look()
            if not self.batch():
                bells.worker.wait(_POLL_SECONDS)

    def batch(self) -> int:
        """Decide what is waiting, at most one batch; returns how many messages were taken up."""
        with self.journal.read() as tx:
            if not incoming.waiting(tx, self.clock()):
                return 0
        with self.journal.write() as tx:
            ids = incoming.claim(tx, self.clock())
        with self.journal.read() as tx:
            mails = incoming.claimed(tx, ids)
            aside = {mail.id: why for mail in mails if (why := self._aside(tx, mail))}
        # the slow half, outside the write lock; what is set aside is not even read: reading may be what kills
        read = deque((mail, _read(mail)) for mail in mails if mail.id not in aside)
        if left := [mail for mail in mails if mail.id in aside]:
            with self.journal.write() as tx:
                for mail in left:
                    if not incoming.undecided(tx, mail.id):
                        continue
                    quarantine.put(tx, mail.id, mail.mailbox_id, aside[mail.id], self.clock())
            self.decided({mail.mailbox for mail in left})
        while read:
            self.decided(self._turn(read))
        return len(mails)

    def _turn(self, read: deque[tuple[incoming.Claimed, Message | Exception]]) -> set[str]:
        """Decide from the front for as long as others may be kept waiting; returns whose mail it was."""
        mailboxes: set[str] = set()
        with self.journal.write() as tx:
            end = time.monotonic() + _TURN_SECONDS
            while read and (not mailboxes or time.monotonic() < end):
                mail, message = read.popleft()
                mailboxes.add(mail.mailbox)
                self._one(tx, mail, message)
        return mailboxes

    def _aside(self, tx: Tx, mail: incoming.Claimed) -> str:
        """Why a message is set aside without being tried; "" for one that is to be decided."""
        if mail.attempts > self.config.service.max_attempts + _DIED_TOO:
            return f"the process ended {mail.attempts - 1} times while deciding it"
        if mail.truncated and not quarantine.retried(tx, mail.id):
            return f"larger than {self.config.service.max_message_mb:g} MB: only the head is kept"
        return ""

    def _one(self, tx: Tx, mail: incoming.Claimed, message: Message | Exception) -> None:
        if not incoming.undecided(tx, mail.id):
            return  # by a router that has taken the turn over from one that is still finishing
        try:
            if isinstance(message, Exception):
                raise message
            with apart(tx):
                self.decide(tx, mail, message)
        except Exception as error:
            if is_disk_trouble(error):
                raise
            self._poison(tx, mail, error)

    def decide(self, tx: Tx, mail: incoming.Claimed, message: Message) -> None:
        """Decide one message and write everything that follows from it, in the caller's transaction."""
        now = self.clock()
        desk = self.bundles.current.desk
        placed = place(tx, mail, message, self.key, desk.identity.addresses, desk.same_subject)
        bundle = self._bundle(tx, message, placed)
        known = context.build(
            tx,
            mail,
            message,
            placed,
            allowed=self.config.limits,
            cut_off_hours=self.config.service.cut_off_hours,
            key=self.key,
            now=now,
        )
        decision = decide(message, bundle, known)
        mailbox = self.mailboxes[mail.mailbox]
        it = intents.Decided(mail, message, placed, known, decision, bundle, mailbox)
        intents.record(tx, it, self.config, self.clock)
        self.log.info(
            "decided",
            mailbox=mail.mailbox,
            uid=mail.uid,
            sha256=mail.sha256[:12],
            kind=decision.kind.value,
            queue=decision.queue,
            folder=decision.folder,
            rule=decision.rule,
            ack=decision.ack.send,
            reason=decision.ack.reason.value if decision.ack.reason else "",
            bundle=bundle.id,
        )

    def _bundle(self, tx: Tx, message: Message, placed: Placed) -> Bundle:
        """The current bundle, or the canary where the interaction's reference falls into its share."""
        if self.bundles.canary is None:
            return self.bundles.current
        return self.bundles.choose(placed.thread.reference or reference_for(tx, message))

    def _poison(self, tx: Tx, mail: incoming.Claimed, error: Exception) -> None:
        """Try again a little later, or set aside after the last attempt; the others never wait for it."""
        why = f"{type(error).__name__} while deciding"  # never its text, which may quote the mail
        self.log.error(
            "could not decide", uid=mail.uid, sha256=mail.sha256[:12], why=why, attempt=mail.attempts
        )
        if mail.attempts >= self.config.service.max_attempts:
            quarantine.put(tx, mail.id, mail.mailbox_id, f"{why}, {mail.attempts} times", self.clock())
        else:
            incoming.later(tx, mail.id, self.clock() + mail.attempts * SECOND // 4)


def _read(mail: incoming.Claimed) -> Message | Exception:
    try:
        message = parse(mail.raw)
        own_words(message)
    except Exception as error:  # noqa: BLE001 - counted, and quarantined in the end, never in anybody's way
        return error
    return message
