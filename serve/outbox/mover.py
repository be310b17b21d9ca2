"""Pending moves of one mailbox -> UID MOVE into the queue's folder, which is made when it is not there.

No claim is written before a move. Whatever may be a repetition (the intent is older than this connection, or
was tried before) is looked for in both folders first: there and not here is done, in both loses its original,
here alone is moved. Where the server has no MOVE the copy is written down before the original is taken away.
"""

from __future__ import annotations

import time
from dataclasses import replace

import structlog

from mailml.errors import FolderError, MailmlError
from mailml.transport.imap import ImapSession, connect

from .. import backoff
from ..bells import Bell, Bells
from ..config import Config, Mailbox
from ..instants import SECOND, Clock, now_ms
from ..journal import Journal, events, incoming, outbox
from ..journal.outbox import Move
from .finder import Finder
from .sent import SentFolder

_POLL_SECONDS = 60.0  # whoever decides or sends rings, here or through the journal: this is for safety
_SIGN_OF_LIFE = 120.0  # Gmail and Outlook drop connections that say nothing


class Mover:
    """Moves the mail of one mailbox, and sees to its Sent folder when nothing is to be moved."""

    def __init__(self, journal: Journal, mailbox: Mailbox, config: Config, *, clock: Clock = now_ms) -> None:
        self.journal, self.mailbox, self.clock = journal, mailbox, clock
        self.log = structlog.get_logger("mover").bind(mailbox=mailbox.name)
        with journal.write() as tx:
            self.id = incoming.mailbox_id(tx, mailbox.name, mailbox.places.inbox)
        self.sent = SentFolder(journal, self.id, config.smtp.sending.sent_folder, clock=clock)
        self.finder = Finder(journal, self._named)
        self._delimiter = "/"
        self._older = self._newest()  # whoever was here before us may have begun these

    def _newest(self) -> int:
        with self.journal.read() as tx:
            return outbox.newest(tx)

    def run(self, bells: Bells) -> None:
        """Move until told to stop; every failure of the server is waited out."""
        bell, failures = bells.mover(self.mailbox.name), 0
        while not bells.stop.is_set():
            try:
                with connect(self.mailbox.account) as session:
                    self.learn(session)
                    self._older = self._newest()
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
        groups: dict[tuple[str, str], list[Move]] = {}
        for move in due:
            groups.setdefault((move.source, move.folder), []).append(move)
        done = 0
        for (source, folder), moves in groups.items():
            try:
                done += self._group(session, source, folder, moves)
            except FolderError as error:
                self._refused(moves, error)
        return done

    def _group(self, session: ImapSession, source: str, folder: str, moves: list[Move]) -> int:
        """Carry out moves from one folder into one other, each of them once."""
        if not source:
            uidvalidity = self._open(session, source)
            # rows of an older UIDVALIDITY wait until the watcher has recognised their mail
            moves = [move for move in moves if move.uidvalidity == uidvalidity]
        begun = [move for move in moves if self._perhaps_begun(move)]
        untouched = [move for move in moves if not self._perhaps_begun(move)]
        if begun:
            untouched += self._resume(session, source, folder, begun)
            self._open(session, source)
        moved = self._move(session, untouched, folder)
        unclear = [move for move in untouched if move.id not in moved]
        self._settle(untouched, moved, "done")
        with self.journal.write() as tx:
            for move in unclear:
                # looked for in both folders in the next round
                wait = _wait(move.attempts) if move.attempts else 0
                outbox.postpone(tx, move.id, self.clock() + wait, "the server moved nothing")
        if moves:
            self.log.info("moved", folder=folder, count=len(moved), unclear=len(unclear))
        return len(moves)

    def _perhaps_begun(self, move: Move) -> bool:
        return bool(move.source or move.attempts) or move.id <= self._older

    def _resume(self, session: ImapSession, source: str, folder: str, begun: list[Move]) -> list[Move]:
        """Settle moves that may have been made already; returns those of which nothing has happened yet."""
        there = {move.id: move.remote_uid for move in begun if move.remote_uid is not None}
        there |= self.finder.find(session, folder, [move for move in begun if move.id not in there])
        here = self._here(session, source, begun)
        lost = [move for move in begun if move.id not in there and move.id not in here]
        if both := [uid for number, uid in here.items() if number in there]:
            self._take_away(session, source, both)
        # A server still busy with the command of a connection that died puts the mail there before it takes
        # it from here: what was in neither place is looked for once more.
        there |= self.finder.find(session, folder, lost)
        self._settle(begun, there, "done", "found in the folder")
        self._gone([move for move in lost if move.id not in there], folder)
        return [replace(move, uid=here[move.id]) for move in begun if move.id in set(here) - set(there)]

    def _here(self, session: ImapSession, source: str, moves: list[Move]) -> dict[int, int]:
        """The UIDs of those that lie in the folder they are to leave, by the number of the move."""
        if source:
            return self.finder.find(session, source, moves)
        self._open(session, source)
        uids = set(session.uids(min(move.uid for move in moves)))
        return {move.id: move.uid for move in moves if move.uid in uids}

    def _take_away(self, session: ImapSession, source: str, uids: list[int]) -> None:
        """Take out of its old folder what lies in the new one: the second half of a move that died."""
        self._open(session, source)
        if session.has("UIDPLUS"):
            session.expunge(uids)
            return
        # only whole folders can be expunged here, and with them other people's mail: leave it, and say so
        with self.journal.write() as tx:
            note = f"{len(uids)} mails lie in both folders: the server has no UIDPLUS to take one away"
            events.add(tx, "left_in_both", self.clock(), note, level="alarm", mailbox=self.id)

    def _settle(self, moves: list[Move], landed: dict[int, int], state: str, note: str = "") -> None:
        with self.journal.write() as tx:
            for move in moves:
                if move.id in landed:
                    outbox.moved(tx, move, state, self.clock(), remote_uid=landed[move.id], note=note)

    def _gone(self, moves: list[Move], folder: str) -> None:
        now = self.clock()
        with self.journal.write() as tx:
            for move in moves:
                outbox.moved(tx, move, "gone", now, note="somebody else moved or deleted it")
                events.add(
                    tx, "gone", now, folder, level="warning", mailbox=self.id, incoming=move.incoming_id
                )

    def _open(self, session: ImapSession, source: str) -> int:
        """Open the folder mail is to leave, for writing; returns its UIDVALIDITY."""
        folder = self._named(source) if source else self.mailbox.places.inbox
        selected = session.selected
        if selected is None or selected.folder != folder or selected.readonly:
            selected = session.select(folder)
        else:
            # a UID this connection has not been told of yet cannot be moved by it: Dovecot then moves nothing
            session.noop()
        return selected.uidvalidity

    def _move(self, session: ImapSession, moves: list[Move], folder: str) -> dict[int, int]:
        """Move them, into a folder that is made where there is none; returns the new UIDs by move."""
        if not moves:
            return {}
        try:
            return self._moved(session, moves, folder)
        except FolderError:
            if session.has_folder(self._named(folder)):
                raise  # refused for another reason, perhaps half-way: look before trying again
        session.create_folder(self._named(folder))
        self.log.info("folder made", folder=folder)
        return self._moved(session, moves, folder)

    def _moved(self, session: ImapSession, moves: list[Move], folder: str) -> dict[int, int]:
        uids, target = [move.uid for move in moves], self._named(folder)
        if session.has("MOVE"):
            told = session.move(uids, target)
        else:
            told = session.copy(uids, target)
            with self.journal.write() as tx:
                for move in moves:
                    if move.uid in told:
                        outbox.landed(tx, move, told[move.uid])
            session.expunge([uid for uid in uids if uid in told])
        return {move.id: told[move.uid] for move in moves if move.uid in told}

    def _named(self, folder: str) -> str:
        return folder if self._delimiter == "/" else folder.replace("/", self._delimiter)

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
