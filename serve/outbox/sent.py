"""The Sent folder of a mailbox: a copy of what we sent, and the witness for what may have been sent."""

from __future__ import annotations

import structlog

from mailml.errors import FolderError
from mailml.transport.imap import Folder, ImapSession

from ..instants import MINUTE, Clock
from ..journal import Journal, Tx, events, outbox
from ..journal.outbox import Send

_AFTER_REFUSAL = 10 * MINUTE  # a Sent folder that cannot be used must not hold up anything else


class SentFolder:
    """Asks and fills the Sent folder; `name` is "auto", a folder, or "" for none."""

    def __init__(self, journal: Journal, mailbox: int, name: str, *, clock: Clock) -> None:
        self.journal, self.mailbox, self.name, self.clock = journal, mailbox, name, clock
        self._folder = "" if name == "auto" else name
        self._not_before = 0
        self.log = structlog.get_logger("sent").bind(mailbox=mailbox)

    def learn(self, folders: tuple[Folder, ...]) -> None:
        """Which folder it is: the server's own (SPECIAL-USE, or its usual name), else "Sent"."""
        if self.name == "auto":
            own = [folder.name for folder in folders if folder.special_use == "\\Sent" and folder.selectable]
            self._folder = own[0] if own else "Sent"

    def waits(self, tx: Tx) -> bool:
        """Whether there is anything to ask or to copy now."""
        if self.clock() < self._not_before:
            return False
        return bool(outbox.doubtful(tx, self.mailbox, self.clock()) or self._uncopied(tx))

    def _uncopied(self, tx: Tx) -> list[Send]:
        return outbox.uncopied(tx, self.mailbox) if self.name else []

    def work(self, session: ImapSession) -> int:
        """Settle doubts and make copies; returns how many mails were seen to."""
        if self.clock() < self._not_before:
            return 0
        with self.journal.read() as tx:
            doubts, copies = outbox.doubtful(tx, self.mailbox, self.clock()), self._uncopied(tx)
        if not doubts and not copies:
            return 0
        try:
            there = self._open(session, make=bool(copies))
            for mail in doubts:
                self._settle(sent=there and self._lies_there(session, mail), mail=mail)
            self._copy(session, copies)
        except FolderError as error:
            self.log.warning("sent folder refused", why=str(error))
            self._not_before = self.clock() + _AFTER_REFUSAL
            return 0
        return len(doubts) + len(copies)

    def _open(self, session: ImapSession, *, make: bool) -> bool:
        """Open the folder once for all that is to be asked of it; False when it is not there."""
        if not self._folder:
            return False
        try:
            session.examine(self._folder)
        except FolderError:
            if not make:
                return False
            session.create_folder(self._folder)
            session.examine(self._folder)
        return True

    def _lies_there(self, session: ImapSession, mail: Send) -> bool:
        return bool(session.search_message_id(self._folder, mail.message_id))

    def _settle(self, mail: Send, *, sent: bool) -> None:
        """A mail in doubt was sent if it lies there; else nobody knows, and it is never sent again."""
        now = self.clock()
        with self.journal.write() as tx:
            if sent:
                outbox.settle(tx, mail.id, "sent", now, "found in the Sent folder")
                outbox.copied(tx, mail.id)
                return
            outbox.settle(
                tx, mail.id, "uncertain", now, "nobody can say whether it was taken; not sent again"
            )
            level = "alarm" if mail.effect == "reply" else "warning"
            note = f"{mail.effect} {mail.message_id}"
            events.add(tx, "uncertain", now, note, level=level, interaction=mail.interaction_id)

    def _copy(self, session: ImapSession, copies: list[Send]) -> None:
        """Put copies there, unless the server or we before a crash have done so; one commit for all."""
        for mail in copies:
            if not self._lies_there(session, mail):
                session.append(self._folder, mail.raw, ["\\Seen"])
        if copies:
            with self.journal.write() as tx:
                for mail in copies:
                    outbox.copied(tx, mail.id)
