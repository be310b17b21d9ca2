"""/metrics: what happened is counted once, what is now is shown now, and nothing of a customer's is in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mailml.verdict import Reason
from serve.instants import MINUTE, SECOND
from serve.journal import incoming, marks, quarantine
from serve.metrics import Metrics
from serve.supervisor import PARTS
from serve.vitals import Vitals
from tests.serve.room import Room
from tests.serve.service import mail

Read = Callable[..., float]


@pytest.fixture
def read(room: Room) -> Read:
    """Scrape, and find the value of a sample by its name and labels; KeyError when it is not there."""
    metrics = Metrics(room.journal, room.config, room.bundles, clock=room.clock)

    def value(name: str, **labels: str) -> float:
        text = metrics.text().decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == f"mailml_{name}" and labels.items() <= sample.labels.items():
                    return float(sample.value)
        raise KeyError(name)

    return value


def test_decisions_are_counted_by_rule_and_kind(room: Room, read: Read) -> None:
    """Counted once, however often it is scraped, and only ever more."""
    with pytest.raises(KeyError):
        read("decisions_total")
    room.decide(mail(1), mail(2, subject="[URGENT] down"), mail(3, Auto_Submitted="auto-replied"))
    for _ in range(2):
        assert read("decisions_total", mailbox="desk", kind="human", rule="urgent") == 1
        assert read("decisions_total", kind="auto_reply") == 1
    room.decide(mail(4, subject="[URGENT] down"))
    assert read("decisions_total", rule="urgent", bundle=room.bundles.current.id) == 2


def test_acknowledgements_sent_and_withheld(room: Room, read: Read) -> None:
    """Those sent are in the outbox by state, those withheld by their reason."""
    room.decide(mail(1), mail(2, Auto_Submitted="auto-replied"))
    assert read("outbox", effect="ack", state="pending") == 1
    room.mails()
    assert read("outbox", effect="ack", state="sent") == 1
    assert read("acks_withheld_total", reason=Reason.AUTO_REPLY.value) == 1


def test_freshness_and_lag(room: Room, read: Read) -> None:
    """A mailbox never seen is infinitely old; what waits is as old as its arrival."""
    assert read("mailbox_fresh_age_seconds", mailbox="desk") == float("inf")
    assert read("lag_seconds") == 0
    room.store(mail(1))
    with room.journal.write() as tx:
        incoming.fresh(tx, room.mailbox, room.now)
    room.now += 2 * MINUTE
    assert read("mailbox_fresh_age_seconds") == 120
    assert read("lag_seconds") == 120
    assert read("mailbox_failing") == 0
    with room.journal.write() as tx:
        incoming.failed(tx, room.mailbox, room.now, "gone")
    assert read("mailbox_failing") == 1


def test_the_outbox_has_a_depth_and_an_age(room: Room, read: Read) -> None:
    """How many effects wait, and for how long the oldest does."""
    room.decide(mail(1))
    room.now += 90 * SECOND
    assert read("outbox", effect="move", state="pending") == 1
    assert read("outbox_oldest_seconds", effect="move") == 90
    assert read("outbox_oldest_seconds", effect="reply") == 0


def test_bundles_tokens_parts_and_alarms(room: Room, read: Read) -> None:
    """Which bundle serves, when tokens end, who is alive, and what was told."""
    assert read("bundle_info", role="current", bundle=room.bundles.current.id) == 1
    assert read("bundle_refused", role="current") == 0
    Vitals(room.journal, room.config, PARTS, clock=room.clock).beat()
    assert read("part_alive_timestamp_seconds", part="work") == room.now / 1000
    (number,) = room.store(mail(1))
    with room.journal.write() as tx:
        marks.put(tx, "token:desk", room.now)
        quarantine.put(tx, number, room.mailbox, "broken", room.now)
    assert read("token_expires_timestamp_seconds", account="desk") == room.now / 1000
    assert read("messages", state="quarantined") == 1
    assert read("alarms_total", kind="quarantined") == 1
    assert read("breaker_open") == 0


def test_nothing_of_a_customer_is_in_it(room: Room) -> None:
    """No address, no subject, no word of a body, whatever the mail says."""
    room.decide(mail(1, subject='Secret" subject\\', sender="Ann <ann@customer.example>", body="secret body"))
    text = Metrics(room.journal, room.config, room.bundles, clock=room.clock).text().decode()
    assert "customer" not in text
    assert "secret" not in text.lower()
