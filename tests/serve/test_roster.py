"""Who does what: one process alone with a file, several that share with PostgreSQL, and take-over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from mailml.errors import ConfigError, InputError
from serve.bells import Bells
from serve.config import loads
from serve.journal.locks import Locks
from serve.roster import PARTS, Roster, SharedRoster, alone, turns
from tests.servers.postgres import Postgres

BOXES = ["a", "b", "c", "d"]


def config(journal: Path, database: str = "") -> Any:
    """As much of a configuration as the roster reads."""
    boxes = [SimpleNamespace(name=name) for name in BOXES]
    return SimpleNamespace(service=SimpleNamespace(journal=journal, database=database), mailboxes=boxes)


def test_a_journal_file_has_one_router(tmp_path: Path) -> None:
    """While one holds it a second is refused; parts may be split; afterwards the next one may."""
    one = config(tmp_path / "journal.sqlite")
    with alone(one), pytest.raises(InputError, match="another router"), alone(one):
        pass
    with alone(one):
        pass
    with (
        alone(one, ["watch"]),
        alone(one, ["send"]),
        pytest.raises(InputError, match=r"\(send\)"),
        alone(one),
    ):
        pass


def test_a_database_has_one_router_for_a_single_pass(tmp_path: Path, postgres_server: Postgres) -> None:
    """A pass over everything keeps others out, and is refused while a router holds any turn."""
    one = config(tmp_path / "journal", postgres_server.database())
    with alone(one), pytest.raises(InputError, match="another router"), alone(one, ["clock"]):
        pass
    with alone(one, ["watch"]), alone(one, ["work", "send", "clock"]):
        pass
    with alone(one):
        pass


def test_the_turns_of_the_parts() -> None:
    """Watching and moving are shared by mailbox, the rest is one turn each."""
    assert turns(["x"], PARTS) == ["watch x", "move x", "work", "send", "clock"]
    assert turns(["x", "y"], ["watch"]) == ["watch x", "watch y"]
    assert turns(["x"], ["work", "clock"]) == ["work", "clock"]


def test_with_a_file_every_turn_is_ours() -> None:
    """The plain roster gives the process's own bells until its end."""
    bells = Bells()
    roster = Roster(bells)
    assert roster.wait("watch a") is bells
    assert roster.holds("anything")
    bells.end()
    assert roster.wait("watch a") is None


class Router:
    """A shared roster with what it took written down."""

    def __init__(self, url: str) -> None:
        self.bells, self.taken = Bells(), list[str]()
        self.roster = SharedRoster(self.bells, Locks(url), turns(BOXES, PARTS), self.taken.append)

    def mine(self) -> set[str]:
        """The turns it holds."""
        return {turn for turn in turns(BOXES, PARTS) if self.roster.holds(turn)}

    def share(self, kind: str) -> int:
        """How many turns of a kind it holds."""
        return sum(turn.startswith(kind) for turn in self.mine())


@contextmanager
def routers(url: str, count: int) -> Iterator[list[Router]]:
    """Several routers on one database."""
    made = [Router(url) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.roster.close()


def test_one_router_takes_everything(postgres_server: Postgres) -> None:
    """Alone it holds all turns, each announced once before anybody works on it."""
    with routers(postgres_server.database(), 1) as (one,):
        one.roster.look()
        one.roster.look()
        assert one.mine() == set(turns(BOXES, PARTS))
        assert sorted(one.taken) == sorted(turns(BOXES, PARTS))


def test_a_second_router_gets_its_share(postgres_server: Postgres) -> None:
    """Mailboxes are shared out evenly, nothing is held twice, and nothing is left lying."""
    with routers(postgres_server.database(), 2) as (one, other):
        for _ in range(3):
            one.roster.look()
            other.roster.look()
        assert one.mine() | other.mine() == set(turns(BOXES, PARTS))
        assert not one.mine() & other.mine()
        assert (one.share("watch"), other.share("watch")) == (2, 2)
        assert (one.share("move"), other.share("move")) == (2, 2)


def test_what_a_dead_router_held_is_taken_over(postgres_server: Postgres) -> None:
    """Its line ends with the process: the other takes everything at its next look."""
    with routers(postgres_server.database(), 2) as (one, other):
        for _ in range(3):
            one.roster.look()
            other.roster.look()
        assert one.mine() & set(turns(BOXES, ["work"])), "there is nothing to take over"
        one.roster.locks.close()
        everything = set(turns(BOXES, PARTS))
        until(lambda: (other.roster.look(), other.mine() == everything)[1])
        assert other.mine() == everything
        assert set(other.taken) == everything, "something is worked on without having been announced"


def test_a_server_that_restarts_costs_the_turns_for_a_moment(tmp_path: Path) -> None:
    """With the line every lock is gone: the shift is over at once, and the turns are taken anew."""
    try:
        server = Postgres()
    except Exception as reason:  # noqa: BLE001 - the fixture says it better
        pytest.skip(str(reason))
    with server, routers(server.database(), 1) as (one,):
        one.roster.look()
        shift = one.roster.wait("work")
        assert shift is not None
        server.restart()
        one.roster.look()
        assert shift.stop.is_set()
        assert not one.bells.stop.is_set()
        one.roster.leave("work")
        until(lambda: (one.roster.look(), one.mine() == set(turns(BOXES, PARTS)))[1])
        again = one.roster.wait("work")
        assert again is not None
        assert not again.stop.is_set()


class Line(Locks):
    """Locks that nobody else wants, and a line that can be lost at any moment."""

    def __init__(self) -> None:
        self.held, self.cut, self.routers = Counter[str](), "", 1

    def _maybe_cut(self, at: str) -> None:
        if self.cut == at:
            self.held.clear()
            raise SQLAlchemyError("the line is gone")

    def members(self) -> int:
        """How many routers there are, as the test says."""
        self._maybe_cut("members")
        return self.routers

    def take(self, name: str) -> bool:
        """Session locks count how often they are taken."""
        self._maybe_cut("take")
        self.held[name] += 1
        return True

    def release(self, name: str) -> None:
        """Once for each time it was taken."""
        self._maybe_cut("release")
        self.held[name] -= 1

    def close(self) -> None:
        """Every lock is gone with the line."""
        self.held.clear()


class Alone:
    """A roster over such a line; `fails` is raised by what is done as a turn begins."""

    def __init__(self) -> None:
        self.line, self.bells, self.fails = Line(), Bells(), list[Exception]()
        self.taken = list[str]()
        self.roster = SharedRoster(self.bells, self.line, turns(BOXES, PARTS), self._taken)

    def _taken(self, turn: str) -> None:
        self.taken.append(turn)
        if self.fails:
            raise self.fails.pop()

    def ready(self) -> set[str]:
        """The turns a role would get now."""
        return {turn for turn in turns(BOXES, PARTS) if self.roster._ready(turn)}


def test_a_turn_lost_with_the_line_begins_anew_only_when_everybody_is_out() -> None:
    """A role that is still inside after the line was lost keeps the turn from the next."""
    one = Alone()
    one.roster.look()
    assert one.roster.wait("send") is not None
    one.line.cut = "members"
    one.roster.look()
    assert one.ready() == set()
    one.line.cut = ""
    one.taken.clear()
    for _ in range(3):
        one.roster.look()
    assert one.ready() == set(turns(BOXES, PARTS)) - {"send"}
    assert "send" not in one.taken, "what is being sent was called doubtful while it is being sent"
    one.roster.leave("send")
    one.roster.look()
    assert one.taken.count("send") == 1
    assert one.roster.wait("send") is not None
    assert set(one.line.held.values()) == {1}


@pytest.mark.parametrize("moment", ["members", "take", "release"])
def test_a_line_lost_at_any_moment_ends_every_turn(moment: str) -> None:
    """Nothing is believed to be held afterwards; with a new line everything begins again, once."""
    one = Alone()
    one.roster.look()
    shifts = [one.roster._mine[turn] for turn in one.ready()]
    one.line.cut, one.line.routers = moment, 2
    if moment == "take":
        one.roster.look()  # gives back half
        one.line.routers = 1
        shifts = [one.roster._mine[turn] for turn in one.ready()]
    one.roster.look()
    assert one.ready() == set()
    assert all(shift.stop.is_set() for shift in shifts)
    one.line.cut, one.line.routers = "", 1
    one.roster.look()
    assert one.ready() == set(turns(BOXES, PARTS))
    assert set(one.line.held.values()) == {1}


@pytest.mark.parametrize("error", [SQLAlchemyError("gone"), ZeroDivisionError()], ids=["line", "other"])
def test_a_turn_that_cannot_begin_is_not_held(error: Exception) -> None:
    """What fails as a turn begins leaves no lock behind under which nobody works."""
    one = Alone()
    one.fails.append(error)
    with suppress(ZeroDivisionError):
        one.roster.look()
    assert one.ready() == set()
    assert not +one.line.held
    one.roster.look()
    assert one.ready() == set(turns(BOXES, PARTS))
    assert set(one.line.held.values()) == {1}


def test_a_turn_that_is_kept_after_all_goes_on() -> None:
    """The other router is gone before our role has finished giving back: the turn begins again here."""
    one = Alone()
    one.roster.look()
    given = [turn for turn in turns(BOXES, ["watch"]) if one.roster.wait(turn) is not None]
    one.line.routers = 2
    one.roster.look()
    one.line.routers = 1
    one.roster.look()
    for turn in given:
        one.roster.leave(turn)
    one.roster.look()
    assert one.ready() == set(turns(BOXES, PARTS))
    assert set(one.line.held.values()) == {1}


def test_a_turn_is_given_back_after_its_work(postgres_server: Postgres) -> None:
    """Who has begun something finishes it before the other router may begin."""
    with routers(postgres_server.database(), 2) as (one, other):
        one.roster.look()
        busy = {turn: one.roster.wait(turn) for turn in turns(BOXES, ["watch"])}
        other.roster.look()
        one.roster.look()  # over its share, but everybody is at work
        other.roster.look()
        assert other.share("watch") == 0
        over = [turn for turn, shift in busy.items() if shift is not None and shift.stop.is_set()]
        assert len(over) == 2
        for turn in over:
            one.roster.leave(turn)
        one.roster.look()
        other.roster.look()
        assert {turn for turn in other.mine() if turn.startswith("watch")} == set(over)


def test_waiting_ends_with_the_process(postgres_server: Postgres) -> None:
    """A role that waits for a turn it never gets comes to its end with the process."""
    with routers(postgres_server.database(), 2) as (one, other):
        one.roster.look()
        got: list[object] = []
        thread = threading.Thread(target=lambda: got.append(other.roster.wait("clock")))
        thread.start()
        runs = threading.Thread(target=other.roster.run, args=(other.bells,))
        runs.start()
        other.bells.end()
        runs.join(30)
        thread.join(30)
        assert got == [None]


def until(done: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("database", "says"),
    [
        ("mysql://u@h/db", "database"),
        ("postgresql://u:secret@h/db", "database"),
    ],
)
def test_other_addresses_are_refused(tmp_path: Path, database: str, says: str) -> None:
    """Only PostgreSQL without a password in the address; the secret is not repeated."""
    text = f'[serve]\njournal = "j"\nbundle = "b"\ndatabase = "{database}"\n'
    with pytest.raises(ConfigError) as told:
        loads(text, path=tmp_path / "serve.toml", environment={})
    assert says in str(told.value)
    assert "secret" not in str(told.value)


def test_routers_that_share_need_one_key(tmp_path: Path) -> None:
    """A database without a key that all routers have is a fault that says why."""
    text = '[serve]\njournal = "j"\nbundle = "b"\ndatabase = "postgresql://u@h/db"\n'
    with pytest.raises(ConfigError, match="one key"):
        loads(text, path=tmp_path / "serve.toml", environment={})
    with pytest.raises(ConfigError) as told:
        loads(text + 'loop_key_env = "KEY"\n', path=tmp_path / "serve.toml", environment={})
    assert "one key" not in str(told.value)
