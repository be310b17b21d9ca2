"""Pending moves of one mailbox -> UID MOVE into the queue's folder, which is made when it is not there.

No claim is written before a move: moving a UID twice moves it once. What a crash leaves open is answered by
the inbox, then by the target folder (Message-ID, and always SHA-256 of the bytes).
"""

from __future__ import annotations

import hashlib
import itertools
import time

import structlog

from mailml.errors import FolderError, MailmlError
from mailml.transport.imap import ImapSession, connect

from .. import backoff
from ..bells import Bell, Bells
from ..config import Config, Mailbox
from ..instants import SECOND, Clock, now_ms
from ..journal import Journal, events, incoming, outbox
from ..journal.outbox import Move
from .sent import SentFolder

_POLL_SECONDS = 5.0
_SIGN_OF_LIFE = 120.0  # Gmail and Outlook drop connections that say nothing
_LOOKED_THROUGH = 50  # messages of the target compared by their bytes when there is no Message-ID to ask for


class Mover:
    """Moves the mail of one mailbox, and sees to its Sent folder when nothing is to be moved."""

    def __init__(self, journal: Journal, mailbox: Mailbox, config: Config, *, clock: Clock = now_ms) -> None:
        self.journal, self.mailbox, self.clock = journal, mailbox, clock
        self.log = structlog.get_logger("mover").bind(mailbox=mailbox.name)
        with journal.write() as tx:
            self.id = incoming.mailbox_id(tx, mailbox.name, mailbox.places.inbox)
        self.sent = SentFolder(journal, self.id, config.smtp.sending.sent_folder, clock=clock)
        self._delimiter = "/"

    def run(self, bells: Bells) -> None:
        """Move until told to stop; every failure of the server is waited out."""
        bell, failures = bells.mover(self.mailbox.name), 0
        while not bells.stop.is_set():
            try:
                with connect(self.mailbox.account) as session:
                    self.learn(session)
                    failures = 0
                    self._serve(session, bells, bell)
            except MailmlError as error:
                failures += 1
                self.log.warning("cannot move", why=str(error), failures=failures)
                bells.stop.wait(backoff.seconds(failures, error))

    def _serve(self, session: ImapSession, bells: Bells, bell: Bell) -> None:
        alive = time.monotonic()
        while not bells.stop.is_set():
            if self.batch(session) or self.sent.work(session):
                alive = time.monotonic()
            elif not bell.wait(_POLL_SECONDS) and time.monotonic() - alive > _SIGN_OF_LIFE:
                session.noop()
                alive = time.monotonic()

    def once(self) -> None:
        """Carry out what is due now. Raises TransportError."""
        with self.journal.read() as tx:
            if not outbox.moves(tx, self.id, self.clock(), 1) and not self.sent.waits(tx):
                return
        with connect(self.mailbox.account) as session:
            self.learn(session)
            while self.batch(session) or self.sent.work(session):
                pass

    def learn(self, session: ImapSession) -> None:
        """Take over the server's separator of folder names; ours is "/"."""
        known = session.folders()
        self._delimiter = (known[0].delimiter if known else "") or "/"
        self.sent.learn(known)

    def batch(self, session: ImapSession) -> int:
        """Move what is due; returns how many messages found their end."""
        with self.journal.read() as tx:
            due = outbox.moves(tx, self.id, self.clock())
        done = 0
        for (source, folder), group in itertools.groupby(due, key=lambda move: (move.source, move.folder)):
            moves = list(group)
            try:
                done += self._refile(session, moves) if source else self._from_inbox(session, moves, folder)
            except FolderError as error:
                self._refused(moves, error)
        return done

    def _from_inbox(self, session: ImapSession, moves: list[Move], folder: str) -> int:
        uidvalidity = self._inbox(session)
        # rows of an older UIDVALIDITY wait until the watcher has recognised their mail
        moves = [move for move in moves if move.uidvalidity == uidvalidity]
        landed = self._move(session, [move.uid for move in moves], folder)
        open_ = [move for move in moves if move.uid not in landed]
        with self.journal.write() as tx:
            for move in moves:
                if move.uid in landed:
                    outbox.moved(tx, move, "done", self.clock(), remote_uid=landed[move.uid])
        for move in open_:
            self._settle(session, move, folder)
        if moves:
            self.log.info("moved", folder=folder, count=len(moves) - len(open_), unclear=len(open_))
        return len(moves)

    def _inbox(self, session: ImapSession) -> int:
        selected = session.selected
        if selected is None or selected.folder != self.mailbox.places.inbox or selected.readonly:
            selected = session.select(self.mailbox.places.inbox)
        else:
            # a UID this connection has not been told of yet cannot be moved by it: Dovecot then moves nothing
            session.noop()
        return selected.uidvalidity

    def _move(self, session: ImapSession, uids: list[int], folder: str) -> dict[int, int]:
        target = self._named(folder)
        if not uids:
            return {}
        try:
            return session.move(uids, target)
        except FolderError:
            session.create_folder(target)
            self.log.info("folder made", folder=folder)
            return session.move(uids, target)

    def _named(self, folder: str) -> str:
        return folder if self._delimiter == "/" else folder.replace("/", self._delimiter)

    def _settle(self, session: ImapSession, move: Move, folder: str) -> None:
        """A move the server did not confirm: once more if it is here, done if it lies there, else gone.

        In this order: a server that is still carrying out the command of a connection that died puts the mail
        there before it takes it from here, so that looking there first could miss it in both.
        """
        here = self._still_here(session, move)
        there = None if here else self._find(session, self._named(folder), move)
        now = self.clock()
        with self.journal.write() as tx:
            if there is not None:
                outbox.moved(tx, move, "done", now, remote_uid=there, note="found in the folder")
            elif here:
                wait = _wait(move.attempts) if move.attempts else 0
                outbox.postpone(tx, move.id, now + wait, "the server moved nothing")
            else:
                outbox.moved(tx, move, "gone", now, note="somebody else moved or deleted it")
                events.add(
                    tx, "gone", now, folder, level="warning", mailbox=self.id, incoming=move.incoming_id
                )

    def _find(self, session: ImapSession, folder: str, move: Move) -> int | None:
        """The message in a folder: by its Message-ID where it has a usable one, and always by its bytes."""
        usable = move.message_id.isascii() and move.message_id.isprintable() and '"' not in move.message_id
        session.examine(folder)
        if move.message_id and usable:
            uids = session.search_message_id(folder, move.message_id)
        else:
            uids = session.uids()[-_LOOKED_THROUGH:]
        same = [
            fetched.uid
            for fetched in session.fetch_raw(uids)
            if hashlib.sha256(fetched.raw or b"").hexdigest() == move.sha256
        ]
        return same[-1] if same else None

    def _still_here(self, session: ImapSession, move: Move) -> bool:
        self._inbox(session)
        return move.uid in session.uids(move.uid)[:1]

    def _refile(self, session: ImapSession, moves: list[Move]) -> int:
        """Move filed mail once more, out of the folder it was filed in."""
        for move in moves:
            uid = self._find(session, self._named(move.source), move)
            if uid is not None:
                session.select(self._named(move.source))
                self._move(session, [uid], move.folder)
            with self.journal.write() as tx:
                state = "gone" if uid is None else "done"
                outbox.moved(
                    tx, move, state, self.clock(), note="" if uid else "not in the folder it was filed in"
                )
        return len(moves)

    def _refused(self, moves: list[Move], error: FolderError) -> None:
        """The folder cannot be used now: keep the intents, say so, and try again later."""
        self.log.warning("folder refused", why=str(error), count=len(moves))
        now = self.clock()
        with self.journal.write() as tx:
            for move in moves:
                outbox.postpone(tx, move.id, now + _wait(move.attempts), str(error))
                if move.attempts == 0:
                    events.add(tx, "move_refused", now, str(error), level="alarm", mailbox=self.id)


def _wait(attempts: int) -> int:
    return round(backoff.seconds(attempts + 1) * SECOND)
