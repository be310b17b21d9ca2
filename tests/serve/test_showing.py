"""What the journal tells: every line of `decisions` says whose mail it is, for people."""

from __future__ import annotations

from serve.showing import every_decision
from tests.serve.room import Room


def test_a_line_names_subject_and_sender(room: Room) -> None:
    """Subject and sender stand beside the decision, printable even where the mail's bytes are not."""
    broken = b"From: Eve <EVE@x.example>\r\nSubject: caf\xe9 \xff\xfe\r\n\r\nhi\r\n"
    plain = b"From: ann@shop.example\r\nSubject: My invoice\r\n\r\nIt is wrong.\r\n"
    room.decide(broken, plain, b"")
    first, second, empty = every_decision(room.journal, clock=room.clock)
    assert first["from"] == "eve@x.example"
    assert first["subject"].encode("utf-8").startswith(b"caf")
    assert (second["subject"], second["from"]) == ("My invoice", "ann@shop.example")
    assert (empty["subject"], empty["from"]) == ("", "")
    assert second["decision"]["queue"]
