"""Health and alarms tell every degraded mode, honestly, once, and say when it is over."""

from __future__ import annotations

import json
import sqlite3

import pytest

from serve import alarms
from serve.bundles import Bundles
from serve.clock import Timekeeper
from serve.config import Config, loads
from serve.health import Health, examine
from serve.instants import DAY, HOUR, MINUTE, SECOND, to_datetime
from serve.journal import events, incoming, limits, marks, outbox, quarantine
from serve.supervisor import PARTS
from serve.vitals import Vitals
from tests.serve.room import TOML, Room
from tests.serve.service import mail


def alive(room: Room) -> None:
    """All parts beat, and the server shows the mailbox."""
    Vitals(room.journal, room.config, PARTS, clock=room.clock).beat()
    with room.journal.write() as tx:
        incoming.fresh(tx, room.mailbox, room.now)


def health(room: Room, bundles: Bundles | None = None) -> Health:
    """What is said now."""
    return examine(room.journal, room.config, bundles, clock=room.clock)


def modes(room: Room) -> set[str]:
    """The degraded modes by name."""
    return {trouble.mode for trouble in health(room).troubles}


def test_all_is_well(room: Room) -> None:
    """Every part beats and the mailbox is fresh: ok, and nothing else is said."""
    alive(room)
    assert health(room) == Health("ok")
    assert health(room).to_plain() == {"status": "ok", "ready": True, "degraded": []}


def test_nobody_watches(room: Room) -> None:
    """A journal that no process serves is down, and each idle part is named."""
    found = health(room)
    assert not found.ready
    assert {one.about for one in found.troubles if one.mode == "part_idle"} == set(PARTS)


def test_a_process_that_stopped_is_gone_at_once(room: Room) -> None:
    """One that stops on purpose says so; one that is killed is missed after its beats stay out."""
    alive(room)
    vitals = Vitals(room.journal, room.config, ["work"], clock=room.clock)
    vitals.end()
    assert [(one.mode, one.about) for one in health(room).troubles] == [("part_idle", "work")]
    vitals.beat()
    assert health(room).ready
    room.now += 46 * SECOND
    assert modes(room) >= {"part_idle"}


def test_a_mailbox_that_fails(room: Room) -> None:
    """With one mailbox nothing is routed: down, with the server's own words."""
    alive(room)
    with room.journal.write() as tx:
        incoming.failed(tx, room.mailbox, room.now, "AADSTS7000222: the client secret has expired")
    found = health(room)
    assert found.status == "down"
    assert "AADSTS7000222" in json.dumps(found.to_plain())


def test_one_of_two_mailboxes_fails(room: Room) -> None:
    """The other is still routed: degraded and ready."""
    second = TOML + TOML[TOML.index("[[mailbox]]") :].replace('"desk"', '"sales"')
    room.config = loads(second, path=room.config.path, environment={})
    alive(room)
    with room.journal.write() as tx:
        other = incoming.mailbox_id(tx, "sales", "INBOX")
        incoming.fresh(tx, other, room.now)
        incoming.failed(tx, other, room.now, "refused")
    found = health(room)
    assert (found.status, found.ready) == ("degraded", True)
    assert [(one.mode, one.about) for one in found.troubles] == [("mailbox_failing", "sales")]


def test_every_other_mode(room: Room) -> None:
    """Breaker, quarantine, old outbox, lag, a token that ended: each has its name."""
    room.decide(mail(1))
    (stuck,) = room.store(mail(2))
    alive(room)
    with room.journal.write() as tx:
        limits.watch(tx, room.config.limits.model_copy(update={"global_hour": 0}), room.now)
        quarantine.put(tx, 1, room.mailbox, "broken", room.now)
        marks.put(tx, "token:desk", room.now - SECOND)
        incoming.later(tx, stuck, room.now + DAY)
    room.now += 31 * MINUTE
    alive(room)
    assert modes(room) == {"breaker_open", "quarantine", "outbox_old", "lag", "token_expired"}
    assert not health(room).ready


def test_a_bundle_that_was_refused(room: Room) -> None:
    """The old one still decides: degraded, with the reason."""
    alive(room)
    (room.config.service.bundle / "card.json").write_text("{}")
    room.bundles.reload()
    room.bundles.look()
    found = health(room, room.bundles)
    assert [(one.mode, one.about) for one in found.troubles] == [("bundle_refused", "current")]
    assert found.ready


def test_a_journal_that_cannot_be_read(room: Room) -> None:
    """The worst state is an answer, not an error."""
    with sqlite3.connect(room.journal.path) as broken:
        broken.execute("ALTER TABLE marks RENAME TO lost")
    found = health(room)
    assert (found.status, found.troubles[0].mode) == ("down", "journal")


def kinds(room: Room, level: str = "alarm") -> list[str]:
    """The kinds of all events of a level, oldest first."""
    with room.journal.read() as tx:
        return [str(one["kind"]) for one in reversed(events.latest(tx, 100)) if one["level"] == level]


def test_an_alarm_is_told_once_again_after_a_day_and_when_it_is_over(room: Room) -> None:
    """It survives a restart, is repeated while it holds, and its end is an event."""
    room.decide(mail(1))
    room.now += 31 * MINUTE
    alive(room)
    for _ in range(3):
        room.timekeeper.tick()
    assert kinds(room).count("outbox_old") == 1
    again = Timekeeper(room.journal, room.config, clock=room.clock)
    again._reconciled_at = room.now + 400 * DAY
    again.tick()
    assert kinds(room).count("outbox_old") == 1
    room.now += DAY
    alive(room)
    again.tick()
    assert kinds(room).count("outbox_old") == 2
    with room.journal.write() as tx:
        for move in outbox.moves(tx, room.mailbox, room.now):
            outbox.moved(tx, move, "done", room.now)
    room.mails()
    again.tick()
    again.tick()
    assert kinds(room, "info").count("alarm_over") == 1


def test_a_quarantine_that_grows(room: Room) -> None:
    """Five messages set aside within an hour are one alarm more than each of them."""
    ids = room.store(*(mail(number) for number in range(5)))
    with room.journal.write() as tx:
        for number in ids:
            quarantine.put(tx, number, room.mailbox, "broken", room.now)
    alive(room)
    room.timekeeper.tick()
    assert kinds(room).count("quarantine_grew") == 1
    room.now += HOUR + SECOND
    alive(room)
    with room.journal.read() as tx:
        left = {one.kind for one in alarms.conditions(tx, room.config, room.now)}
    assert "quarantine_grew" not in left


@pytest.mark.parametrize(("days", "told"), [(40, False), (29, True), (-3, True)])
def test_a_secret_that_ends(room: Room, days: int, told: bool) -> None:
    """A month before the day, and after it; with how many days are left."""
    config = with_secret(room, days)
    with room.journal.read() as tx:
        found = [one for one in alarms.conditions(tx, config, room.now) if one.kind == "secret_ends"]
    assert bool(found) is told
    if found:
        assert ("ends in" in found[0].note) is (days > 0)


def with_secret(room: Room, days: int) -> Config:
    """A configuration whose client secret ends so many days from now."""
    day = to_datetime(room.now + days * DAY).date().isoformat()
    lines = 'auth = "microsoft365"\ntenant = "t"\nclient_id = "c"\nclient_secret_env = "S"\n'
    text = TOML.replace('password = "x"\n', f'{lines}client_secret_expires = "{day}"\n')
    return loads(text, path=room.config.path, environment={})
