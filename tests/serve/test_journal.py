"""The journal: one schema, durable writes, one writer at a time, and rooms that keep their promises."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import threading
import time
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError

from mailml.errors import InputError
from serve.instants import to_datetime, to_ms
from serve.journal import Journal, events, figures, incoming, interactions, is_disk_trouble, outbox
from serve.journal.migrate import HEAD, version
from serve.journal.schema import metadata
from tests.serve.room import stored
from tests.serve.service import mail

NOW = 1_800_000_000_123


def fill(journal: Journal, *raws: bytes, uidvalidity: int = 1, first: int = 1) -> list[int]:
    """Store mails in the mailbox `desk` under UIDs from `first` on."""
    with journal.write() as tx:
        box = incoming.mailbox_id(tx, "desk", "INBOX")
        mails = [stored(uid, raw, NOW) for uid, raw in enumerate(raws, first)]
        return incoming.store(tx, box, uidvalidity, mails, NOW)


def test_the_migrations_build_exactly_the_schema(journal: Journal) -> None:
    """What Alembic builds and what the code believes are the same tables, columns and indexes."""
    with journal.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        assert version(tx) == HEAD


def test_it_is_written_through_to_the_disk(sqlite_journal: Journal) -> None:
    """Write-ahead log with synchronous=FULL (2), and foreign keys on, on every connection."""
    with sqlite_journal.write() as tx:
        told = [tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert told == ["wal", 2]
    with sqlite_journal.read() as tx:
        assert tx.exec_driver_sql("PRAGMA query_only").scalar() == 1
        assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_nobody_else_may_read_it(sqlite_journal: Journal) -> None:
    """Customers' mail lies in it: the file is ours alone."""
    assert stat.S_IMODE(sqlite_journal.path.stat().st_mode) == 0o600


def test_a_reader_cannot_write(journal: Journal) -> None:
    """The reading side refuses a write instead of racing the writer."""
    with pytest.raises((OperationalError, InternalError)), journal.read() as tx:
        events.add(tx, "started", NOW)


def test_a_failed_transaction_leaves_nothing(journal: Journal) -> None:
    """All of it or none of it."""

    def fail() -> None:
        with journal.write() as tx:
            events.add(tx, "started", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with journal.read() as tx:
        assert events.latest(tx) == []


def test_a_reader_never_waits_for_a_writer(journal: Journal) -> None:
    """While a write is open, readers see the last committed state at once."""
    with journal.write() as tx:
        events.add(tx, "started", NOW)
        begun = time.monotonic()
        with journal.read() as other:
            assert events.latest(other) == []
        assert time.monotonic() - begun < 2


def test_a_journal_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """An older program does not touch a newer journal; it says which is which."""
    path = tmp_path / "journal.sqlite"
    Journal.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InputError, match="schema 9999"):
        Journal.open(path)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A journal below a file is refused with the cure."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Give the service a folder"):
        Journal.open(tmp_path / "file" / "journal.sqlite")


def write_many(path: Path, name: str) -> None:
    """Another process that writes fifty events."""
    with Journal.open(path) as journal:
        for n in range(50):
            with journal.write() as tx:
                events.add(tx, name, n)


def test_several_processes_write_without_losing_anything(tmp_path: Path) -> None:
    """Three processes with two hundred writes: all there, and the file is whole."""
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as journal:
        context = multiprocessing.get_context("spawn")
        others = [context.Process(target=write_many, args=(path, f"p{n}")) for n in range(2)]
        for other in others:
            other.start()
        threads = [threading.Thread(target=write_many, args=(path, f"t{n}")) for n in range(2)]
        for thread in threads:
            thread.start()
        for worker in (*others, *threads):
            worker.join(60)
        with journal.read() as tx:
            assert events.count(tx, ["p0", "p1", "t0", "t1"], -1) == 200
            assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_disk_trouble_is_told_from_other_trouble() -> None:
    """Full, broken and read-only disks end the service; a locked file does not."""
    for words in ("database or disk is full", "disk I/O error", "attempt to write a readonly database"):
        assert is_disk_trouble(OperationalError("", {}, sqlite3.OperationalError(words)))
    assert not is_disk_trouble(OperationalError("", {}, sqlite3.OperationalError("database is locked")))
    assert not is_disk_trouble(OperationalError("", {}, psycopg.errors.DiskFull("No space left on disk")))
    assert not is_disk_trouble(ValueError("disk"))


def test_a_uid_is_stored_once(journal: Journal) -> None:
    """The same UID shown again is known; the cursor stands behind the highest."""
    assert len(fill(journal, mail(1), mail(2))) == 2
    assert fill(journal, mail(1), mail(2)) == []
    with journal.read() as tx:
        assert incoming.cursor(tx, 1) == incoming.Cursor(1, 2)
        assert incoming.known_uids(tx, 1, 1) == {1, 2}
        assert incoming.known_uids(tx, 1, 1, 2) == {2}


def test_under_another_uidvalidity_known_mail_is_known_by_its_bytes(journal: Journal) -> None:
    """Two equal copies take two rows' places, one each; what was not there before is new."""
    fill(journal, mail(1), mail(1), mail(2, Message_ID=""))
    assert fill(journal, mail(2, Message_ID=""), mail(1), mail(1), mail(3), uidvalidity=2, first=10) == [4]
    with journal.read() as tx:
        assert incoming.known_uids(tx, 1, 2) == {10, 11, 12, 13}
        assert incoming.known_uids(tx, 1, 1) == set()
        assert incoming.cursor(tx, 1) == incoming.Cursor(2, 13)


def test_another_inbox_starts_over(journal: Journal) -> None:
    """When the configuration names another folder, its UIDs are not compared with the old one's."""
    fill(journal, mail(1))
    with journal.write() as tx:
        assert incoming.mailbox_id(tx, "desk", "Support") == 1
        assert incoming.cursor(tx, 1) == incoming.Cursor(None, 0)


def test_raw_bytes_come_back_as_they_were(journal: Journal) -> None:
    """NUL bytes, wrong charsets and bare line ends are kept to the byte."""
    raw = b"Subject: \xff\x00\r\n\rodd\n\n\x00body\x80"
    numbers = fill(journal, raw)
    with journal.read() as tx:
        (found,) = incoming.claimed(tx, numbers)
    assert found.raw == raw
    assert raw.hex() not in repr(found)


def test_a_message_id_of_two_interactions_joins_neither(journal: Journal) -> None:
    """An id that two interactions claim finds nothing; an empty one is never kept."""
    numbers = fill(journal, mail(1), mail(2))
    with journal.write() as tx:
        for n, number in enumerate(numbers):
            row = {"reference": f"R{n}", "mailbox_id": 1, "opened_by": number, "opened_at": NOW}
            made = interactions.open_new(tx, **row).id
            interactions.add_message_id(tx, made, "same@x", NOW, ours=False)
            interactions.add_message_id(tx, made, f"only{n}@x", NOW, ours=False)
            interactions.add_message_id(tx, made, "", NOW, ours=False)
        assert interactions.by_message_id(tx, "same@x") is None
        assert interactions.by_message_id(tx, "") is None
        found = interactions.by_message_id(tx, "only1@x")
        assert found is not None
        assert found.reference == "R1"


def test_one_message_opens_one_interaction(journal: Journal) -> None:
    """The journal refuses a second interaction opened by the same message."""
    (number,) = fill(journal, mail(1))
    row = {"mailbox_id": 1, "opened_by": number, "opened_at": NOW}
    with journal.write() as tx:
        interactions.open_new(tx, reference="A", **row)
    with pytest.raises(IntegrityError), journal.write() as tx:
        interactions.open_new(tx, reference="B", **row)


def put(tx: outbox.Tx, dedupe: str, effect: str = "ack") -> int:
    """A mail to be sent."""
    return outbox.add_mail(
        tx, effect, dedupe, NOW, raw=b"x", mailbox_id=1, message_id=f"<{dedupe}@x>", recipient="a@b"
    )


def test_a_mail_is_claimed_once(journal: Journal) -> None:
    """Of two that want to send the same mail, one wins; after that it is pending no more."""
    fill(journal)
    with journal.write() as tx:
        number = put(tx, "one")
        assert outbox.sending(tx, number)
        assert not outbox.sending(tx, number)
        assert not outbox.next_sends(tx, NOW)


def test_an_intent_is_written_once(journal: Journal) -> None:
    """The same intent a second time breaks its transaction."""
    fill(journal)
    with journal.write() as tx:
        put(tx, "one")
    with pytest.raises(IntegrityError), journal.write() as tx:
        put(tx, "one")


def test_after_a_crash_what_was_being_sent_is_in_doubt(journal: Journal) -> None:
    """`sending` becomes `doubt`, to be asked of the Sent folder at once; `pending` stays."""
    fill(journal)
    with journal.write() as tx:
        first, _second = put(tx, "one"), put(tx, "two")
        outbox.sending(tx, first)
    with journal.write() as tx:
        assert outbox.recover(tx) == 1
        assert [one.id for one in outbox.doubtful(tx, 1, NOW)] == [first]
        assert outbox.in_doubt(tx)
        following = next(iter(outbox.next_sends(tx, NOW)), None)
        assert following is not None
        assert following.message_id == "<two@x>"


def test_a_person_goes_before_a_machine(journal: Journal) -> None:
    """An agent's reply is sent before acknowledgements that wait longer; nothing leaves before it is due."""
    fill(journal)
    with journal.write() as tx:
        ack = put(tx, "ack")
        reply = put(tx, "reply", "reply")
        first = next(iter(outbox.next_sends(tx, NOW)), None)
        assert first is not None
        assert first.id == reply
        outbox.postpone(tx, reply, NOW + 1000, "later")
        outbox.postpone(tx, ack, NOW + 1000, "later")
        assert not outbox.next_sends(tx, NOW)
        assert outbox.next_sends(tx, NOW + 1000)
        # nothing of ours waits for a day: the clock ran ahead when that was written
        assert outbox.next_sends(tx, NOW - 86_400_000)


def test_moments_survive_to_the_millisecond() -> None:
    """A moment goes to UTC and back without losing its last digit."""
    for ms in (0, 1, NOW, NOW + 876, 253_402_300_799_999):
        assert to_ms(to_datetime(ms)) == ms


def test_figures_of_an_empty_journal_are_zeros(journal: Journal) -> None:
    """Nothing has happened yet, and nothing breaks."""
    with journal.read() as tx:
        assert figures.latencies(tx) == {"seen_to_decided": {"count": 0}, "seen_to_moved": {"count": 0}}
        assert figures.oldest_waiting(tx) is None
        assert figures.conversations(tx, NOW) == {"late": 0}


def test_copies_are_looked_for_without_reading_what_was_ever_sent(sqlite_journal: Journal) -> None:
    """Every mover asks for them at every wake: a year of sent mail must not be read each time."""
    with sqlite_journal.read() as tx:
        plan = tx.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM outbox"
            " WHERE state = 'sent' AND copied IS 0 AND mailbox_id = 1 ORDER BY id LIMIT 25"
        ).all()
    assert "ix_outbox_state_copied_mailbox_id" in str(plan)
