"""What a pull does without a server: choosing folders, patience, reports, progress."""

from __future__ import annotations

import importlib
import io
import sys
from typing import Any

import pytest

from mailml.errors import (
    AuthError,
    ConnectError,
    DisconnectedError,
    FolderError,
    InputError,
    ThrottledError,
)
from mailml.lab.pull import FolderReport, Progress, PullReport
from mailml.lab.pull.folders import chosen
from mailml.lab.pull.progress import Meter, in_notebook, shown
from mailml.lab.pull.retry import ATTEMPTS, Patience
from mailml.transport.account import Account
from mailml.transport.imap import Folder

DESK = Account("desk", "imap.example.com", "support@example.com")
FOLDERS = [
    Folder("INBOX"),
    Folder("Queues/Billing"),
    Folder("Queues/Tech Support"),
    Folder("Queues", selectable=False),
    Folder("Sent", special_use="\\Sent"),
    Folder("Trash", special_use="\\Trash"),
    Folder("Spam", special_use="\\Junk"),
    Folder("Drafts", special_use="\\Drafts"),
    Folder("[Gmail]/All Mail", special_use="\\All"),
    Folder("a[1]"),
]


def test_default_folders() -> None:
    """All that can be opened, but trash, junk, drafts and folders that show every message once more."""
    assert chosen(FOLDERS, None, DESK) == ["INBOX", "Queues/Billing", "Queues/Tech Support", "Sent", "a[1]"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["inbox"], ["INBOX"]),
        (["Queues/*"], ["Queues/Billing", "Queues/Tech Support"]),
        (["Trash"], ["Trash"]),  # by name, everything can be had
        (["Sent", "Queues/*", "Sent"], ["Sent", "Queues/Billing", "Queues/Tech Support"]),
        (["a[1]"], ["a[1]"]),  # a name that looks like a glob
        (["[[]Gmail]/*"], ["[Gmail]/All Mail"]),
    ],
)
def test_named_folders(wanted: list[str], names: list[str]) -> None:
    """Names and globs pick folders in the order they are given, each once."""
    assert chosen(FOLDERS, wanted, DESK) == names


def test_a_folder_that_is_not_there() -> None:
    """A name that fits nothing is told with what was probably meant."""
    with pytest.raises(FolderError, match="Did you mean 'Queues/Billing'"):
        chosen(FOLDERS, ["Queues/Biling"], DESK)
    with pytest.raises(FolderError, match="The folders are: INBOX"):
        chosen(FOLDERS, ["queues/*"], DESK)


def broken(times: int, error: Exception) -> tuple[Any, list[str]]:
    """Work that fails so many times and then succeeds, with a diary."""
    diary: list[str] = []

    def work() -> str:
        diary.append("work")
        if diary.count("work") <= times:
            raise error
        return "done"

    return work, diary


def test_patience_reconnects_and_goes_on() -> None:
    """A broken line is opened again before every new attempt, later and later."""
    pauses: list[float] = []
    work, diary = broken(3, DisconnectedError("gone"))
    assert Patience(pauses.append).keep_trying(work, lambda: diary.append("connect")) == "done"
    assert diary == ["work", "connect", "work", "connect", "work", "connect", "work"]
    assert len(pauses) == 3
    assert 0.25 <= pauses[0] <= 0.5
    assert 1.0 <= pauses[2] <= 2.0


def test_patience_ends() -> None:
    """A server that stays away ends the pull with its own error, after about a minute and a half."""
    pauses: list[float] = []
    work, diary = broken(1000, ConnectError("refused"))
    with pytest.raises(ConnectError, match="refused"):
        Patience(pauses.append).keep_trying(work, lambda: None)
    assert len(pauses) == ATTEMPTS == len(diary) - 1
    assert 40 < sum(pauses) < 120


def test_progress_renews_patience() -> None:
    """A line that breaks every few messages is never given up while messages come."""
    patience = Patience(lambda seconds: None)
    work, _ = broken(ATTEMPTS * 5, DisconnectedError("gone"))

    def rewarded() -> Any:
        patience.rewarded()
        return work()

    assert patience.keep_trying(rewarded, lambda: None) == "done"


def test_a_server_that_throttles_is_obeyed() -> None:
    """The wait is the one the server asks for, with an upper bound."""
    pauses: list[float] = []
    work, _ = broken(1, ThrottledError("slow down", retry_after=90))
    Patience(pauses.append).keep_trying(work, lambda: None)
    assert pauses == [90]
    assert Patience().pause(ThrottledError("x", retry_after=1e9)) == 600


def test_a_refusal_is_not_tried_again() -> None:
    """A wrong password does not get better by waiting."""
    work, diary = broken(1, AuthError("no"))
    with pytest.raises(AuthError):
        Patience(lambda seconds: None).keep_trying(work, lambda: None)
    assert diary == ["work"]


def test_the_report_reads_well() -> None:
    """Numbers per folder, and in words what is out of the ordinary."""
    report = PullReport(
        (
            FolderReport("desk", "INBOX", 1200, 3_400_000, 10, uidvalidity_changed=True),
            FolderReport("desk", "Queues/Billing", 0, 0, 7, changed=3, gone=2, refused=(41, 42)),
            FolderReport("desk", "Shared", 0, 0, 0, error="may not be opened"),
        ),
        2.5,
        (("other", AuthError("the server refused")),),
    )
    text = str(report)
    for expected in (
        "1,200 new messages, 3.4 MB, from 3 folders in 2.5 s",
        "UIDVALIDITY has changed",
        "3 with other flags; 2 left the folder; 2 not handed out by the server (UID 41 …)",
        "may not be opened",
        "other: the server refused",
    ):
        assert expected in text
    assert (report.new, report.bytes) == (1200, 3_400_000)


def test_progress_says_count_megabytes_and_time_left() -> None:
    """Half of the messages in ten seconds leaves ten seconds."""
    moment = Progress("desk", "INBOX", 500, 1000, 25_000_000, 10.0)
    assert str(moment) == "500 of 1,000 messages, 25 MB, 2.5 MB/s, 0:10 left  desk/INBOX"
    assert Progress("desk", "INBOX", 0, 1000, 0, 0.1).eta is None


def test_a_hostile_folder_name_stays_one_line_of_text() -> None:
    """Escape sequences and line ends of a folder name never reach the terminal."""
    text = str(Progress("desk", "\x1b[2J\r\n<img src=x onerror=alert(1)>", 1, 2, 3, 1.0))
    assert "\x1b" not in text
    assert "\n" not in text
    assert "<img" in text


def test_progress_to_a_function() -> None:
    """A function hears the last moment, and the meter counts what came."""
    heard: list[Progress] = []
    with shown(heard.append) as show:
        meter = Meter(show)
        meter.expect(64)
        meter.enter("desk", "INBOX")
        for _ in range(64):
            meter.add(10)
        meter.finish()
    assert (heard[-1].done, heard[-1].total, heard[-1].bytes) == (64, 64, 640)


def test_progress_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal nothing is printed by itself; with True plain lines go to stderr."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown(None) as show:
        assert show is None
    with shown(False) as show:
        assert show is None
    with shown(True) as show:
        assert show is not None
        show(Progress("desk", "INBOX", 5, 5, 10, 1.0))
    assert "5 of 5 messages" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert capsys.readouterr().out == ""


def test_progress_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """rich draws the bar on stderr, and markup in a folder's name stays text."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with shown(None) as show:
        assert show is not None
        show(Progress("desk", "[red]x[/red]", 5, 10, 10, 1.0))
    assert "[red]x[/red]" in sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_progress_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel gets text/plain only, renewed in place: nothing of a server's words can become HTML."""
    shown_bundles: list[dict[str, str]] = []

    class Handle:
        def update(self, bundle: dict[str, str], raw: bool) -> None:
            assert raw
            shown_bundles.append(bundle)

    class ZMQInteractiveShell:
        pass

    display = importlib.import_module("IPython.display")
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", ZMQInteractiveShell)
    monkeypatch.setattr(display, "display", lambda *args, **kwargs: Handle())
    assert in_notebook()
    with shown(None) as show:
        assert show is not None
        show(Progress("desk", "<b>x</b>", 5, 10, 10, 1.0))
    assert [set(bundle) for bundle in shown_bundles] == [{"text/plain"}]


def test_accounts_need_names_of_their_own(tmp_path: Any) -> None:
    """Two accounts of one name would share their keys: refused before anything is pulled."""
    from mailml import lab

    with pytest.raises(InputError, match="two accounts have the name 'desk'"):
        lab.pull([DESK, DESK], tmp_path / "a")
    with pytest.raises(InputError, match="no account"):
        lab.pull([], tmp_path / "a")


def test_a_message_the_server_will_not_hand_out(tmp_path: Any) -> None:
    """One broken message does not keep the others back; it is reported and asked for again next time."""
    from mailml import lab
    from mailml.archive import Archive
    from tests.mailml.test_transport_imap import scripted

    asked: list[bytes] = []

    def body(uid: int) -> bytes:
        return b"* %d FETCH (UID %d FLAGS () BODY[] {3}\r\nn%d\n)\r\n" % (uid, uid, uid)

    def fetch(client: Any, tag: bytes) -> None:
        asked.append(tag)
        # The three together break off after the first; then one by one, where the second is refused again.
        answers = [
            body(1) + tag + b" NO server error\r\n",
            tag + b" NO broken\r\n",
            body(3) + tag + b" OK done\r\n",
        ]
        client.sendall(answers[len(asked) - 1])

    script = {
        b"LIST": lambda client, tag: client.sendall(b'* LIST () "/" INBOX\r\n' + tag + b" OK done\r\n"),
        b"UID SEARCH": lambda client, tag: client.sendall(b"* SEARCH 1 2 3\r\n" + tag + b" OK done\r\n"),
        b"UID FETCH": fetch,
    }
    with scripted(script) as account:
        report = lab.pull(account, tmp_path / "a", progress=False)
    assert (report.new, report.folders[0].refused) == (2, (2,))
    assert Archive.open(tmp_path / "a").table(["uid"]).column("uid").to_pylist() == [1, 3]
    assert "1 not handed out by the server (UID 2 …)" in str(report)
