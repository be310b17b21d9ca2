"""The loop breaker from outside: several processes, sixty days of silence, and the commands of a person."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serve.__main__ import app
from serve.instants import DAY
from serve.journal import events
from serve.undoing import Request
from tests.conftest import ROOT
from tests.scenarios.test_loop import bouncing
from tests.serve.room import TOML, Room, stored
from tests.serve.service import mail

_CHILD = """
import sys
from pathlib import Path
from serve.journal import Journal
from serve.limits import Limits
from tests.serve.test_limits import ask, granted
with Journal.open(Path(sys.argv[1])) as journal:
    sys.stdin.readline()  # all start at the same moment
    numbers = range(*map(int, sys.argv[2:]))
    print(sum(granted(journal, Limits(), ask(n, address="a@b.example"), n) for n in numbers))
"""


@pytest.fixture
def desk(tmp_path: Path) -> Room:
    """A room with a configuration on disk, for the commands."""
    room = Room(tmp_path)
    (tmp_path / "serve.toml").write_text(TOML)
    return room


def call(room: Room, *words: str, good: int = 0) -> str:
    """What a command prints; its exit code is checked."""
    config = str(room.config.service.journal.with_name("serve.toml"))
    done = CliRunner().invoke(app, [*words, "--config", config])
    code = done.exit_code if done.exception is None or isinstance(done.exception, SystemExit) else 78
    assert code == good, done.output
    return done.output


def test_processes_share_the_limits(loose_file: Path) -> None:
    """Three processes that ask for the same address at the same moment are granted three between them."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(loose_file), str(10 * n), str(10 * n + 10)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        for n in range(3)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    told = [int(child.communicate(timeout=120)[0]) for child in children]
    assert sum(told) == 3


@pytest.fixture
def loose_file(tmp_path: Path) -> Path:
    """A journal file whose acknowledgements need no interaction."""
    room = Room(tmp_path)
    with room.journal.write() as tx:
        tx.exec_driver_sql("DROP TABLE acks")
        tx.exec_driver_sql(
            "CREATE TABLE acks (id INTEGER PRIMARY KEY, interaction_id INTEGER UNIQUE, address TEXT,"
            " domain TEXT, subject TEXT, body TEXT, at BIGINT)"
        )
    path = room.config.service.journal
    room.journal.close()
    return path


@pytest.mark.parametrize(("days", "answered"), [(1, False), (59, False), (61, True)])
def test_a_bounced_acknowledgement_silences_its_address_for_sixty_days(
    desk: Room, days: int, answered: bool
) -> None:
    """For sixty days the address gets none, whatever it writes; afterwards it does again."""
    desk.decide(mail(1, sender="gone@customer.example"))
    (sent,) = desk.mails()
    desk.decide(bouncing(2, sent))
    desk.now += days * DAY
    desk.decide(mail(3, sender="gone@customer.example", subject="New topic", body="New words"))
    assert len(desk.mails()) == answered


def test_a_restart_forgets_neither_silence_nor_breaker(tmp_path: Path) -> None:
    """Both stand in the journal: another process on the same file refuses as well."""
    room = Room(tmp_path)
    with room.journal.write() as tx:
        for n in range(60):
            events.add(tx, "own_loop", room.now + n)
    room.decide(mail(1))  # the signs are seen behind this one
    assert len(room.mails()) == 1
    room.journal.close()
    again = Room(tmp_path)
    again.uid = 1
    again.decide(mail(2, sender="b@c.example", subject="Other", body="Other words"))
    assert again.mails() == []


def test_the_breaker_is_seen_and_reset_by_a_person(desk: Room) -> None:
    """status tells whether it is open and why; reset closes it, and mail is acknowledged again."""
    assert call(desk, "breaker", "status").startswith("closed (0 acknowledgements")
    with desk.journal.write() as tx:
        for n in range(60):
            events.add(tx, "own_loop", desk.now + n)
    desk.decide(mail(1))  # the signs are seen behind this one
    assert len(desk.mails()) == 1
    desk.decide(mail(2, sender="a@c.example", subject="Another", body="Another word"))
    assert desk.mails() == []
    assert call(desk, "breaker", "status").startswith("open: 60 signs of a loop within an hour")
    told = json.loads(call(desk, "breaker", "status", "--json"))
    assert told["open"] is True
    assert call(desk, "breaker", "reset") == "closed\n"
    assert call(desk, "breaker", "reset") == "it was closed already\n"
    desk.decide(mail(3, sender="b@c.example", subject="Other", body="Other words"))
    assert len(desk.mails()) == 1


def test_requests_of_the_workbench_are_carried_out_by_a_command(desk: Room, tmp_path: Path) -> None:
    """`filed undo --from` puts back what is asked for, tells of each, and answers 3 for strangers."""
    raw = mail("ooo", subject="Automatic reply: away", Auto_Submitted="auto-replied")
    desk.decide(raw)
    asked = tmp_path / "undo.jsonl"
    request = Request(stored(1, raw, desk.now).sha256)
    asked.write_text(json.dumps({"message": request.message}) + "\n")
    assert "goes to" in call(desk, "filed", "undo", "--from", str(asked))
    assert "lies in a queue already" in call(desk, "filed", "undo", "--from", str(asked))
    asked.write_text(json.dumps({"message": "a" * 64}) + "\n")
    assert "was not filed here" in call(desk, "filed", "undo", "--from", str(asked), good=3)
    call(desk, "filed", "undo", good=78)


def test_the_list_of_filed_mail_names_each_by_its_hash(desk: Room) -> None:
    """The workbench reads what the command prints: who, what, when, why, and the message itself."""
    raw = mail("ooo", subject="Automatic reply: away", Auto_Submitted="auto-replied")
    desk.decide(raw)
    (one,) = json.loads(call(desk, "filed", "list", "--json", "--days", "100000"))
    assert one["message"] == stored(1, raw, desk.now).sha256
    assert {"at", "sender", "subject", "kind", "folder", "evidence"} <= set(one)
