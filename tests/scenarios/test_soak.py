"""A bounded sample of `make soak`: killed, refused, cut, overloaded; each mail has one outcome, one answer.

What is asserted of each turn stands in tests/soak/turn.py (`judge`); the whole is `python -m tests.soak`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.missing import ServerMissing
from tests.servers.smtp_sink import SmtpSink
from tests.soak import cuts, kills, load, order
from tests.soak.__main__ import WITHOUT_MOVE
from tests.soak.turn import Bench, KeepingSink, Tally, WrongError, spread
from tests.soak.victim import Victims

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(not kills.available(), reason="needs strace (see tests/install-system-packages.sh)"),
]
DURABLE = ("pwrite64", "fdatasync", "sendto", "recvfrom", "connect")


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    """One fork server for all turns."""
    with Victims() as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path, dovecot_server: Dovecot, victims: Victims) -> Iterator[Bench]:
    """The session's Dovecot and a sink that keeps no copies."""
    with SmtpSink(tmp_path / "sink") as sink:
        yield Bench(tmp_path, dovecot_server, sink, victims)


def quiet(_line: str) -> None:
    """Say nothing on the way."""


def test_killed_at_system_calls(bench: Bench) -> None:
    """First, middle and last invocation of each call that makes something durable or visible."""
    tally = kills.kills(bench, 3, DURABLE, tell=quiet)
    assert tally.hurt >= tally.turns - 1 >= 13  # the last invocation may not come in every run


def test_killed_while_the_journal_is_made(bench: Bench) -> None:
    """The very first start, with a journal, its schema and a key to be made, may be killed as well."""
    assert kills.kills(bench, 2, ("rename", "fdatasync", "write"), empty=True, tell=quiet).hurt >= 3


def test_killed_on_a_server_without_move(tmp_path: Path, victims: Victims) -> None:
    """Copy, mark, expunge: killed between any two of them the mail lies in one place, once."""
    try:
        server = Dovecot(WITHOUT_MOVE)
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server, SmtpSink(tmp_path / "sink") as sink:
        assert kills.kills(Bench(tmp_path, server, sink, victims), 6, ("sendto",), tell=quiet).hurt >= 5


def test_a_sent_folder_that_keeps_what_was_taken_leaves_no_doubt(
    tmp_path: Path, dovecot_server: Dovecot, victims: Victims
) -> None:
    """Where the server keeps a copy of what it took, as Gmail does, every mail that was taken is `sent`."""
    with KeepingSink(tmp_path / "sink") as sink:
        bench = Bench(tmp_path, dovecot_server, sink, victims)
        smtp = [line for line in cuts.lines(bench) if line.protocol == "smtp" and line.way == "down"]
        tally = Tally()
        for line in smtp:
            for count in spread(range(line.length // 2, line.length), 5):
                cuts.cut(bench, tally, line, count, "rst")
        assert tally.hurt >= 4
        assert tally.uncertain_but_taken == 0


@pytest.mark.parametrize("kind", ["rst", "fin"])
def test_cut_at_bytes(bench: Bench, kind: str) -> None:
    """Each connection of a run, up and down, is cut once."""
    tally = cuts.cuts(bench, 1, kind, tell=quiet)
    assert tally.hurt == tally.turns >= 6


@pytest.mark.parametrize(
    ("call", "error"),
    [("pwrite64", "ENOSPC"), ("fdatasync", "EIO"), ("openat", "EMFILE"), ("sendto", "EPIPE")],
)
def test_refused_by_disk_or_network(bench: Bench, call: str, error: str) -> None:
    """A call that fails ends the run in words or is waited out; what it interrupted is finished later."""
    assert kills.errors(bench, 2, [(call, error)], tell=quiet).hurt == 2


def test_killed_under_load(bench: Bench) -> None:
    """Three kills of a running service at random moments while ten mails a second come in."""
    assert load.random_kills(bench, 3).turns == 3


def test_nothing_is_said_before_it_is_on_the_disk(bench: Bench) -> None:
    """No body, move or append leaves while a write to the journal is not synced, in case the power fails."""
    told, wrong = order.violations(bench)
    assert told >= 5
    assert not wrong, wrong


def test_the_judge_sees_what_is_wrong(bench: Bench, spoiled: Callable[[Bench], None]) -> None:
    """A mail lost, moved twice or answered twice is noticed: a sweep that finds nothing has looked."""
    with pytest.raises(WrongError):
        spoiled(bench)


def _lost(bench: Bench) -> None:
    turn = bench.turn()
    turn.people.append("nobody@nowhere.example")
    turn.heal()
    turn.judge(Tally())


def _twice_there(bench: Bench) -> None:
    turn = bench.turn()
    turn.heal()
    with turn.user.client() as client:
        client.append("Queues/General Support", b"Subject: once more\r\n\r\n")
    turn.judge(Tally())


def _twice_answered(bench: Bench) -> None:
    turn = bench.turn()
    turn.heal()
    bench.sink.record(bench.sink.mails[-1])
    turn.judge(Tally())


@pytest.fixture(params=[_lost, _twice_there, _twice_answered])
def spoiled(request: pytest.FixtureRequest) -> Callable[[Bench], None]:
    """A turn that somebody has spoiled."""
    made: Callable[[Bench], None] = request.param
    return made
