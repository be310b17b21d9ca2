"""What is remembered is what would be decided anew, byte for byte, and nothing is asked twice."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle, write
from mailml.bundle import desk as desks
from mailml.decide import decide
from mailml.flow import source
from mailml.lab import memory as memories
from mailml.lab.memory import Memory, memory_of
from mailml.lab.replay import replayed
from mailml.message import parse
from tests.mailml.lab.conftest import DESK
from tests.mailml.lab.trained import trained

FLOW = """
default = "General Support"
[[rule]]
name = "money"
when = { category = { is = "billing" } }
then = { queue = "Billing" }
"""
REST = """
[[rule]]
name = "rest"
when = { subject = { contains = "a" } }
then = { queue = "Tech Support" }
"""
EDITED = FLOW + REST


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with a classifier."""
    made = datetime(2026, 11, 1, tzinfo=UTC)
    path = tmp_path_factory.mktemp("learned") / "b"
    return write(
        path, flow=source.loads(FLOW), desk=desks.from_mapping(DESK), model=trained().model, created=made
    )


@pytest.fixture
def fresh(mailbox: Archive) -> Archive:
    """The sample mailbox, opened anew: nothing is known of it."""
    return Archive.open(mailbox.path)


def in_columns(rows: Any) -> Any:
    """A replay's table without what is named after the bundle."""
    return rows.drop(columns="bundle")


def test_a_changed_flow_decides_as_if_nothing_were_known(fresh: Archive, learned: Bundle) -> None:
    """After a replay with one flow, another one gives the very decisions that a new process would make."""
    edited = replace(learned, flow=source.loads(EDITED), id="edited")
    replayed(fresh, learned)
    made = replayed(fresh, edited, decisions=True)
    assert memory_of(fresh)._read
    for row, context in zip(made.rows.to_dict("records"), made.contexts, strict=True):
        if context is not None:
            anew = decide(parse(fresh.raw(row["sha256"])), edited, context)
            assert row["decision"].to_json() == anew.to_json()


def test_the_classifier_reads_each_text_once(
    fresh: Archive, learned: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two flows over one classifier: the second replay scores nothing."""
    asked = list[str]()
    model = memories.Model
    plain = model.categorize
    monkeypatch.setattr(model, "categorize", lambda self, text: asked.append(text) or plain(self, text))
    replayed(fresh, learned)
    once = len(asked)
    assert once > 100
    replayed(fresh, replace(learned, flow=source.loads(EDITED), id="edited"))
    assert len(asked) == once


def test_nothing_is_read_again(fresh: Archive, learned: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everything is at hand the archive's bytes stay where they are."""
    first = replayed(fresh, learned).rows
    monkeypatch.setattr(Archive, "messages", lambda *_: pytest.fail("the archive was read again"))
    monkeypatch.setattr(Archive, "raw", lambda *_: pytest.fail("a message was read again"))
    assert replayed(fresh, learned).rows.equals(first)


def test_what_has_no_room_is_read_again_and_decided_alike(
    fresh: Archive, learned: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for a few mails only the rest is read each time; the table is the same."""
    small = Memory(most_bytes=50_000)
    monkeypatch.setitem(memories._MEMORIES, fresh, small)
    first = replayed(fresh, learned).rows
    assert 0 < len(small._read) < 100
    assert replayed(fresh, learned).rows.equals(first)
    assert replayed(Archive.open(fresh.path), learned).rows.equals(first)


def test_another_identity_is_judged_anew(fresh: Archive, learned: Bundle) -> None:
    """Who we are decides what is our own mail: a desk with other addresses takes no verdict over."""
    other = replace(learned.desk, identity=replace(learned.desk.identity, lists=frozenset({"x@y.example"})))
    replayed(fresh, learned)
    replayed(fresh, replace(learned, desk=other, id="other"))
    assert len(memory_of(fresh)._judged) == 2


def test_new_mail_is_seen(tmp_path: Path, learned: Bundle) -> None:
    """A pull between two replays: the second one knows of it."""
    archive = Archive.open(tmp_path / "a", create=True)
    when = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for count in (1, 2):
        raw = f"From: a@x.example\r\nTo: support@acme.example\r\nSubject: {count}\r\n\r\nhello\r\n".encode()
        archive.append([Arrival("desk", "INBOX", 1, count, raw, when)])
        assert len(replayed(archive, learned).rows) == count


def test_a_closed_archive_is_forgotten(mailbox: Archive) -> None:
    """The memory goes with the archive it belongs to."""
    opened = Archive.open(mailbox.path)
    kept = ref(memory_of(opened))
    assert memory_of(opened) is kept()
    del opened
    gc.collect()
    assert kept() is None
