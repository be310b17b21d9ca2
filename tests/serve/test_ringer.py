"""What another process has written rings this one's bells, and so does what falls due; nothing else does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import SQLAlchemyError

from serve.bells import Bells, End
from serve.instants import now_ms
from serve.journal import Journal, events, incoming, outbox, waits
from serve.journal.news import DatabaseNews
from serve.ringer import Ringer
from tests.serve.room import stored
from tests.serve.service import mail
from tests.servers.postgres import Postgres

MOVER = waits.MOVER + "desk"


class Elsewhere:
    """Another process with the same journal, and this one's ringer and bells."""

    def __init__(self, journal: Journal) -> None:
        self.other = Journal.open(journal.path, journal.database)
        self.now = now_ms()
        self.bells = Bells()
        self.ringer = Ringer(journal, clock=lambda: self.now)
        with self.other.write() as tx:
            self.box = incoming.mailbox_id(tx, "desk", "INBOX")
        self.look()

    def look(self) -> set[str]:
        """Who is rung for now."""
        return self.ringer.look(self.bells)

    def store(self, uid: int = 1) -> int:
        """A new mail."""
        with self.other.write() as tx:
            return incoming.store(tx, self.box, 1, [stored(uid, mail(uid), 0)], 0)[0]

    def send(self, effect: str = "ack") -> int:
        """A mail of ours to be sent."""
        with self.other.write() as tx:
            row = {"mailbox_id": self.box, "message_id": "<a@b>", "sender": "", "recipient": "c@d"}
            return outbox.add_mail(tx, effect, f"{effect}:1", 0, raw=b"x", **row)


@pytest.fixture
def elsewhere(journal: Journal) -> Iterator[Elsewhere]:
    """Two processes on one journal, on each of the databases."""
    made = Elsewhere(journal)
    yield made
    made.other.close()


def test_each_is_rung_for_what_is_his(elsewhere: Elsewhere) -> None:
    """New mail wakes the worker, a move the mover, a reply the sender, its copy the mover; each once."""
    number = elsewhere.store()
    assert elsewhere.look() == {waits.WORKER}
    assert elsewhere.look() == set()
    with elsewhere.other.write() as tx:
        incoming.finish(tx, number, "decided", 1)
        outbox.add_move(tx, elsewhere.box, number, "Queues/Billing", 0)
    assert elsewhere.look() == {MOVER}
    sent = elsewhere.send("reply")
    assert elsewhere.look() == {waits.SENDER}
    with elsewhere.other.write() as tx:
        assert outbox.sending(tx, sent)
        outbox.settle(tx, sent, "sent", 1)
    assert elsewhere.look() == {MOVER}
    with elsewhere.other.write() as tx:
        events.add(tx, "mailbox_failed", 0, level="alarm")
    assert elsewhere.look() == {waits.CALLER}
    bells = elsewhere.bells
    assert all(bell.wait(0) for bell in (bells.worker, bells.sender, bells.mover("desk")))


def test_what_falls_due_is_rung_for_then(elsewhere: Elsewhere) -> None:
    """A mail put off and a doubt to be asked about wake nobody before their time, and somebody at it."""
    sent = elsewhere.send()
    elsewhere.look()
    with elsewhere.other.write() as tx:
        outbox.doubt(tx, sent, elsewhere.now + 5000, "cut")
    assert elsewhere.look() == set()
    assert 0 < elsewhere.ringer._pause() <= 1
    elsewhere.now += 4999
    assert not elsewhere.ringer._fallen_due()
    elsewhere.now += 1
    assert elsewhere.ringer._fallen_due()
    assert elsewhere.look() == {MOVER}
    assert not elsewhere.ringer._fallen_due()


def test_where_sent_is_not_filled_copies_wake_nobody(elsewhere: Elsewhere) -> None:
    """With sent_folder = "" no sent mail ever gets its copy, and none is waited for."""
    elsewhere.ringer.copies = False
    sent = elsewhere.send()
    elsewhere.look()
    with elsewhere.other.write() as tx:
        outbox.settle(tx, sent, "sent", 1)
    assert elsewhere.look() == set()


def test_a_part_is_rung_for_its_own_work_only(elsewhere: Elsewhere, journal: Journal) -> None:
    """A process that only decides does not look at effects, one that only moves and sends not at new mail."""
    elsewhere.store()
    elsewhere.send()
    bells = Bells()
    assert Ringer(journal, ["work"]).look(bells) == {waits.WORKER}
    assert Ringer(journal, ["send"]).look(bells) == {waits.SENDER, waits.CALLER}
    assert Ringer(journal, ["watch", "clock"]).look(bells) == set()
    running(Ringer(journal, ["watch"]), bells, lambda: time.sleep(0.05))


def running(ringer: Ringer, bells: Bells, during: Callable[[], None]) -> None:
    """The ringer in its thread while something happens."""
    thread = threading.Thread(target=ringer.run, args=(bells,))
    thread.start()
    try:
        during()
    finally:
        bells.end()
        thread.join(30)
    assert not thread.is_alive()


def test_a_commit_elsewhere_is_heard_of(elsewhere: Elsewhere) -> None:
    """The running ringer rings for another process's commit, and comes to its end at once."""
    bells = elsewhere.bells
    elsewhere.ringer.every = 0.05

    def during() -> None:
        time.sleep(0.2)
        elsewhere.store()
        assert bells.worker.wait(30)

    running(elsewhere.ringer, bells, during)


def test_while_nothing_is_written_nothing_is_looked_for(journal: Journal) -> None:
    """Only the first look of a ringer is made for nothing."""
    ringer, looks = Ringer(journal), list[int]()
    ringer.every = 0.01
    original = ringer.look
    ringer.look = lambda bells: (looks.append(1), original(bells))[1]  # type: ignore[method-assign]
    running(ringer, Bells(), lambda: time.sleep(0.5))
    assert len(looks) == 1


def test_a_lost_line_is_told_and_another_one_listens(postgres_server: Postgres) -> None:
    """Who listens on a line that is gone is told so; a new line hears again."""
    url = postgres_server.database()
    with Journal.open(postgres_server.folder / "look", url) as journal:
        news = journal.news()
        assert isinstance(news, DatabaseNews)
        assert news.heard(0, End())
        assert not news.heard(0, End())
        postgres_server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            " OR (query = 'SELECT 1' AND datname IS NOT NULL AND pid <> pg_backend_pid())",
            url.rpartition("/")[2],
        )
        with pytest.raises(SQLAlchemyError):
            news.heard(1, End())
        news.close()
        again = journal.news()
        assert again.heard(0, End())
        again.close()
