"""Fixtures that start the servers; a test skips with the reason where a program is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers.dovecot import Dovecot, User
from tests.servers.missing import ServerMissing
from tests.servers.postfix import Postfix
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import SmtpSink

Server = TypeVar("Server", Dovecot, Postfix, Postgres)


def started(make: Callable[[], Server]) -> Iterator[Server]:
    """A server for a fixture; the test is skipped where it is not installed."""
    try:
        server = make()
    except ServerMissing as reason:
        pytest.skip(str(reason))
    with server:
        yield server


@pytest.fixture(scope="session")
def dovecot_server() -> Iterator[Dovecot]:
    """One Dovecot for the whole session."""
    yield from started(Dovecot)


@pytest.fixture
def dovecot(dovecot_server: Dovecot) -> User:
    """A fresh, empty mailbox on the session's Dovecot (`.server` is the server)."""
    return dovecot_server.user()


@pytest.fixture
def smtp_sink(tmp_path: Path) -> Iterator[SmtpSink]:
    """An SMTP server without TLS and login that records every mail it takes."""
    with SmtpSink(tmp_path / "sink") as sink:
        yield sink


@pytest.fixture
def postfix(dovecot_server: Dovecot) -> Iterator[Postfix]:
    """A Postfix that delivers to the session's Dovecot."""
    yield from started(lambda: Postfix(dovecot_server.lmtp_port))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL for the session."""
    yield from started(Postgres)
