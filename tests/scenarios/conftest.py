"""What the scenarios share: a service on a fresh mailbox and a fresh SMTP sink."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient.exceptions import IMAPClientError

from tests.serve.room import Room
from tests.serve.service import Service
from tests.servers import child
from tests.servers.dovecot import User
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A worker with a journal and a clock of its own, without servers."""
    made = Room(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture
def service(tmp_path: Path, dovecot: User, smtp_sink: SmtpSink) -> Iterator[Service]:
    """A service that is not running yet; it is killed in the end if the test has not stopped it."""
    child.wait_until(lambda: logs_in(dovecot), 10, "the new mailbox")
    made = Service(tmp_path / "serve", dovecot, smtp_sink)
    yield made
    made.__exit__()


def logs_in(user: User) -> bool:
    """Whether Dovecot has read the new line of its users file: it looks once a second."""
    try:
        user.client().logout()
    except IMAPClientError:
        return False
    return True
