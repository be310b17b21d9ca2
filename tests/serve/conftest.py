"""What the tests of serve share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.journal import Journal
from tests.serve.room import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A worker with a journal and a clock of its own."""
    made = Room(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture(params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """An empty journal, on each of the databases it may live in."""
    database = ""
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_server").database()
    with Journal.open(tmp_path / "journal.sqlite", database) as opened:
        yield opened


@pytest.fixture
def sqlite_journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal in a file."""
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened
