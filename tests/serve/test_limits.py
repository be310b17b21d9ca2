"""The loop breaker: every limit counted before sending, persisted, and a breaker that is reset by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from serve.instants import DAY, HOUR, MINUTE
from serve.journal import Journal, events, limits
from serve.journal.limits import Asked
from serve.journal.schema import acks
from serve.limits import Limits
from tests.serve.room import Room
from tests.serve.service import mail

NOW = 1_800_000_000_000


def ask(n: int = 0, *, address: str = "", subject: str = "", body: str = "") -> Asked:
    """An acknowledgement unlike every other, but for what is given."""
    return Asked(address or f"p{n}@d{n}.example", subject or f"subject {n}", body or f"body {n}")


def granted(journal: Journal, allowed: Limits, one: Asked, number: int, now: int = NOW) -> bool:
    """Ask for an acknowledgement and count it if it is granted, as the worker does."""
    with journal.write() as tx:
        if limits.refusal(tx, one, allowed, now) is not None:
            return False
        words = {"address": one.address, "domain": one.domain, "subject": one.subject, "body": one.body}
        tx.execute(insert(acks), {"interaction_id": number, "at": now, **words})
        return True


@pytest.fixture
def loose(journal: Journal) -> Journal:
    """A journal whose acknowledgements need no interaction."""
    with journal.write() as tx:
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("ALTER TABLE acks DROP CONSTRAINT fk_acks_interaction_id")
            return journal
        tx.exec_driver_sql("DROP TABLE acks")
        tx.exec_driver_sql(
            "CREATE TABLE acks (id INTEGER PRIMARY KEY, interaction_id INTEGER UNIQUE, address TEXT,"
            " domain TEXT, subject TEXT, body TEXT, at BIGINT)"
        )
    return journal


@pytest.mark.parametrize(
    ("same", "allowed", "window"),
    [
        (lambda n: ask(n, address="a@b.example"), 3, DAY),
        (lambda n: ask(n, subject="help"), 2, DAY),
        (lambda n: ask(n, body="the same words"), 3, DAY),
        (lambda n: ask(n, address=f"p{n}@one.example"), 20, HOUR),
        (lambda n: ask(n, address=f"p{n}@gmail.com"), 200, HOUR),
    ],
    ids=["address", "subject", "body", "domain", "freemail"],
)
def test_each_limit_holds_and_ends_with_its_window(
    loose: Journal, same: Callable[[int], Asked], allowed: int, window: int
) -> None:
    """So many in the window and not one more; when the window has passed there may be more."""
    answers = [granted(loose, Limits(), same(n), n) for n in range(allowed + 2)]
    assert answers == [True] * allowed + [False] * 2
    assert not granted(loose, Limits(), same(900), 900, NOW + window - 1)
    assert granted(loose, Limits(), same(901), 901, NOW + window)


def test_an_empty_subject_is_no_evidence(loose: Journal) -> None:
    """Mail without a subject is limited by its other measures only."""
    assert all(granted(loose, Limits(), Asked(f"p@{n}.example", "", f"body {n}"), n) for n in range(10))


def test_two_at_once_cannot_both_have_the_last_one(loose: Journal) -> None:
    """Asked by many threads at the same moment, a limit of three grants exactly three."""
    answers: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(granted(loose, Limits(), ask(n, address="a@b.example"), n))
        )
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers) == 3


def test_limits_survive_a_restart(tmp_path: Path) -> None:
    """What was counted before a restart counts after it."""
    room = Room(tmp_path)
    for n in range(3):
        room.decide(mail(n, sender="a@b.example", subject=f"Topic {n}", body=f"Words {n}"))
    room.journal.close()
    again = Room(tmp_path)
    again.uid = 3
    row = again.decide(mail(4, sender="a@b.example", subject="Another", body="New words"))[-1]
    assert json.loads(row["decision"])["ack"]["reason"] == "limit"
    assert "per_address_day = 3" in json.loads(row["context"])["limit"]


def test_the_global_breaker_trips_on_signs_of_a_loop_and_waits_for_a_person(journal: Journal) -> None:
    """Fifty signs within an hour stop every acknowledgement until somebody resets it by hand."""
    allowed = Limits()
    with journal.write() as tx:
        for n in range(allowed.loop_signs_hour - 1):
            events.add(tx, "own_loop", NOW + n)
        assert limits.watch(tx, allowed, NOW + MINUTE) is None
        events.add(tx, "ack_refused", NOW + MINUTE)
        assert limits.watch(tx, allowed, NOW + MINUTE) == "50 signs of a loop within an hour"
        assert "global breaker" in str(limits.refusal(tx, ask(), allowed, NOW + DAY))
    with journal.write() as tx:
        assert limits.reset(tx, NOW + DAY)
        assert not limits.reset(tx, NOW + DAY)
        assert limits.refusal(tx, ask(), allowed, NOW + DAY) is None
        assert limits.watch(tx, allowed, NOW + MINUTE) is None, "forgiven signs trip it again"


def test_signs_of_yesterday_trip_nothing(journal: Journal) -> None:
    """Only the last hour counts for the global breaker."""
    with journal.write() as tx:
        for _ in range(200):
            events.add(tx, "own_loop", NOW - 2 * HOUR)
        assert limits.watch(tx, Limits(), NOW) is None


def test_a_silenced_address_speaks_again_in_time(journal: Journal) -> None:
    """A bounced acknowledgement silences the address for its days; a later bounce extends them."""
    with journal.write() as tx:
        limits.silence(tx, "a@b.example", NOW + DAY, "bounced")
        limits.silence(tx, "a@b.example", NOW + 2 * DAY, "bounced")
        assert "bounced" in str(limits.refusal(tx, ask(address="a@b.example"), Limits(), NOW + DAY))
        assert limits.refusal(tx, ask(address="a@b.example"), Limits(), NOW + 2 * DAY) is None
        assert limits.refusal(tx, ask(address="c@b.example"), Limits(), NOW) is None


def test_one_interaction_can_never_be_granted_two(room: Room) -> None:
    """The journal itself refuses a second acknowledgement of one interaction."""
    from sqlalchemy.exc import IntegrityError

    room.decide(mail(1))
    with pytest.raises(IntegrityError), room.journal.write() as tx:
        limits.grant(tx, ask(), 1, room.now)
