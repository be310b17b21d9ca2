"""The whole service on a real Dovecot and a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.service import Service, mail
from tests.servers.dovecot import User
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.scenario


@pytest.fixture
def service(tmp_path: Path, dovecot: User, smtp_sink: SmtpSink) -> Iterator[Service]:
    """A service that is not running yet."""
    made = Service(tmp_path / "serve", dovecot, smtp_sink)
    yield made
    made.__exit__()


def test_once_routes_and_acknowledges(service: Service) -> None:
    """Mail ends in its queue's folder, each person gets one acknowledgement, and the inbox is empty."""
    for number in range(3):
        service.mailbox.deliver(mail(number))
    service.mailbox.deliver(mail(4, subject="[URGENT] down"))
    service.once()
    assert service.folders() == {"Queues/General Support": 3, "Queues/Priority Support": 1, "Sent": 4}
    assert len(service.sink.mails) == 4
