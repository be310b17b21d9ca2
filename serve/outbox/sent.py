"""The Sent folder of a mailbox: a copy of what we sent, and the witness for what may have been sent."""

from __future__ import annotations

import structlog

from mailml.errors import FolderError
from mailml.transport.imap import Folder, ImapSession

from ..instants import DAY, MINUTE, Clock, to_datetime
from ..journal import Journal, Tx, events, outbox
from ..journal.outbox import Send

_AFTER_REFUSAL = 10 * MINUTE  # a Sent folder that cannot be used must not hold up anything else
_REMEMBERED = 20_000  # Message-IDs of what came there since we first looked
_LOOKED_BACK = 2_000  # heads that are worth one look for all copies of an hour without us
_CALENDARS = 2 * DAY  # SEARCH SINCE goes by the server's calendar, wherever it stands


class SentFolder:
    """Asks and fills the Sent folder; `name` is "auto", a folder, or "" for none."""

    def __init__(self, journal: Journal, mailbox: int, name: str, *, clock: Clock) -> None:
        self.journal, self.mailbox, self.name, self.clock = journal, mailbox, name, clock
        self._folder = "" if name == "auto" else name
        self._not_before = 0
        self._forget()
        self.log = structlog.get_logger("sent").bind(mailbox=mailbox)

    def _forget(self) -> None:
        """Nothing is known of what lies there."""
        self._known: dict[str, None] = {}
        self._validity = self._next = self._since = 0

    def learn(self, folders: tuple[Folder, ...]) -> None:
        """Which folder it is: the server's own (SPECIAL-USE, or its usual name), else "Sent"."""
        self._forget()
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
        self._look(session)
        return True

    def _look(self, session: ImapSession) -> None:
        """Learn the Message-IDs of what came since the last look: one command for a hundred copies."""
        selected = session.selected
        assert selected is not None
        if not self._next or selected.uidvalidity != self._validity:
            self._forget()
            self._validity, self._since = selected.uidvalidity, self.clock()
        elif selected.uidnext > self._next:
            self._read(session, session.uids(self._next))
        self._next = selected.uidnext

    def _read(self, session: ImapSession, uids: list[int]) -> None:
        for head in session.heads(uids):
            self._remember(head.message_id.partition(b":")[2].decode("utf-8", "replace").strip())

    def _remember(self, message_id: str) -> None:
        self._known[message_id] = None
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

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
        self._look_back(session, [mail for mail in copies if mail.created_at <= self._since])
        missing = [mail for mail in copies if not self._copied(session, mail)]
        uids = session.append_all(self._folder, [mail.raw for mail in missing], ["\\Seen"])
        if uids and uids == list(range(self._next, self._next + len(uids))):
            self._next += len(uids)  # nobody else put anything there: our own need not be looked at
        for mail in missing:
            self._remember(mail.message_id)
        if copies:
            with self.journal.write() as tx:
                for mail in copies:
                    outbox.copied(tx, mail.id)

    def _look_back(self, session: ImapSession, older: list[Send]) -> None:
        """Learn what came before our first look as well, where that is cheaper than asking for each."""
        since = min((mail.created_at for mail in older), default=0)
        if len(older) < 3 or since < _CALENDARS:
            return
        uids = session.uids_arrived_since(to_datetime(since - _CALENDARS).date())
        if len(uids) <= _LOOKED_BACK:
            self._read(session, uids)
            self._since = since - 1

    def _copied(self, session: ImapSession, mail: Send) -> bool:
        """Whether a copy lies there: of what was made since our first look we know it without asking."""
        if self._next and mail.created_at > self._since:
            return mail.message_id in self._known
        return self._lies_there(session, mail)
