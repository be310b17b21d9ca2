"""The journal as a file for the lab: every message and answer once, nobody else may read it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from mailml.errors import InputError
from serve.feedback import KEYS, feedback, write
from serve.instants import DAY, HOUR
from serve.journal import interactions, outbox
from tests.serve.room import Room
from tests.serve.service import mail


def told(room: Room, **options: Any) -> dict[str, list[dict[str, Any]]]:
    """The lines by what they are."""
    found: dict[str, list[dict[str, Any]]] = {"head": [], "message": [], "answer": []}
    for line in feedback(room.journal, clock=room.clock, **options):
        found[line["what"]].append(line)
    return found


def test_every_message_has_its_line(room: Room) -> None:
    """What was decided stands in the line under plain names, and only the first mail opens."""
    again = mail(2, sender="c1@customer1.example", In_Reply_To="<m1@customer.example>")
    room.decide(mail(1, subject="Wrong invoice"), again)
    lines = told(room)
    assert [head["format"] for head in lines["head"]] == [1]
    opener, reply = lines["message"]
    assert (opener["opens"], reply["opens"]) == (True, False)
    assert opener["reference"] == reply["reference"] != ""
    assert opener["subject"] == "Wrong invoice 1"
    assert opener["kind"] == "human"
    assert opener["queue"] == opener["queue_now"] != ""
    assert opener["due_at"].endswith("+00:00")
    assert set(opener) <= set(KEYS)


def test_where_the_router_put_it_is_told_apart(room: Room) -> None:
    """A move of ours names folder and time; a message that somebody else moved first says so."""
    room.decide(mail(1), mail(2))
    with room.journal.write() as tx:
        mine, theirs = outbox.moves(tx, room.mailbox, room.now)
        outbox.moved(tx, mine, "done", room.now + 5)
        outbox.moved(tx, theirs, "gone", room.now + 5)
    first, second = told(room)["message"]
    assert first["moved_to"].startswith("Queues/")
    assert (first["moved_by_hand"], second["moved_by_hand"]) == (False, True)
    assert second["moved_to"] == ""


def test_answers_are_told_once(room: Room) -> None:
    """The moment of the first human answer is a line, not an automatic one."""
    room.decide(mail(1))
    with room.journal.write() as tx:
        interactions.answered(tx, 1, room.now + HOUR)
    human = [line for line in told(room)["answer"] if not line["automatic"]]
    assert len(human) == 1
    assert human[0]["reference"] == told(room)["message"][0]["reference"]


def test_only_the_last_days(room: Room) -> None:
    """With `days` older messages stay out."""
    room.decide(mail(1, subject="old"), received_at=room.now - 3 * DAY)
    room.decide(mail(2, subject="new"))
    assert [line["subject"] for line in told(room, days=1)["message"]] == ["new 2"]


def test_many_messages_come_in_order(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are read in portions; none is lost or doubled at the seams."""
    monkeypatch.setattr("serve.journal.feedback._AT_ONCE", 2)
    room.decide(*(mail(n, subject="mail") for n in range(5)))
    assert [line["subject"] for line in told(room)["message"]] == [f"mail {n}" for n in range(5)]


def test_both_kinds_of_file_hold_the_same(room: Room, tmp_path: Path) -> None:
    """JSON Lines and CSV have the same lines and keys, and nobody but the owner may read them."""
    room.decide(mail(1, subject="=cmd()"))
    lines = list(feedback(room.journal, clock=room.clock))
    assert write(tmp_path / "f.jsonl", lines) == write(tmp_path / "f.csv", lines) == len(lines)
    again = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text("utf-8").splitlines()]
    assert again == lines
    rows = list(csv.DictReader((tmp_path / "f.csv").open(encoding="utf-8", newline="")))
    assert [row["what"] for row in rows] == [line["what"] for line in lines]
    assert rows[1]["subject"] == "'=cmd() 1"
    assert rows[1]["opens"] == "true"
    assert (tmp_path / "f.jsonl").stat().st_mode & 0o777 == 0o600


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A name that says neither, and a folder that is not there, are named with a cure."""
    with pytest.raises(InputError, match="neither"):
        write(tmp_path / "f.xlsx", [])
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "no" / "f.jsonl", [])


def test_the_lab_reads_what_the_service_writes(room: Room, tmp_path: Path) -> None:
    """Both forms of a file that a real journal gave become the lab's table, with the same decisions."""
    pytest.importorskip("pandas")
    from mailml.lab.feedback import read

    again = mail(2, sender="c1@customer1.example", In_Reply_To="<m1@customer.example>")
    room.decide(mail(1), again, mail(3, Auto_Submitted="auto-generated"))
    with room.journal.write() as tx:
        interactions.answered(tx, 1, room.now + HOUR)
    lines = list(feedback(room.journal, clock=room.clock))
    tables = []
    for name in ("f.jsonl", "f.csv"):
        write(tmp_path / name, lines)
        tables.append(read(tmp_path / name).ledger())
    assert tables[0].equals(tables[1])
    rows = tables[0]
    assert rows["opens"].tolist() == [True, False, rows["opens"].tolist()[2], False]
    assert rows["thread"].tolist()[0] == rows["thread"].tolist()[1] == rows["thread"].tolist()[3]
    assert rows["sent"].tolist() == [False, False, False, True]
    assert rows["final_queue"].tolist()[0] == rows["queue"].tolist()[0]
