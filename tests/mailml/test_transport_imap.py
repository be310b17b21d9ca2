"""IMAP sessions against a real Dovecot, and against scripted servers where no real one misbehaves."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from mailml.errors import (
    AuthError,
    ConnectError,
    DisconnectedError,
    FolderError,
    ThrottledError,
    TLSError,
    TransportError,
)
from mailml.transport import _faults, _fetch, imap
from mailml.transport._fetch import internaldate, sets_of
from mailml.transport._folders import Folder, guessed
from mailml.transport._numbers import copyuid, esearch_all, expand
from mailml.transport.account import Account
from serve.bells import End
from tests.growth import growth
from tests.servers.dovecot import User
from tests.servers.fault_proxy import FaultProxy
from tests.servers.missing import free_port

pytestmark = pytest.mark.timeout(60)


def mail(subject: str, message_id: str = "") -> bytes:
    """A small message."""
    head = f"Message-ID: {message_id}\r\n" if message_id else ""
    return f"{head}Subject: {subject}\r\n\r\nbody of {subject}\r\n".encode()


# -- a real server ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_every_kind_of_line(dovecot: User, security: str) -> None:
    """TLS, STARTTLS and (on loopback) the bare line bring the same message, byte for byte."""
    raw = mail("hello")
    with dovecot.client() as client:
        client.append("INBOX", raw, [b"\\Flagged"], datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    with imap.connect(dovecot.account(security)) as session:
        assert session.examine("INBOX").exists == 1
        (item,) = session.fetch_raw(session.uids())
    assert (item.raw, item.flags, item.size) == (raw, ("\\Flagged",), len(raw))
    assert item.internaldate == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_reading_changes_nothing(dovecot: User) -> None:
    r"""EXAMINE and BODY.PEEK leave \Seen and \Recent as they were."""
    dovecot.deliver(mail("new"))
    with imap.connect(dovecot.account()) as session:
        session.examine("INBOX")
        assert len(list(session.fetch_raw(session.uids()))) == 1
    with dovecot.client() as client:
        told = client.select_folder("INBOX")
        assert told[b"RECENT"] == 1
        assert client.get_flags([1])[1] == (b"\\Recent",)


def test_wrong_password(dovecot: User) -> None:
    """A refused login is an AuthError with the server's words and a cure, without the password."""
    wrong = Account.from_mapping({**dovecot.mapping(), "password": "not-this-one"})
    with pytest.raises(AuthError, match="Check user and password") as raised:
        imap.connect(wrong)
    assert "not-this-one" not in str(raised.value)


def test_untrusted_certificate(dovecot: User, tmp_path: object) -> None:
    """A certificate of an unknown authority is refused before the password is sent, with the cure."""
    table = dovecot.mapping()
    del table["ca_file"]
    for security, port in (("tls", dovecot.server.imaps_port), ("starttls", dovecot.server.imap_port)):
        with pytest.raises(TLSError, match="name its file in ca_file"):
            imap.connect(Account.from_mapping({**table, "security": security, "port": port}))


def test_certificate_of_another_host(dovecot: User) -> None:
    """The host name is verified as well, not only the authority."""
    # "127.1" is 127.0.0.1 to the resolver and a name the certificate does not have.
    with pytest.raises(TLSError, match=r"not trusted.*Write as host the name that the certificate is for"):
        imap.connect(dataclasses.replace(dovecot.account(), host="127.1"))


@pytest.mark.parametrize(
    ("code", "cure"), [(9, "valid only later"), (10, "needs a new one"), (18, "ca_file"), (62, "as host")]
)
def test_who_can_mend_a_certificate_is_said(dovecot: User, code: int, cure: str) -> None:
    """Too old, too new, another name, an unknown authority: each has its own cure (OpenSSL's numbers)."""
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "refused"
    assert cure in _faults.connect_fault(error, dovecot.account()).cure


def test_tls_spoken_to_the_wrong_port(dovecot: User) -> None:
    """TLS on a port that speaks in clear is a TLSError that names the setting to change."""
    table = {**dovecot.mapping(), "port": dovecot.server.imap_port}
    with pytest.raises(TLSError, match="'starttls' is meant"):
        imap.connect(Account.from_mapping(table))


def test_nobody_there() -> None:
    """An unknown host and a closed port are told apart."""
    table = {"host": "no-such-host.invalid", "user": "u", "password_env": "X"}
    with pytest.raises(ConnectError, match=r"host name no-such-host\.invalid is not known"):
        imap.connect(Account.from_mapping(table))
    with pytest.raises(ConnectError, match="nothing listens"):
        imap.connect(
            Account.from_mapping({**table, "host": "127.0.0.1", "port": free_port(), "security": "none"})
        )


def test_missing_folder(dovecot: User) -> None:
    """A folder that is not there is a FolderError that names it, and the session goes on."""
    with imap.connect(dovecot.account()) as session:
        with pytest.raises(FolderError, match="'No such'"):
            session.examine("No such")
        assert session.examine("INBOX").exists == 0


def test_a_command_without_a_folder(dovecot: User) -> None:
    """Asking for UIDs before a folder is open is told in a sentence."""
    with imap.connect(dovecot.account()) as session, pytest.raises(FolderError, match="Call examine"):
        session.uids()


def test_folder_names_in_any_script(dovecot: User) -> None:
    """Names travel as modified UTF-7 and come back as they were."""
    names = ["Büro & Co", "サポート", "Queues/Технический", 'quo"ted\\']
    with imap.connect(dovecot.account()) as session:
        for name in names:
            session.create_folder(name)
            session.create_folder(name)  # twice is no error
        found = {folder.name for folder in session.folders()}
        assert set(names) <= found
        assert session.append(names[1], mail("x")) == 1
        assert session.examine(names[1]).exists == 1
        assert session.folders()[0].name == "INBOX"


def test_special_use(dovecot: User) -> None:
    """What a folder is for comes from SPECIAL-USE."""
    with imap.connect(dovecot.account()) as session:
        uses = {folder.special_use: folder.name for folder in session.folders()}
    assert (uses["\\Sent"], uses["\\Trash"], uses["\\Junk"]) == ("Sent", "Trash", "Junk")


def test_new_uids_only(dovecot: User) -> None:
    """`n:*` names the last message even below n; uids does not fall for it."""
    with imap.connect(dovecot.account()) as session:
        for number in range(3):
            session.append("INBOX", mail(str(number)))
        session.examine("INBOX")
        assert session.uids() == [1, 2, 3]
        assert session.uids(2) == [2, 3]
        assert session.uids(4) == []
        assert session.uids(11) == []


def test_move_tells_the_new_uids(dovecot: User) -> None:
    """MOVE returns which UID became which; the message is gone from the first folder."""
    with imap.connect(dovecot.account()) as session:
        for number in range(3):
            session.append("INBOX", mail(str(number)))
        session.create_folder("Queues/Billing")
        session.select("INBOX")
        assert session.move([3], "Queues/Billing") == {3: 1}
        assert session.move([1, 2], "Queues/Billing") == {1: 2, 2: 3}
        assert session.uids() == []
        session.examine("Queues/Billing")
        assert [item.raw for item in session.fetch_raw([1, 2])] == [mail("2"), mail("0")]
        with pytest.raises(TransportError):
            session.move([1], "No such")


def test_move_without_MOVE(dovecot: User) -> None:  # noqa: N802
    """COPY, mark and expunge of exactly these UIDs, when the server has UIDPLUS; else nothing is touched."""
    with imap.connect(dovecot.account()) as session:
        for number in range(3):
            session.append("INBOX", mail(str(number)), ["\\Deleted"] if number == 2 else [])
        session.create_folder("Q")
        session.capabilities -= {"MOVE"}
        session.select("INBOX")
        assert session.move([1], "Q") == {1: 1}
        assert session.uids() == [2, 3]  # somebody else's deleted mail stays
        session.capabilities -= {"UIDPLUS"}
        with pytest.raises(FolderError, match="neither MOVE nor UIDPLUS"):
            session.move([2], "Q")
        assert session.uids() == [2, 3]


def test_a_copy_is_taken_away_only_where_exactly_it_can_be(dovecot: User) -> None:
    """The two halves of a move one by one: the copy first, then exactly these messages, or a refusal."""
    with imap.connect(dovecot.account()) as session:
        for number in range(3):
            session.append("INBOX", mail(str(number)), ["\\Deleted"] if number == 2 else [])
        assert not session.has_folder("Q%*")
        session.create_folder("Q%*")
        session.create_folder("Q%*")
        assert session.has_folder("Q%*")
        assert not session.has_folder("Q%")
        session.select("INBOX")
        assert session.copy([1, 2], "Q%*") == {1: 1, 2: 2}
        assert session.uids() == [1, 2, 3]
        session.expunge([2])
        assert session.uids() == [1, 3]
        session.capabilities -= {"UIDPLUS"}
        for refused in (lambda: session.copy([1], "Q%*"), lambda: session.expunge([1])):
            with pytest.raises(FolderError, match="UIDPLUS"):
                refused()
        assert session.uids() == [1, 3]


def test_heads_and_arrivals_tell_whom_to_compare(dovecot: User) -> None:
    """By the day of arrival, and with size and Message-ID of each; what is gone is left out."""
    raws = [mail("old", "<1@x.example>"), mail("new", "<2@x.example>"), mail("nameless")]
    with imap.connect(dovecot.account()) as session:
        for raw, day in zip(raws, (1, 5, 6), strict=True):
            session.append("INBOX", raw, when=datetime(2026, 3, day, 12, tzinfo=UTC))
        session.examine("INBOX")
        assert session.uids_arrived_since(date(2026, 3, 5)) == [2, 3]
        assert session.uids_arrived_since(date(2027, 1, 1)) == []
        heads = {head.uid: head for head in session.heads([1, 2, 3, 99])}
    assert sorted(heads) == [1, 2, 3]
    assert [heads[uid].size for uid in (1, 2, 3)] == [len(raw) for raw in raws]
    assert b"<2@x.example>" in heads[2].message_id
    assert b"@" not in heads[3].message_id


def test_finding_a_message_id(dovecot: User) -> None:
    """A Message-ID is found exactly, not as a part of another; the folder open before is open again."""
    with imap.connect(dovecot.account()) as session:
        session.append("Sent", mail("a", "<11@acme.example>"))
        session.append("Sent", mail("b", "<1@acme.example>"))
        session.append("Sent", b"Message-ID:\r\n <1@acme.example>\r\n\r\nfolded\r\n")
        session.select("INBOX")
        assert session.search_message_id("Sent", "<1@acme.example>") == [2, 3]
        assert session.search_message_id("Sent", "<2@acme.example>") == []
        assert session.selected is not None
        assert (session.selected.folder, session.selected.readonly) == ("INBOX", False)


def test_changed_flags(dovecot: User) -> None:
    """CONDSTORE tells which messages have other flags since a moment."""
    with imap.connect(dovecot.account()) as session:
        for number in range(3):
            session.append("INBOX", mail(str(number)))
        before = session.examine("INBOX").highestmodseq
        assert before > 0
        with dovecot.client() as client:
            client.select_folder("INBOX")
            client.add_flags([2], [b"\\Seen"])
        after = session.examine("INBOX").highestmodseq
        assert after > before
        assert [(item.uid, item.flags) for item in session.flags_changed_since(before)] == [(2, ("\\Seen",))]
        assert [item.flags for item in session.fetch_flags([1, 2])] == [(), ("\\Seen",)]


def test_many_small_and_one_empty(dovecot: User) -> None:
    """A thousand messages stream in order over several commands; an empty one is empty, not absent."""
    with dovecot.client() as client:
        client.select_folder("INBOX")
        client.multiappend("INBOX", [mail(f"n{number}") for number in range(1000)])
        client.append("INBOX", b"\r\n")
    with imap.connect(dovecot.account()) as session:
        session.examine("INBOX")
        got = list(session.fetch_raw(session.uids(), per_command=64))
        assert [item.uid for item in got] == list(range(1, 1002))
        assert all(item.raw == mail(f"n{item.uid - 1}") for item in got[:-1])
        assert got[-1].raw == b"\r\n"
        few = list(session.fetch_raw([5, 7, 9, 4000, 8]))
        assert [item.uid for item in few] == [5, 7, 8, 9]


def test_the_head_of_a_large_message(dovecot: User) -> None:
    """With max_bytes only the beginning comes, and size tells how much there is."""
    raw = mail("big") + b"x" * 70 + (b"y" * 70 + b"\r\n") * 10_000
    dovecot_raw = raw + b"\r\n"
    with imap.connect(dovecot.account()) as session:
        session.append("INBOX", dovecot_raw)
        session.examine("INBOX")
        (item,) = session.fetch_raw([1], max_bytes=1000)
    assert item.raw == dovecot_raw[:1000]
    assert item.size == len(dovecot_raw)


def test_stopping_early_closes_the_line(dovecot: User) -> None:
    """Who stops reading in the middle gets an error at the next command, not another command's answer."""
    with imap.connect(dovecot.account()) as session:
        for number in range(3):
            session.append("INBOX", mail(str(number)))
        session.examine("INBOX")
        stream = session.fetch_raw([1, 2, 3])
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        with pytest.raises(DisconnectedError):
            session.uids()


def test_idle_wakes_at_once(dovecot: User) -> None:
    """A delivery ends the wait within moments, over TLS."""
    with imap.connect(dovecot.account()) as session:
        session.select("INBOX")
        timer = threading.Timer(0.3, dovecot.deliver, [mail("wake")])
        timer.start()
        started = time.monotonic()
        assert session.idle(20)
        assert 0.2 < time.monotonic() - started < 5
        assert session.uids() == [1]
        assert session.idle(0.2) == ()


@pytest.mark.parametrize("security", ["none", "tls"])
def test_idle_misses_nothing_before_it(dovecot: User, security: str) -> None:
    """Mail that comes between the scan and IDLE ends the wait at once."""
    with imap.connect(dovecot.account(security)) as session:
        session.select("INBOX")
        for _ in range(3):
            session.uids()
            dovecot.deliver(mail("between"))
            started = time.monotonic()
            assert session.idle(20)
            assert time.monotonic() - started < 5


def test_idle_can_be_stopped(dovecot: User) -> None:
    """A stop ends the wait, also one that has come before it, and the session is still good."""
    stop = End()
    threading.Timer(0.2, stop.set).start()
    with imap.connect(dovecot.account()) as session:
        session.select("INBOX")
        started = time.monotonic()
        assert session.idle(30, stop) == ()
        assert session.idle(30, stop) == ()
        assert time.monotonic() - started < 15
        session.noop()


def test_a_cut_line_is_a_disconnect(dovecot: User) -> None:
    """A connection that breaks in the middle of a body, or while idling, is told as such."""
    with imap.connect(dovecot.account()) as session:
        session.append("INBOX", mail("big") + (b"y" * 70 + b"\r\n") * 10_000)
    with FaultProxy(dovecot.server.imap_port) as proxy:
        proxy.cut_after(100_000)
        session = imap.connect(dovecot.account("none", proxy.port))
        session.examine("INBOX")
        with pytest.raises(DisconnectedError):
            list(session.fetch_raw([1]))
        session.close()
        session = imap.connect(dovecot.account("none", proxy.port))
        session.examine("INBOX")
        threading.Timer(0.3, proxy.cut_now).start()
        with pytest.raises(DisconnectedError):
            session.idle(20)
        session.close()


def test_no_secret_is_logged(dovecot: User, caplog: pytest.LogCaptureFixture) -> None:
    """Even with every logger at its loudest the password does not appear."""
    caplog.set_level(1)
    with imap.connect(dovecot.account()) as session:
        session.examine("INBOX")
    assert dovecot.password not in caplog.text
    assert "geheim" not in caplog.text


# -- scripted servers -------------------------------------------------------------------------------------

Script = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def scripted(answers: dict[bytes, Script], login: bytes = b"OK") -> Iterator[Account]:
    """A server that answers each command by its script, and everything else with OK."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            lines = client.makefile("rb")
            client.sendall(b"* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n")
            for line in lines:
                tag, command = line.split()[:2]
                if command == b"LOGIN":
                    client.sendall(tag + b" " + login + b" [CAPABILITY IMAP4rev1 IDLE] logged in\r\n")
                elif command == b"CAPABILITY":
                    client.sendall(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n")
                elif command == b"EXAMINE":
                    client.sendall(b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n" + tag + b" OK done\r\n")
                else:
                    rest = line.split()[1:]
                    key = rest[0] if rest[0] != b"UID" else b"UID " + rest[1]
                    answers.get(key, lambda c, t: c.sendall(t + b" OK done\r\n"))(client, tag)

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    table = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "user": "u",
        "password": "p",
        "timeout": 3,
    }
    try:
        yield Account.from_mapping(table)
    finally:
        listener.close()


def idle_with(script: Script) -> tuple[bytes, ...]:
    """What an IDLE of two seconds sees on a server with this script."""
    with scripted({b"IDLE": script}) as account:
        session = imap.connect(account)
        session.examine("INBOX")
        try:
            return session.idle(2)
        finally:
            session._client.drop()


def test_idle_sees_news_in_the_same_packet() -> None:
    """EXISTS beside the continuation is seen (imapclient misses it)."""

    def script(client: socket.socket, tag: bytes) -> None:
        client.sendall(b"+ idling\r\n* 5 EXISTS\r\n")
        client.recv(100)
        client.sendall(tag + b" OK done\r\n")

    assert idle_with(script) == (b"* 5 EXISTS",)


def test_idle_joins_a_split_line() -> None:
    """A line in two packets is one line (imapclient aborts)."""

    def script(client: socket.socket, tag: bytes) -> None:
        client.sendall(b"+ idling\r\n* 5 EXI")
        time.sleep(0.2)
        client.sendall(b"STS\r\n")
        client.recv(100)
        client.sendall(tag + b" OK done\r\n")

    assert idle_with(script) == (b"* 5 EXISTS",)


@pytest.mark.parametrize("goodbye", [b"", b"* BYE shutting down\r\n"])
def test_idle_notices_a_closed_line(goodbye: bytes) -> None:
    """A server that hangs up while idling is a DisconnectedError (imapclient returns [] for ever)."""

    def script(client: socket.socket, tag: bytes) -> None:
        del tag
        client.sendall(b"+ idling\r\n" + goodbye)
        client.shutdown(socket.SHUT_RDWR)

    with pytest.raises(DisconnectedError):
        idle_with(script)


def test_idle_refused() -> None:
    """A server that says NO to IDLE is told as a refusal: the caller polls instead."""
    with pytest.raises(TransportError, match=r"refused|cannot"):
        idle_with(lambda client, tag: client.sendall(tag + b" NO not here\r\n"))


def test_a_server_that_throttles() -> None:
    """The back-off the server suggests is in the error, in seconds."""
    words = b"NO Request is throttled. Suggested Backoff Time: 90000 milliseconds"
    with scripted({b"IDLE": lambda c, t: c.sendall(t + b" " + words + b"\r\n")}) as account:
        session = imap.connect(account)
        session.examine("INBOX")
        with pytest.raises(ThrottledError) as raised:
            session.idle(1)
        session._client.drop()
    assert raised.value.retry_after == 90


def test_odd_fetch_answers() -> None:
    """Other orders, quoted and absent bodies, unasked flag changes and MODSEQ behind the body are read."""

    def script(client: socket.socket, tag: bytes) -> None:
        client.sendall(
            b"* 9 FETCH (FLAGS (\\Seen))\r\n"
            b"* 1 FETCH (BODY[] {3}\r\nabc UID 7 FLAGS (\\Seen $Junk) "
            b'INTERNALDATE " 1-Jan-2026 00:00:00 +0100")\r\n'
            b'* 2 FETCH (UID 8 BODY[] "q\\"x" MODSEQ (12))\r\n'
            b"* 3 FETCH (UID 9 BODY[] NIL)\r\n"
            b"* 4 FETCH (UID 10 FLAGS () BODY[] {2}\r\nhi X-ODD {4}\r\nodd! MODSEQ (5))\r\n"
            b"* 12 EXISTS\r\n" + tag + b" OK done\r\n"
        )

    with scripted({b"UID FETCH": script}) as account:
        session = imap.connect(account)
        session.examine("INBOX")
        got = list(session.fetch_raw([7, 8, 9, 10]))
        assert [(item.uid, item.raw, item.modseq) for item in got] == [
            (7, b"abc", 0),
            (8, b'q"x', 12),
            (9, b"", 0),
            (10, b"hi", 5),
        ]
        assert got[0].flags == ("$Junk", "\\Seen")
        assert got[0].internaldate == datetime(2025, 12, 31, 23, tzinfo=UTC)
        assert session.idle(5) == (b"* 12 EXISTS",)  # what was told meanwhile is news
        session._client.drop()


def test_a_refused_fetch_leaves_the_session_good() -> None:
    """NO to one of two commands in flight raises after what came, and the next command is in step."""
    count = [0]

    def script(client: socket.socket, tag: bytes) -> None:
        count[0] += 1
        if count[0] == 1:
            client.sendall(b"* 1 FETCH (UID 1 FLAGS () BODY[] {1}\r\na)\r\n" + tag + b" NO broken mail\r\n")
        else:
            client.sendall(b"* 2 FETCH (UID 2 FLAGS () BODY[] {1}\r\nb)\r\n" + tag + b" OK done\r\n")

    with scripted({b"UID FETCH": script}) as account:
        session = imap.connect(account)
        session.examine("INBOX")
        with pytest.raises(TransportError, match="broken mail"):
            list(session.fetch_raw([1, 2], per_command=1))
        assert [item.raw for item in session.fetch_raw([2])] == [b"b"]
        session._client.drop()


def test_a_stripped_starttls_is_refused() -> None:
    """Where STARTTLS is asked for and not offered, the login is never sent."""
    seen: list[bytes] = []
    script = {b"LOGIN": lambda client, tag: seen.append(tag)}
    with scripted(script) as account, pytest.raises(TLSError, match="offers no STARTTLS"):
        imap.connect(dataclasses.replace(account, security="starttls"))
    assert seen == []


def test_closing_a_silent_line_does_not_wait(dovecot: User) -> None:
    """After a time-out the line is dropped at once, without waiting for an answer to LOGOUT."""
    with FaultProxy(dovecot.server.imap_port) as proxy:
        proxy.cut_after(len_to_login(dovecot), kind="silent")
        account = dataclasses.replace(dovecot.account("none", proxy.port), timeout=2.0)
        session = imap.connect(account)
        with pytest.raises(DisconnectedError, match="no answer within 2 s"):  # noqa: PT012 - some noops are heard
            for _ in range(100):
                session.noop()
        started = time.monotonic()
        session.close()
        assert time.monotonic() - started < account.timeout


def len_to_login(user: User) -> int:
    """A little more than what the server says until a client is logged in."""
    with FaultProxy(user.server.imap_port) as proxy:
        imap.connect(user.account("none", proxy.port)).close()
        return proxy.received + 200


# -- numbers and dates ------------------------------------------------------------------------------------


def test_sets_of_uids() -> None:
    """Sets are short, hold each UID once, and never reach over one that was not asked for."""
    assert list(sets_of([1, 2, 3, 7, 9, 10], 100)) == ["1:3,7,9:10"]
    assert list(sets_of(range(1, 8), 3)) == ["1:3", "4:6", "7"]
    assert list(sets_of([], 3)) == []
    scattered = list(range(1, 60_000, 3))
    lines = list(sets_of(scattered, 500))
    assert all(len(line) < 5000 for line in lines)
    assert [uid for line in lines for uid in expand(line.encode())] == scattered


def test_numbers() -> None:
    """ESEARCH and COPYUID read as the RFCs write them; a set of billions is refused."""
    assert esearch_all(b'(TAG "A1") UID ALL 1:3,7') == [1, 2, 3, 7]
    assert esearch_all(b'(TAG "A1") UID') == []
    assert copyuid(b"38505 304,319:320 3956:3958") == {304: 3956, 319: 3957, 320: 3958}
    assert copyuid(b"nonsense") == {}
    assert expand(b"5:3") == [3, 4, 5]
    for hostile in (b"1:4294967295", b"a", b""):
        with pytest.raises(Exception, match="numbers"):
            expand(hostile)


@pytest.mark.parametrize("text", [b"", b"x", b"32-Jan-2026 00:00:00 +0000", b"1-Foo-2026 00:00:00 +0000"])
def test_a_date_that_is_none(text: bytes) -> None:
    """A date no calendar knows is None, not an error."""
    assert internaldate(text) is None


def test_special_use_by_name() -> None:
    """Only what the server does not say is guessed, and only at the top: a queue called Spam is a queue."""
    plain = [
        Folder("INBOX"),
        Folder("INBOX.Trash", "."),
        Folder("Spam"),
        Folder("Queues/Spam"),
        Folder("Sent Items"),
    ]
    assert [f.special_use for f in guessed(plain)] == ["", "\\Trash", "\\Junk", "", "\\Sent"]
    told = [Folder("Papierkorb", "/", "\\Trash"), Folder("Trash")]
    assert [f.special_use for f in guessed(told)] == ["\\Trash", ""]


HOSTILE_LINES = [
    b'* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] "' + b"\\" * 40_000,
    b"* 1 FETCH (UID 1 FLAGS (" + b"\\Seen " * 20_000,
    b"* 1 FETCH (UID 1 BODY[] {" + b"1" * 80_000,
    b"UID " * 40_000,
]


@pytest.mark.parametrize("line", HOSTILE_LINES, ids=range(len(HOSTILE_LINES)))
def test_a_hostile_servers_line_takes_its_length_in_time(line: bytes) -> None:
    """Every pattern that reads a server's line is linear in it."""
    for pattern in (_fetch._BODY, _fetch._PLAIN, _fetch._UID, _fetch._FLAGS, _fetch._TAIL_LITERAL):
        assert growth(pattern.search, line) < 9
    assert growth(lambda told: _faults.throttle(told, ""), line.decode()) < 9
    assert growth(lambda told: _faults._text(OSError(told)), line.decode()) < 9
