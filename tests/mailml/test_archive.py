"""The archive: parts whole or absent, every message once, facts beside the raw bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from mailml.archive import Archive, Arrival, parts
from mailml.archive import _arrow as arrow_module
from mailml.archive import index as index_module
from mailml.archive import writer as writer_module
from mailml.archive.amounts import amount
from mailml.archive.overlay import flags_of
from mailml.archive.rows import News
from mailml.errors import ArchiveError, InputError, MissingExtraError

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def mail(number: int, body: str = "Hello, my invoice is wrong.") -> bytes:
    """A small message."""
    return (
        f"From: Ann <Ann{number}@Example.org>\r\nTo: support@acme.example\r\n"
        f"Reply-To: Ann.Private@Example.org\r\n"
        f"Subject: =?utf-8?q?Caf=C3=A9?= {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Wed, 4 Mar 2026 05:06:00 +0000\r\n\r\n{body}\r\n"
    ).encode()


def arrivals(count: int, folder: str = "INBOX", validity: int = 1, first: int = 1) -> Iterator[Arrival]:
    """So many messages of one folder."""
    for uid in range(first, first + count):
        yield Arrival("desk", folder, validity, uid, mail(uid), WHEN, ("\\Seen",) if uid % 2 else ())


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of ten messages."""
    archive = Archive.open(tmp_path / "archive", create=True)
    assert archive.append(arrivals(10)) == 10
    return archive


def test_a_message_comes_back_as_it_was(archive: Archive) -> None:
    """By key, by row and by SHA-256 the raw bytes are the ones that were put in."""
    for row, raw in archive.messages():
        assert raw == mail(row.uid) == archive.raw(row) == archive.raw(row.key) == archive.raw(row.sha256)
        assert (row.size, row.internaldate, row.folder) == (len(raw), WHEN, "INBOX")
    assert len(archive) == 10


def test_a_message_is_never_there_twice(archive: Archive) -> None:
    """The same key is refused in the same part, in a later one and after opening the archive again."""
    assert archive.append(arrivals(10)) == 0
    again = Archive.open(archive.path)
    assert again.append([*arrivals(3, first=10), *arrivals(3, first=10)]) == 2
    assert sorted(again.table(["uid"]).column("uid").to_pylist()) == list(range(1, 13))


def test_another_folder_or_uidvalidity_is_another_key(archive: Archive) -> None:
    """A UID means something only within its folder and UIDVALIDITY."""
    assert archive.append(arrivals(2, folder="Sent")) == 2
    assert archive.append(arrivals(2, validity=2)) == 2
    assert len(archive) == 14


def test_the_columns(archive: Archive) -> None:
    """Facts are parsed columns with one row per message, and never the raw bytes."""
    table = archive.table()
    assert tuple(table.column_names) == archive.columns
    assert "raw" not in table.column_names
    first = table.slice(0, 1).to_pylist()[0]
    assert first["subject"] == "Café 1"
    assert first["from_addr"] == "ann1@example.org"
    assert (first["from_name"], first["to"], first["cc"]) == ("Ann", ["support@acme.example"], [])
    assert first["reply_to"] == ["ann.private@example.org"]
    assert first["date"] == datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    assert first["own"].startswith("Hello, my invoice")
    assert (first["is_reply"], first["has_html"], first["attachments"]) == (False, False, [])
    assert (first["flags"], first["present"]) == ("\\Seen", True)


def test_columns_and_filter(archive: Archive) -> None:
    """Only the columns asked for come, filtered by any; an unknown one is told with those there are."""
    table = archive.table(["subject"], filter=pc.field("uid") > 8)
    assert table.to_pydict() == {"subject": ["Café 9", "Café 10"]}
    with pytest.raises(InputError, match=r"no column sender.*The columns are account"):
        archive.table(["sender"])


def test_columns_of_the_server_need_no_parsing(archive: Archive) -> None:
    """Keys and sizes are read without making facts."""
    archive.table(["uid", "size", "flags"])
    archive.status()
    assert parts.listed(archive.layout.facts) == []
    archive.table(["subject"])
    assert len(parts.listed(archive.layout.facts)) == 1


def test_an_empty_archive_has_its_columns(tmp_path: Path) -> None:
    """A new archive answers with no rows, not with an error."""
    archive = Archive.open(tmp_path / "new", create=True)
    assert archive.table().num_rows == 0
    assert tuple(archive.table().column_names) == archive.columns
    assert list(archive.messages()) == []
    assert archive.status().messages == 0
    assert "0 messages" in str(archive.status())


def test_messages_can_be_narrowed(archive: Archive) -> None:
    """By account, folder and any question about the row."""
    archive.append(arrivals(3, folder="Sent"))
    assert len(list(archive.messages(folders=["Sent"]))) == 3
    assert [row.uid for row, _ in archive.messages(where=lambda row: row.uid > 9)] == [10]
    assert list(archive.messages(account="other")) == []


def test_facts_are_made_once_and_again_for_a_newer_parser(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Indexing does only what is missing; a raised version makes all facts again."""
    seen: list[tuple[int, int]] = []
    assert archive.index(lambda done, total: seen.append((done, total))) == 10
    assert seen[-1] == (10, 10)
    assert archive.index() == 0
    archive.append(arrivals(5, first=11))
    assert archive.index() == 5
    monkeypatch.setattr(index_module, "FACTS_VERSION", 99)
    assert len(index_module.missing(archive.layout.raw, archive.layout.facts)) == 2


def test_indexing_packs_the_raw_part(tmp_path: Path) -> None:
    """The pull writes plainly and fast; the index makes it small, and the bytes stay the same."""
    archive = Archive.open(tmp_path / "a", create=True)
    long = [
        Arrival("desk", "INBOX", 1, uid, mail(uid, "same words again and again " * 400))
        for uid in range(1, 300)
    ]
    archive.append(long)
    before = archive.status().stored
    archive.index()
    assert archive.status().stored < before / 5
    assert all(raw == long[row.uid - 1].raw for row, raw in archive.messages())


def test_deleted_facts_come_back(archive: Archive) -> None:
    """The facts folder is a cache: without it the same table is made again."""
    before = archive.table()
    for part in parts.listed(archive.layout.facts):
        part.path.unlink()
    assert archive.table().equals(before)


def test_status(archive: Archive) -> None:
    """Counts, bytes and dates per folder, and a table to read."""
    archive.append(arrivals(3, folder="Sent"))
    status = archive.status()
    assert (status.messages, status.parts, status.indexed) == (13, 2, 0)
    assert [(f.folder, f.messages, f.newest) for f in status.folders] == [
        ("INBOX", 10, WHEN),
        ("Sent", 3, WHEN),
    ]
    assert status.bytes == sum(len(raw) for _, raw in archive.messages())
    assert "desk/Sent" in str(status)
    assert "on disk (2 parts)" in str(status) == repr(status)
    assert "on disk (1 part)" in str(replace(status, parts=1))
    assert [amount(size) for size in (1, 512, 3_400, 12_000_000, 1_400_000_000)] == [
        "1 byte", "512 bytes", "3.4 KB", "12 MB", "1.4 GB"
    ]  # fmt: skip
    archive.index()
    assert archive.status().indexed == 13


def test_news_is_laid_over(archive: Archive) -> None:
    """Later flags win, a message that left its folder is no longer present, and its flags stay."""
    with archive.writer() as writer:
        writer.note(News("desk", "INBOX", 1, 2, flags=("\\Answered",)))
        writer.note(News("desk", "INBOX", 1, 3, present=False))
    with archive.writer() as writer:
        writer.note(News("desk", "INBOX", 1, 2, flags=("\\Answered", "\\Seen")))
        assert writer.known.folder("desk", "INBOX").gone == {3}
    rows = {row["uid"]: row for row in archive.table(["uid", "flags", "present"]).to_pylist()}
    assert (rows[2]["flags"], rows[2]["present"]) == ("\\Answered \\Seen", True)
    assert (rows[3]["flags"], rows[3]["present"]) == ("\\Seen", False)
    assert (rows[1]["flags"], rows[1]["present"]) == ("\\Seen", True)
    assert flags_of(archive.layout, "desk", "INBOX", 1)[2] == ("\\Answered", "\\Seen")


def test_a_new_uidvalidity_ends_the_old_rows(archive: Archive) -> None:
    """Rows of a life of the folder that is over stay, and are not present."""
    archive.append(arrivals(2, validity=2))
    with archive.writer() as writer:
        writer.note(News("desk", "INBOX", 2, 0, modseq=5))
    table = archive.table(["uidvalidity", "present"]).to_pylist()
    assert {(row["uidvalidity"], row["present"]) for row in table} == {(1, False), (2, True)}


def test_only_one_writes(archive: Archive) -> None:
    """A second writer is refused in a sentence while the first is at work, and readers are not."""
    with archive.writer():
        with pytest.raises(ArchiveError, match="another pull is writing"):
            Archive.open(archive.path).append(arrivals(1))
        assert len(Archive.open(archive.path)) == 10
    assert Archive.open(archive.path).append(arrivals(1, first=11)) == 1


def test_what_was_added_before_an_error_is_kept(archive: Archive) -> None:
    """An error in the middle of a pull does not lose the messages before it."""
    with pytest.raises(RuntimeError), archive.writer() as writer:  # noqa: PT012 - what came before is the point
        writer.add(next(arrivals(1, first=50)))
        raise RuntimeError("the line broke")
    assert archive.raw(("desk", "INBOX", 1, 50)) == mail(50)


def test_an_interrupt_while_a_part_is_made_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the midst of packing rows: they are written when the context ends, once."""
    made = writer_module._table
    calls = iter([True])

    def table(rows: list[Arrival]) -> Any:
        if next(calls, False):
            raise KeyboardInterrupt
        return made(rows)

    monkeypatch.setattr(writer_module, "_table", table)
    archive = Archive.open(tmp_path / "a", create=True)
    with pytest.raises(KeyboardInterrupt):
        archive.append(arrivals(4))
    assert archive.status().messages == 4
    assert len(archive.table(columns=["uid"])) == 4


def test_a_half_written_part_is_nothing(archive: Archive) -> None:
    """What a killed writer leaves under a temporary name is not read, and swept away by the next one."""
    (archive.layout.raw / "00000009-abcdef.parquet.tmp").write_bytes(b"PAR1 half")
    assert len(archive) == 10
    archive.append(arrivals(1, first=11))
    assert not list(archive.layout.raw.glob("*.tmp"))


def test_a_damaged_part_is_named(archive: Archive) -> None:
    """A truncated part is an ArchiveError with its file and the cure; without it, the pull fetches again."""
    (part,) = parts.listed(archive.layout.raw)
    whole = part.path.read_bytes()
    part.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveError, match=rf"{part.name}.*damaged.*Move it away"):
        archive.table()
    part.path.unlink()
    with archive.writer() as writer:
        assert writer.known.folder("desk", "INBOX").current() == set()


def test_a_flipped_byte_is_noticed(archive: Archive) -> None:
    """A message whose bytes no longer match its SHA-256 is not handed out."""
    (part,) = parts.listed(archive.layout.raw)
    content = part.path.read_bytes()
    assert content.count(b"<7@example.org>") == 1
    part.path.write_bytes(content.replace(b"<7@example.org>", b"<8@example.org>"))
    with pytest.raises(ArchiveError, match="SHA-256"):
        archive.raw(("desk", "INBOX", 1, 7))
    assert archive.raw(("desk", "INBOX", 1, 8)) == mail(8)


def test_what_is_no_archive(tmp_path: Path) -> None:
    """An absent folder, a folder of something else and a newer format are each refused in a sentence."""
    with pytest.raises(ArchiveError, match="mailml pull"):
        Archive.open(tmp_path / "absent")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(ArchiveError, match="something else"):
        Archive.open(tmp_path / "other", create=True)
    archive = Archive.open(tmp_path / "new", create=True)
    (archive.path / "archive.json").write_text('{"format": 2}')
    with pytest.raises(ArchiveError, match="format 2, this version reads 1"):
        Archive.open(archive.path)
    (archive.path / "archive.json").write_text("{")
    with pytest.raises(ArchiveError, match=r"archive\.json"):
        Archive.open(archive.path)


def test_mail_is_private(tmp_path: Path) -> None:
    """Nobody else on the machine may look into an archive."""
    assert Archive.open(tmp_path / "a", create=True).path.stat().st_mode & 0o077 == 0


def test_an_unknown_message(archive: Archive) -> None:
    """Asking for a message that is not there is an InputError that names it."""
    with pytest.raises(InputError, match="99"):
        archive.raw(("desk", "INBOX", 1, 99))
    with pytest.raises(InputError):
        archive.raw("0" * 64)


def test_hostile_messages_become_rows(tmp_path: Path) -> None:
    """NUL bytes, no header, surrogates, endless lists and nesting each give one row, and nothing is lost."""
    raws = [
        b"",
        b"\0" * 1000,
        b"Subject: \xff\xfe\x00\r\n\r\n\xed\xa0\x80",
        b"Subject: =?utf-16?b?2AA=?=\r\nFrom: =?utf-8?q?=ED=A0=80?= <a@b.example>\r\n\r\n",
        b"To: " + b"a@example.org, " * 20_000 + b"\r\n\r\nx",
        b"References: " + b"<a@b> " * 50_000 + b"\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 20_000,
        b"Subject: " + b"y" * 300_000 + b"\r\n\r\n",
    ]
    archive = Archive.open(tmp_path / "a", create=True)
    archive.append(Arrival("desk", "INBOX", 1, uid, raw) for uid, raw in enumerate(raws, 1))
    table = archive.table()
    assert table.num_rows == len(raws)
    assert [raw for _, raw in archive.messages()] == raws
    assert max(len(row) for row in table.column("to").to_pylist()) <= 1000
    assert max(len(text) for text in table.column("subject").to_pylist()) <= 4096


def test_all_real_mail_becomes_rows(shared: Path, tmp_path: Path) -> None:
    """Every real and malformed message of the shared corpus is stored, parsed and read back."""
    raws = [path.read_bytes() for path in sorted((shared / "mail").rglob("*.eml"))]
    archive = Archive.open(tmp_path / "a", create=True)
    archive.append(Arrival("desk", "INBOX", 1, uid, raw) for uid, raw in enumerate(raws, 1))
    table = archive.table(["uid", "subject", "own", "defects"])
    assert table.num_rows == len(raws) > 1000
    assert not [
        d for row in table.column("defects").to_pylist() for d in row if d.startswith("could not be read")
    ]
    assert all(archive.raw(("desk", "INBOX", 1, uid)) == raws[uid - 1] for uid in range(1, len(raws), 97))


def test_many_parts_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts and row groups change nothing in what is read."""
    monkeypatch.setattr("mailml.archive.writer.PART_ROWS", 7)
    monkeypatch.setattr("mailml.archive.parts.ROW_GROUP_BYTES", 600)
    archive = Archive.open(tmp_path / "a", create=True)
    archive.append(arrivals(50))
    assert len(parts.listed(archive.layout.raw)) == 8
    assert archive.table(["uid"]).column("uid").to_pylist() == list(range(1, 51))
    assert [raw for _, raw in archive.messages()] == [mail(uid) for uid in range(1, 51)]
    assert all(archive.raw(("desk", "INBOX", 1, uid)) == mail(uid) for uid in range(50, 0, -3))


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Production has no pyarrow: the error names the extra to install."""
    archive = Archive.open(tmp_path / "a", create=True)
    arrow_module.arrow.cache_clear()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    try:
        with pytest.raises(MissingExtraError, match=r"mailml\[lab\]"):
            archive.table()
    finally:
        arrow_module.arrow.cache_clear()


def test_importing_the_archive_loads_no_pyarrow() -> None:
    """The import alone costs nothing of the workbench."""
    code = "import sys, mailml.archive; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


APPEND = """
import sys
from mailml.archive import Archive, Arrival
import mailml.archive.writer as w
w.PART_ROWS = 20
archive = Archive.open(sys.argv[1], create=True)
print("go", flush=True)
archive.append(Arrival("desk", "INBOX", 1, uid, b"Subject: %d\\r\\n\\r\\n" % uid) for uid in range(1, 5001))
"""


def test_killed_while_writing(tmp_path: Path) -> None:
    """kill -9 at any moment leaves whole parts only; going on ends with every message once."""
    path = tmp_path / "a"
    for pause in (0.0, 0.05, 0.15, 0.3):
        process = subprocess.Popen([sys.executable, "-c", APPEND, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        held = Archive.open(path).table(["uid"]).column("uid").to_pylist()
        assert sorted(held) == list(range(1, len(held) + 1))
    subprocess.run([sys.executable, "-c", APPEND, str(path)], check=True, stdout=subprocess.DEVNULL)
    assert sorted(Archive.open(path).table(["uid"]).column("uid").to_pylist()) == list(range(1, 5001))


FULL = """
import resource, sys
from mailml.archive import Archive, Arrival
from mailml.errors import ArchiveError
archive = Archive.open(sys.argv[1], create=True)
archive.append([Arrival("desk", "INBOX", 1, 1, b"Subject: first\\r\\n\\r\\n")])
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
try:
    archive.append(Arrival("desk", "INBOX", 1, uid, b"x" * 100_000) for uid in range(2, 200))
except ArchiveError as error:
    print(error)
print(len(archive), len(list((archive.path / "raw").iterdir())))
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """A write that fails is an ArchiveError with the cure; what was stored stays, nothing half is left."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "a")], capture_output=True, text=True)
    assert "cannot be written: File too large" in done.stdout, done.stderr
    assert "Make room and pull again" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 1"
