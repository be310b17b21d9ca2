"""Several routers on one PostgreSQL: killed or cut off, every mail still has one outcome and one ack."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from serve.journal import Journal
from tests.serve.service import Service, mail
from tests.servers.dovecot import User
from tests.servers.fixtures import started
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import SmtpSink

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(300)]


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server of the test's own: it is restarted."""
    yield from started(Postgres)


def router(folder: Path, number: int, boxes: list[User], sink: SmtpSink, database: str) -> Service:
    """One of several routers: a folder of its own, the same mailboxes, the same database and loop key."""
    key = folder / "loop.key"
    key.write_text("k" * 40 + "\n")
    key.chmod(0o600)
    made = Service(
        folder / f"router{number}", boxes[0], sink, database=database, loop_key_file=str(key), poll_seconds=1
    )
    made.more_mailboxes = [{"name": f"desk{n}", **box.mapping("none")} for n, box in enumerate(boxes[1:], 2)]
    return made


def decided(database: str, folder: Path) -> int:
    """How many messages have their decision."""
    with Journal.open(folder / "look", database) as journal, journal.read() as tx:
        return int(tx.execute(text("SELECT count(*) FROM decisions")).scalar_one())


def settled(database: str, folder: Path) -> bool:
    """Whether nothing is left to do."""
    with Journal.open(folder / "look", database) as journal, journal.read() as tx:
        states = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending', 'doubt')"
        waiting = "SELECT count(*) FROM incoming WHERE state = 'new'"
        return not int(tx.execute(text(states)).scalar_one()) and not int(
            tx.execute(text(waiting)).scalar_one()
        )


def judge(database: str, folder: Path, boxes: list[User], sink: SmtpSink, wanted: int, kills: int) -> None:
    """Every mail was decided once and lies in one queue; nobody was acknowledged twice, few are in doubt."""
    with Journal.open(folder / "look", database) as journal, journal.read() as tx:
        count = lambda query: int(tx.execute(text(query)).scalar_one())  # noqa: E731
        assert count("SELECT count(*) FROM incoming") == wanted
        assert count("SELECT count(*) FROM decisions") == wanted
        assert count("SELECT count(*) FROM interactions") == wanted
        assert count("SELECT count(*) FROM outbox WHERE effect = 'move' AND state <> 'done'") == 0
        sent = count("SELECT count(*) FROM outbox WHERE effect = 'ack' AND state = 'sent'")
        uncertain = count("SELECT count(*) FROM outbox WHERE effect = 'ack' AND state = 'uncertain'")
    lying = Counter[str]()
    for box in boxes:
        with box.client() as client:
            for flags, _, name in client.list_folders():
                if b"\\Noselect" not in flags and name != "Sent":
                    lying[name] += int(client.folder_status(name, ["MESSAGES"])[b"MESSAGES"])
    assert lying["INBOX"] == 0
    assert sum(lying.values()) == wanted
    got = Counter(one.rcpt_to[0] for one in sink.mails)
    assert max(got.values()) == 1, "somebody was acknowledged twice"
    assert sent <= len(got) <= sent + uncertain
    assert uncertain <= kills


def deliver(boxes: list[User], first: int, count: int) -> None:
    """Mails of different customers, to the mailboxes in turn."""
    for n in range(first, first + count):
        boxes[n % len(boxes)].deliver(mail(n), f"c{n}@customer{n}.example")


def test_routers_share_and_take_over(
    postgres: Postgres, dovecot: User, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    """Two routers work side by side; each is killed in turn under load, and the other does its work."""
    boxes, database = [dovecot, dovecot.server.user(), dovecot.server.user()], postgres.database()
    routers = [router(tmp_path, n, boxes, smtp_sink, database) for n in (1, 2)]
    with ExitStack() as stack:
        for one in routers:
            stack.enter_context(one)
        deliver(boxes, 0, 30)
        routers[0].wait(lambda: decided(database, tmp_path) >= 10, "ten decisions", 60)
        for number, victim in enumerate(routers):
            victim.stop(signal.SIGKILL)
            deliver(boxes, 30 + 30 * number, 30)
            other = routers[1 - number]
            other.wait(lambda n=number: decided(database, tmp_path) >= 60 + 30 * n, "the other's work", 60)
            victim.start()
        routers[0].wait(lambda: settled(database, tmp_path), "the end of all work", 90)
        assert "turn taken" in routers[0].log()
        assert "turn taken" in routers[1].log()
    judge(database, tmp_path, boxes, smtp_sink, 90, kills=2)


def test_a_restart_of_the_database_is_waited_out(
    postgres: Postgres, dovecot: User, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    """While the database is gone nothing is sent or moved; afterwards everything goes on by itself."""
    boxes, database = [dovecot], postgres.database()
    with router(tmp_path, 1, boxes, smtp_sink, database) as one:
        deliver(boxes, 0, 10)
        one.wait(lambda: decided(database, tmp_path) == 10, "ten decisions", 60)
        postgres.stop("immediate")
        deliver(boxes, 10, 10)
        time.sleep(2)
        postgres.start()
        one.wait(lambda: decided(database, tmp_path) == 20, "the rest", 90)
        one.wait(lambda: settled(database, tmp_path), "the end of all work", 90)
        assert one.stop() == 0, "the router has not outlived its database"
    judge(database, tmp_path, boxes, smtp_sink, 20, kills=1)
