"""Group commit: one fsync for several writers, and every promise of a transaction kept for each of them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from serve.journal import Journal, events, grouping, marks
from tests.conftest import ROOT


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal in a file: PostgreSQL groups the commits of its connections by itself."""
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A busy machine takes longer for a block than a group is kept open: here it is not hurried."""
    if "never_comes" not in request.node.name:
        monkeypatch.setattr(grouping, "_LONGEST", 60.0)


@pytest.fixture
def commits(journal: Journal) -> list[float]:
    """When the writer committed."""
    told: list[float] = []
    event.listen(journal._writer, "commit", lambda _: told.append(time.monotonic()))
    return told


def together(journal: Journal, blocks: list[Callable[[Any], None]]) -> list[BaseException | None]:
    """Run the blocks in threads that meet at the journal while it is held; how each ended."""
    ended: list[BaseException | None] = [None] * len(blocks)

    def one(number: int) -> None:
        try:
            with journal.write() as tx:
                blocks[number](tx)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            ended[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(blocks))]
    assert journal._grouped is not None
    with journal._grouped._turn:  # everybody stands in line before the first begins
        for thread in threads:
            thread.start()
        while journal._grouped._waiting < len(blocks):
            time.sleep(0.001)
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    return ended


def put(name: str) -> Callable[[Any], None]:
    """A block that sets a mark."""
    return lambda tx: marks.put(tx, name, 1)


def fails(_: Any) -> None:
    """A block that breaks after it has written."""
    marks.put(_, "never", 1)
    raise ZeroDivisionError


def known(journal: Journal) -> dict[str, int]:
    """The marks there are."""
    with journal.read() as tx:
        return marks.every(tx, "")


def test_who_waits_shares_the_commit(journal: Journal, commits: list[float]) -> None:
    """Eight writers in line, one commit, and all of it is there."""
    assert together(journal, [put(f"m{n}") for n in range(8)]) == [None] * 8
    assert len(commits) == 1
    assert len(known(journal)) == 8


def test_one_alone_commits_at_once(journal: Journal, commits: list[float]) -> None:
    """Nobody waits for company that does not come."""
    for number in range(3):
        with journal.write() as tx:
            marks.put(tx, f"m{number}", 1)
    assert len(commits) == 3


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_block_that_fails_takes_only_itself_back(journal: Journal, place: int) -> None:
    """Whether it comes first, in the middle or last: the others are durable, and it alone is told."""
    blocks = [put("a"), put("b")]
    blocks.insert(place, fails)
    ended = together(journal, blocks)
    assert [type(error) for error in ended if error] == [ZeroDivisionError]
    assert isinstance(ended[place], ZeroDivisionError)
    assert set(known(journal)) == {"a", "b"}


def test_all_that_fail(journal: Journal) -> None:
    """Nothing is left, everybody is told, and the next writer finds the journal in order."""
    assert all(isinstance(error, ZeroDivisionError) for error in together(journal, [fails] * 3))
    assert known(journal) == {}
    with journal.write() as tx:
        marks.put(tx, "after", 1)
    assert known(journal) == {"after": 1}


def test_a_disk_that_fails_fails_everybody(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the commit cannot be written nobody may believe that he is durable."""
    real = grouping._Batch.end

    def broken(batch: Any, error: BaseException | None = None) -> None:
        real(batch, error or OperationalError("COMMIT", {}, Exception("disk I/O error")))

    monkeypatch.setattr(grouping._Batch, "end", broken)
    ended = together(journal, [put("a"), put("b"), put("c")])
    assert all(isinstance(error, OperationalError) for error in ended)
    monkeypatch.undo()
    assert known(journal) == {}


def test_a_transaction_that_is_gone_is_gone_for_all(journal: Journal) -> None:
    """SQLite takes a whole transaction back when a write fails: those before it must hear of it."""

    def loses(tx: Any) -> None:
        tx.connection.dbapi_connection.rollback()
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    ended = together(journal, [put("a"), loses, put("b")])
    assert isinstance(ended[1], OperationalError)
    for name, error in zip(("a", "b"), (ended[0], ended[2]), strict=True):
        assert (name in known(journal)) is (error is None)


def test_what_was_left_is_on_the_disk(tmp_path: Path) -> None:
    """A process that is killed right after a block was left has lost nothing of any thread's."""
    script = f"""
import os, threading
from pathlib import Path
from serve.journal import Journal, marks
journal = Journal.open(Path({str(tmp_path / "j.sqlite")!r}))
barrier = threading.Barrier(6)
def one(number):
    barrier.wait()
    for turn in range(5):
        with journal.write() as tx:
            marks.put(tx, f"{{number}}:{{turn}}", 1)
        os.write(1, f"{{number}}:{{turn}}\\n".encode())
threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    said = set(done.stdout.split())
    assert len(said) == 30
    with Journal.open(tmp_path / "j.sqlite") as journal:
        assert set(known(journal)) == said


def test_two_processes_take_turns(tmp_path: Path) -> None:
    """The lock file is held from a group's first block to its commit: counts of two processes add up."""
    script = f"""
import threading
from pathlib import Path
from serve.journal import Journal, marks
journal = Journal.open(Path({str(tmp_path / "j.sqlite")!r}))
def one():
    for _ in range(20):
        with journal.write() as tx:
            marks.put(tx, "sum", marks.get(tx, "sum") + 1)
threads = [threading.Thread(target=one) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    Journal.open(tmp_path / "j.sqlite").close()
    both = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    with Journal.open(tmp_path / "j.sqlite") as journal:
        assert known(journal)["sum"] == 160


def test_one_who_never_comes_is_not_waited_for(journal: Journal) -> None:
    """A place in line that is never taken holds nobody up for long."""
    assert journal._grouped is not None
    journal._grouped._queue(1)
    with journal.write() as tx:
        events.add(tx, "started", 1)
    journal._grouped._queue(-1)
    with journal.read() as tx:
        assert len(events.latest(tx)) == 1
