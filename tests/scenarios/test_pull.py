"""Pulling from a real Dovecot: read-only, incremental, through broken lines and kills."""

from __future__ import annotations

import dataclasses
import importlib
import time
from pathlib import Path

import pytest

from mailml import lab
from mailml.archive import Archive
from mailml.errors import AuthError, ConnectError, DisconnectedError, FolderError, TLSError
from mailml.lab.pull import Progress
from mailml.transport.account import Account
from tests.bench.mailbox import fill
from tests.bench.pull import exactly_once, killed_pull
from tests.servers.dovecot import Dovecot, User
from tests.servers.dovecot_config import Settings
from tests.servers.fault_proxy import FaultProxy
from tests.servers.missing import free_port
from tests.servers.postfix import Postfix

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]

# Every IMAP command a pull may send: none of them writes.
READING = {
    "CAPABILITY",
    "AUTHENTICATE",
    "LOGIN",
    "ENABLE",
    "LIST",
    "EXAMINE",
    "UID SEARCH",
    "UID FETCH",
    "LOGOUT",
}


def mail(number: int, size: int = 0) -> bytes:
    """A message of its own; `size` adds that many bytes of text."""
    filler = (b"lorem ipsum dolor sit amet consectetur adipiscing\r\n" * (size // 51 + 1))[:size]
    return (
        b"From: ann@example.org\r\nSubject: n%d\r\nMessage-ID: <%d@example.org>\r\n\r\n" % (number, number)
        + filler
    )


def put(user: User, folder: str, *raws: bytes) -> None:
    """Puts messages into a folder, which is made where it is missing."""
    with user.client() as client:
        if not client.folder_exists(folder):
            client.create_folder(folder)
        for raw in raws:
            client.append(folder, raw)


def subjects(archive: Archive | Path) -> list[tuple[str, str]]:
    """Folder and subject of everything in the archive."""
    store = archive if isinstance(archive, Archive) else Archive.open(archive)
    table = store.table(["folder", "subject"]).to_pylist()
    return sorted((row["folder"], row["subject"]) for row in table)


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_everything_comes_once(dovecot: User, tmp_path: Path, security: str) -> None:
    """All folders but trash, junk and drafts, each message byte for byte; the second pull brings nothing."""
    put(dovecot, "INBOX", mail(1), mail(2))
    put(dovecot, "Queues/Büro & サポート", mail(3))
    put(dovecot, "Sent", mail(4))
    put(dovecot, "Trash", mail(5))
    put(dovecot, "Junk", mail(6))
    report = lab.pull(dovecot.account(security), tmp_path / "a")
    assert report.new == 4
    assert subjects(tmp_path / "a") == [
        ("INBOX", "n1"),
        ("INBOX", "n2"),
        ("Queues/Büro & サポート", "n3"),
        ("Sent", "n4"),
    ]
    assert [raw for _, raw in Archive.open(tmp_path / "a").messages(folders=["INBOX"])] == [mail(1), mail(2)]
    again = lab.pull(dovecot.account(security), tmp_path / "a")
    assert (again.new, [f.known for f in again.folders]) == (0, [2, 1, 1])
    put(dovecot, "INBOX", mail(7))
    assert lab.pull(dovecot.account(security), tmp_path / "a").new == 1


def test_folders_by_name_and_glob(dovecot: User, tmp_path: Path) -> None:
    """Only what is named comes; a missing folder is told with what was meant, and nothing is pulled."""
    put(dovecot, "INBOX", mail(1))
    put(dovecot, "Queues/Billing", mail(2))
    put(dovecot, "Queues/Tech", mail(3))
    with pytest.raises(FolderError, match="Did you mean 'Queues/Billing'"):
        lab.pull(dovecot.account(), tmp_path / "a", ["Queues/Biling"])
    report = lab.pull(dovecot.account(), tmp_path / "a", "Queues/*")
    assert [f.folder for f in report.folders] == ["Queues/Billing", "Queues/Tech"]


def test_nothing_is_written_on_the_server(dovecot: User, tmp_path: Path) -> None:
    r"""Only reading commands are sent, bodies with PEEK; \Seen and \Recent stay as they were."""
    for number in range(5):
        dovecot.deliver(mail(number))
    with FaultProxy(dovecot.server.imap_port) as proxy:
        account = dovecot.account("none", proxy.port)
        for _ in range(2):  # the second pull compares flags
            lab.pull(account, tmp_path / "a")
            assert set(proxy.commands()) <= READING
    assert b"UID FETCH" in proxy.sent
    assert b"BODY[" not in proxy.sent.replace(b"BODY.PEEK[", b"")
    with dovecot.client() as client:
        told = client.select_folder("INBOX")
        assert told[b"RECENT"] == 5
        assert set(client.get_flags(client.search()).values()) == {(b"\\Recent",)}
    assert dovecot.server.logged(f"{dovecot.name}.*deleted=0 expunged=0 trashed=0")


def test_flags_and_moves_on_later_pulls(dovecot: User, tmp_path: Path) -> None:
    """A later pull sees other flags and that a message has moved: a second row with the same SHA-256."""
    put(dovecot, "INBOX", *(mail(number) for number in range(1, 5)))
    put(dovecot, "Queues/Billing")
    archive = tmp_path / "a"
    lab.pull(dovecot.account(), archive)
    with dovecot.client() as client:
        client.select_folder("INBOX")
        client.add_flags([1], [b"\\Answered"])
        client.move([2], "Queues/Billing")
    report = {f.folder: f for f in lab.pull(dovecot.account(), archive).folders}
    assert (report["INBOX"].changed, report["INBOX"].gone, report["INBOX"].new) == (1, 1, 0)
    assert report["Queues/Billing"].new == 1
    rows = Archive.open(archive).table(["folder", "uid", "flags", "present", "sha256"]).to_pylist()
    moved = [row for row in rows if (row["folder"], row["uid"]) in {("INBOX", 2), ("Queues/Billing", 1)}]
    assert len({row["sha256"] for row in moved}) == 1
    assert {row["folder"]: row["present"] for row in moved} == {"INBOX": False, "Queues/Billing": True}
    assert [row["flags"] for row in rows if (row["folder"], row["uid"]) == ("INBOX", 1)] == ["\\Answered"]
    third = lab.pull(dovecot.account(), archive)
    assert not any(f.changed or f.gone or f.new for f in third.folders)


def test_a_server_without_condstore_and_esearch(tmp_path: Path) -> None:
    """The same, where the server can do next to nothing (as Exchange: no CONDSTORE, no ESEARCH)."""
    with Dovecot(Settings(capability="IMAP4rev1 UIDPLUS IDLE")) as server:
        user = server.user()
        put(user, "INBOX", *(mail(number) for number in range(1, 5)))
        assert lab.pull(user.account("none"), tmp_path / "a").new == 4
        with user.client() as client:
            client.select_folder("INBOX")
            client.add_flags([3], [b"\\Seen"])
            client.delete_messages([4])
            client.expunge()
        (inbox, *_) = lab.pull(user.account("none"), tmp_path / "a").folders
        assert (inbox.changed, inbox.gone, inbox.new) == (1, 1, 0)


def test_a_changed_uidvalidity(dovecot: User, tmp_path: Path) -> None:
    """A restored folder comes again under new keys, the old rows stay, and the report says so."""
    put(dovecot, "INBOX", mail(1), mail(2))
    archive = tmp_path / "a"
    lab.pull(dovecot.account(), archive)
    dovecot.server.set_uidvalidity(dovecot, "INBOX")
    report = lab.pull(dovecot.account(), archive)
    inbox = report.folders[0]
    assert (inbox.uidvalidity_changed, inbox.new) == (True, 2)
    assert "UIDVALIDITY has changed" in str(report)
    table = Archive.open(archive).table(["uidvalidity", "present", "sha256"]).to_pylist()
    assert len(table) == 4
    assert len({row["sha256"] for row in table}) == 2
    assert sum(row["present"] for row in table) == 2
    assert lab.pull(dovecot.account(), archive).folders[0].uidvalidity_changed is False


def test_a_mail_of_60_mb(dovecot: User, tmp_path: Path) -> None:
    """A huge mail among small ones comes whole, with its neighbours."""
    big = mail(2, 60_000_000)
    put(dovecot, "INBOX", mail(1), big, mail(3))
    report = lab.pull(dovecot.account(), tmp_path / "a", "INBOX")
    assert (report.new, report.bytes) == (3, len(mail(1)) + len(big) + len(mail(3)))
    archive = Archive.open(tmp_path / "a")
    rows = archive.table(["uidvalidity", "uid", "subject", "size", "own"]).to_pylist()
    assert [(row["uid"], row["subject"]) for row in rows] == [(1, "n1"), (2, "n2"), (3, "n3")]
    assert rows[1]["size"] == len(big)
    assert archive.raw(("desk", "INBOX", rows[1]["uidvalidity"], 2)) == big


@pytest.mark.parametrize("kind", ["rst", "fin"])
def test_a_line_that_breaks_again_and_again(dovecot: User, tmp_path: Path, kind: str) -> None:
    """Cut in the middle of a body, the pull reconnects and goes on; every message is there once."""
    put(dovecot, "INBOX", *(mail(number, 20_000) for number in range(60)))
    with FaultProxy(dovecot.server.imap_port) as proxy:
        for cut in (200, 3_000, 150_000, 400_000):  # greeting and login, then in bodies
            proxy.cut_after(cut, kind=kind)
        account = dovecot.account("none", proxy.port)
        for _ in range(2):  # the very first connection is not tried again: that is the caller's to see
            try:
                report = lab.pull(account, tmp_path / "a", "INBOX")
                break
            except (ConnectError, DisconnectedError):
                continue
        assert proxy.connections >= 4
    assert report.new == 60
    exactly_once(tmp_path / "a", 60)


def test_a_line_that_is_cut_towards_the_server(dovecot: User, tmp_path: Path) -> None:
    """A command cut in half is sent again on a new line."""
    put(dovecot, "INBOX", *(mail(number) for number in range(10)))
    with FaultProxy(dovecot.server.imap_port) as proxy:
        whole = len_of_commands(dovecot, proxy, tmp_path / "first")
        proxy.cut_after(whole - 30, "up")
        report = lab.pull(dovecot.account("none", proxy.port), tmp_path / "a", "INBOX")
    assert report.new == 10


def len_of_commands(user: User, proxy: FaultProxy, archive: Path) -> int:
    """How many bytes a pull sends in all."""
    lab.pull(user.account("none", proxy.port), archive, "INBOX")
    return len(proxy.sent)


def test_a_server_that_goes_silent(dovecot: User, tmp_path: Path) -> None:
    """A half-open line is noticed after the time-out and the pull goes on over a new one."""
    put(dovecot, "INBOX", *(mail(number, 50_000) for number in range(40)))
    with FaultProxy(dovecot.server.imap_port) as proxy:
        account = dataclasses.replace(dovecot.account("none", proxy.port), timeout=2.0)
        proxy.cut_after(300_000, kind="silent")
        report = lab.pull(account, tmp_path / "a", "INBOX")
        assert proxy.connections == 2
    exactly_once(tmp_path / "a", 40)
    assert report.new == 40


def test_a_server_that_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull that meets a restart waits for the server and ends complete."""
    # `lab.pull` is a function to users, so the package is asked for by its name.
    monkeypatch.setattr(importlib.import_module("mailml.lab.pull.progress"), "EVERY", 0.0)
    with Dovecot() as server:
        user = server.user()
        put(user, "INBOX", *(mail(number, 40_000) for number in range(200)))
        restarted: list[bool] = []

        def once(progress: Progress) -> None:
            if not restarted:
                assert progress.done < 200
                restarted.append(True)
                server.stop()
                server.start()

        report = lab.pull(user.account("none"), tmp_path / "a", "INBOX", progress=once)
    assert report.new == 200
    exactly_once(tmp_path / "a", 200)


def test_killed_five_times(dovecot: User, tmp_path: Path) -> None:
    """kill -9 five times in the middle: in the end exactly the mailbox, nothing twice."""
    fill(dovecot, 2000, average=3000)
    seen = killed_pull(dovecot, tmp_path / "a", 2000)
    exactly_once(tmp_path / "a", 2000)
    assert seen == sorted(seen)


def test_wrong_password_host_and_certificate(dovecot: User, tmp_path: Path) -> None:
    """Each ends in one clear sentence with its cure, and no archive full of nothing is the worse for it."""
    table = dovecot.mapping()
    cases = [
        ({"password": "wrong"}, AuthError, "Check user and password"),
        (
            {"host": "no-such-host.invalid", "password": None, "password_env": "HOME"},
            ConnectError,
            "not known",
        ),
        ({"port": free_port()}, ConnectError, "nothing listens"),
        ({"ca_file": None}, TLSError, "ca_file"),
    ]
    for changes, error, words in cases:
        changed = {key: value for key, value in {**table, **changes}.items() if value is not None}
        with pytest.raises(error, match=words):
            lab.pull(Account.from_mapping(changed, name="desk"), tmp_path / "a")
    assert lab.pull(dovecot.account(), tmp_path / "a").new == 0


def test_several_accounts(dovecot_server: Dovecot, tmp_path: Path) -> None:
    """One account that fails does not keep the others back, and the report names it."""
    one, two = dovecot_server.user(), dovecot_server.user()
    put(one, "INBOX", mail(1))
    put(two, "INBOX", mail(1), mail(2))
    wrong = Account.from_mapping({**two.mapping(), "password": "wrong"}, name="wrong")
    report = lab.pull([wrong, one.account(name="one"), two.account(name="two")], tmp_path / "a")
    assert report.new == 3
    assert [name for name, _ in report.failed] == ["wrong"]
    assert "refused the login" in str(report)
    accounts = Archive.open(tmp_path / "a").table(["account"]).column("account").to_pylist()
    assert sorted(accounts) == ["one", "two", "two"]


def test_a_deleted_part_is_pulled_again(dovecot: User, tmp_path: Path) -> None:
    """The sync state is the parts: what is no longer there is new again."""
    put(dovecot, "INBOX", mail(1), mail(2))
    lab.pull(dovecot.account(), tmp_path / "a")
    for part in (tmp_path / "a" / "raw").iterdir():
        part.unlink()
    assert lab.pull(dovecot.account(), tmp_path / "a").new == 2


def test_through_postfix(dovecot: User, postfix: Postfix, tmp_path: Path) -> None:
    """Mail that came by SMTP through a real server is pulled with the trace headers it got on the way."""
    from mailml.transport import smtp

    table = {"host": "127.0.0.1", "port": postfix.port, "security": "none", "auth": "none"}
    relay = Account.from_mapping(table, protocol="smtp")
    smtp.send(relay, "ann@example.org", [dovecot.name], mail(1))
    archive = Archive.open(tmp_path / "a", create=True)
    end = time.monotonic() + 30
    while not lab.pull(dovecot.account(), archive, "INBOX").new:
        assert time.monotonic() < end, postfix.log_text()[-2000:]
        time.sleep(0.3)
    (row,) = archive.table(["subject", "received"]).to_pylist()
    assert row["subject"] == "n1"
    assert len(row["received"]) >= 2
