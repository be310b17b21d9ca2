"""Requests of the workbench to put filed mail back: read strictly, carried out once, told one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailml.errors import InputError
from serve.journal import decisions
from serve.undoing import Request, Undone, carry_out, requests
from tests.serve.room import Room, stored
from tests.serve.service import mail

SHA = "a" * 64


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A worker with a journal of its own."""
    return Room(tmp_path)


def written(path: Path, *rows: object) -> Path:
    """A file with these rows as JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_last_word_on_a_message_counts(tmp_path: Path) -> None:
    """A second request replaces the first, a withdrawal removes it."""
    other = "b" * 64
    path = written(
        tmp_path / "u",
        {"message": SHA, "queue": "Billing", "by": "anna"},
        {"message": other},
        {"message": SHA, "queue": "Tech Support", "by": "bob"},
        {"message": other, "withdrawn": True},
    )
    assert requests(path) == [Request(SHA, "Tech Support", "bob")]


@pytest.mark.parametrize(
    "line", ["{}", "[]", "no", '{"message": 1}', '{"message": "short"}', '"' + "x" * 5000 + '"']
)
def test_a_line_that_is_no_request_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    """Nothing is guessed: the file and the line are named."""
    path = tmp_path / "u"
    path.write_text(json.dumps({"message": SHA}) + "\n" + line + "\n")
    with pytest.raises(InputError, match=r"u:2"):
        requests(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """No file, a folder, and bytes that are no text are faults with a name."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("none", ".", "bytes"):
        with pytest.raises(InputError, match="cannot be read"):
            requests(tmp_path / name)


def filed(room: Room) -> str:
    """An automatic reply that the worker files; its SHA-256."""
    raw = mail("ooo", subject="Automatic reply: away", Auto_Submitted="auto-replied")
    room.decide(raw)
    return stored(1, raw, room.now).sha256


def carried(room: Room, *asked: Request, labels: Path | None = None) -> list[Undone]:
    """The requests carried out against the room's journal."""
    flow = room.bundles.current.flow
    names = {one.name: one for one in room.config.mailboxes}
    return carry_out(room.journal, asked, names, flow.queues(), flow.default, labels=labels, clock=room.clock)


def test_a_request_is_carried_out_once(room: Room, tmp_path: Path) -> None:
    """The mail goes to the queue, is labelled with who asked, and a second run passes it over."""
    sha, labels = filed(room), tmp_path / "labels.jsonl"
    (done,) = carried(room, Request(sha, "", "anna"), labels=labels)
    assert (done.state, done.queue) == ("done", room.bundles.current.flow.default)
    assert done.reference
    label = json.loads(labels.read_text())
    assert (label["message"], label["label"], label["by"]) == (sha, "human", "anna")
    with room.journal.read() as tx:
        moves = [row["folder"] for row in decisions.effects(tx, done.number) if row["effect"] == "move"]
    assert moves[-1] == f"Queues/{done.queue}"
    (again,) = carried(room, Request(sha, "", "anna"), labels=labels)
    assert again.state == "before"
    assert len(labels.read_text().splitlines()) == 1


def test_mail_that_was_never_filed_is_told(room: Room) -> None:
    """A stranger's message, and one that went to a queue, are unknown; nothing happens to them."""
    raw = mail(1)
    room.decide(raw)
    told = carried(room, Request(SHA), Request(stored(1, raw, room.now).sha256))
    assert [one.state for one in told] == ["unknown", "unknown"]


def test_a_queue_that_does_not_exist_stops_all_before_anything_is_done(room: Room) -> None:
    """One wrong queue in the file: no request is carried out."""
    sha = filed(room)
    with pytest.raises(InputError, match="no queue has the name 'Bilingg'"):
        carried(room, Request(sha), Request(SHA, "Bilingg"))
    assert carried(room, Request(sha))[0].state == "done"


def test_every_copy_is_put_back(room: Room) -> None:
    """The same bytes in two folders are two filed mails, and both go."""
    sha = filed(room)
    filed(room)
    assert [one.state for one in carried(room, Request(sha))] == ["done", "done"]
