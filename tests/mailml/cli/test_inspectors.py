"""The inspectors: one line per file, in order, whatever the file holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

BUNDLE = ROOT / "tests" / "bundles" / "v1"
HUMAN = (
    b"From: Ann <ann@shop.example>\r\nTo: support@acme.example\r\nSubject: My invoice\r\n\r\nIt is wrong.\r\n"
)
AWAY = b"From: ann@shop.example\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.\r\n"
BROKEN = b"\x00\xff\xfenot a header line\r\nSubject: =?utf-8?q?=ff?=\r\n\r\n\xc3\x28"


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    """A folder with a person's mail, an automatic reply, a broken and an empty file."""
    for name, raw in {"1.eml": HUMAN, "2.eml": AWAY, "3.eml": BROKEN, "4.eml": b""}.items():
        (tmp_path / name).write_bytes(raw)
    return tmp_path


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `mailml` as a user does, in a process of its own."""
    command = [str(Path(sys.executable).parent / "mailml"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def rows(*arguments: object) -> list[dict[str, object]]:
    """The JSON Lines that a command prints."""
    done = run(*arguments, "--jsonl")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "command",
    [["parse"], ["text"], ["autoreply"], ["classify", "--bundle", BUNDLE], ["decide", "--bundle", BUNDLE]],
)
def test_one_line_per_file_in_order(mails: Path, command: list[object]) -> None:
    """Every inspector prints one object per file, in name order, also for broken and empty files."""
    found = rows(*command, mails)
    assert [os.path.basename(str(row["file"])) for row in found] == ["1.eml", "2.eml", "3.eml", "4.eml"]
    assert not [row for row in found if "error" in row]


def test_autoreply_prints_the_agreed_fields(mails: Path) -> None:
    """`mailml autoreply --jsonl` prints file, kind, disposition, ack, reason, row and evidence."""
    human, away, *_ = rows("autoreply", mails, "--own", "support@acme.example")
    assert list(away) == ["file", "kind", "disposition", "ack", "reason", "row", "evidence"]
    assert (human["kind"], human["ack"], human["reason"]) == ("human", True, "")
    assert (away["kind"], away["ack"], away["row"]) == ("auto_reply", False, "6")
    assert away["evidence"] == [{"row": "6", "name": "Auto-Submitted", "value": "auto-replied"}]


def test_a_file_that_cannot_be_read_has_its_line(mails: Path) -> None:
    """A dangling link among the files is reported on its own line and the rest go on."""
    (mails / "2b.eml").symlink_to(mails / "nowhere")
    # rglob lists a dangling link as no file; named directly it must still be answered
    done = run("parse", mails / "2b.eml", "--jsonl")
    assert done.returncode == 1
    assert "no such file or folder" in done.stderr


def test_a_missing_path_is_named_before_anything_is_printed(mails: Path) -> None:
    """A path that does not exist ends in one sentence, exit code 1, and no output."""
    done = run("parse", mails, mails / "gone.eml", "--jsonl")
    assert (done.returncode, done.stdout) == (1, "")
    assert "gone.eml: no such file or folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_decide_prints_the_whole_decision(mails: Path) -> None:
    """`mailml decide` prints the decision with its trace, the same on every run."""
    first = rows("decide", mails / "1.eml", "--bundle", BUNDLE)
    assert {"queue", "priority", "ack", "due", "trace", "verdict", "category"} <= set(first[0])
    assert rows("decide", mails / "1.eml", "--bundle", BUNDLE) == first


def test_people_see_no_control_characters(tmp_path: Path) -> None:
    """What a hostile mail puts in a subject cannot move the reader's terminal."""
    file = tmp_path / "esc.eml"
    file.write_bytes(b"Subject: =?utf-8?q?=1b=5b2J=07boo?=\r\nX-A: \x1b[2J\r\n\r\n\x1b]0;owned\x07 hello\r\n")
    for command in ("parse", "text"):
        assert "\x1b" not in run(command, file).stdout


def test_a_damaged_bundle_is_one_sentence(mails: Path, tmp_path: Path) -> None:
    """A folder that is no bundle ends in one sentence and exit code 1."""
    done = run("decide", mails, "--bundle", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("mailml: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_autoreply_has_a_line_for_whatever_a_path_holds(tmp_path: Path) -> None:
    """A folder, a missing file, binary, an empty file, a 10 MB header: one line each, in order, same keys."""
    made = {"bin": bytes(range(256)) * 40, "empty": b"", "bomb": b"Subject: " + b"a" * 10_000_000, "ok": AWAY}
    for name, raw in made.items():
        (tmp_path / name).write_bytes(raw)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside.eml").write_bytes(HUMAN)
    paths = [tmp_path / name for name in ("bin", "gone", "empty", "folder", "bomb", "ok")]
    done = run("autoreply", *paths, "--jsonl")
    assert done.returncode == 1, "a path was missing"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    names = [os.path.basename(row["file"]) for row in found]
    assert names == ["bin", "gone", "empty", "inside.eml", "bomb", "ok"]
    agreed = {"file", "kind", "disposition", "ack", "reason", "row", "evidence"}
    assert [set(row) - agreed for row in found] == [set(), {"error"}, set(), set(), set(), set()]
    assert all(agreed <= set(row) for row in found)
    assert found[1]["error"] == "no such file or folder"
    assert found[1]["kind"] is None


def test_autoreply_tells_people_in_words(mails: Path) -> None:
    """No snake_case and no bare columns: what it is, where it goes, why, and what was seen."""
    told = run("autoreply", mails / "1.eml", mails / "2.eml").stdout
    assert "a person: goes to a queue, may be acknowledged to ann@shop.example" in told
    assert "an automatic reply: filed in Automated/Replies as an event of its interaction" in told
    assert "no acknowledgement (an automatic reply)" in told
    assert "because a responder says that it answered (row 6 of the table)" in told
    assert "Auto-Submitted: auto-replied" in told
    assert "auto_reply" not in told
    assert "may be acknowledged" not in run("autoreply", mails / "1.eml", "--own", "us@else.example").stdout


def test_autoreply_moves_no_cursor(tmp_path: Path) -> None:
    """Escapes in subject, sender, header values, and markup of rich stay text on their line."""
    file = tmp_path / "esc.eml"
    file.write_bytes(
        b"From: \x1b[2J <a\x1b]0;x\x07@b.example>\r\nSubject: =?utf-8?q?=1b=5b2J[bold]boo=0aNEW?=\r\n"
        b"Auto-Submitted: auto-replied \x1b[31m [red]\r\nX-Autoreply: =?utf-8?q?=1b?=\x9b31m\r\n\r\nx\r\n"
    )
    told = run("autoreply", file).stdout
    assert not [char for char in told if not char.isprintable() and char != "\n"]
    assert "[bold]boo NEW" in told
    assert len(told.splitlines()) < 12


def test_facts_are_told_in_words(mails: Path) -> None:
    """For people: names of headers, sizes with their unit; the keys are for machines."""
    told = run("parse", mails / "1.eml").stdout
    assert f"size  {len(HUMAN)} bytes" in told
    assert "from  Ann  <ann@shop.example>" in told
    assert "SHA-256  " in told
    assert "content type  text/plain" in told
    sure = run("classify", mails / "1.eml", "--bundle", BUNDLE).stdout
    assert "probabilities  billing " in sure
    assert sure.count("%") >= 3
    titles = [line[:16] for line in f"{told}{sure}".splitlines() if not line.startswith("==")]
    assert not [title for title in titles if "_" in title]
    assert "label  no answer" in run("classify", mails / "4.eml", "--bundle", BUNDLE).stdout


def test_a_folder_without_mail_is_said(tmp_path: Path) -> None:
    """Nothing on standard output, where scripts read; a sentence on standard error."""
    done = run("parse", tmp_path, "--jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"mailml: no message is in {tmp_path}\n"


@pytest.mark.parametrize("utf8", ["0", "1"])
def test_where_the_locale_is_c_names_stay_readable(tmp_path: Path, utf8: str) -> None:
    """A name with an umlaut is told as it is, or by its number where the terminal has no such letter."""
    mail = tmp_path / "Gr\u00fc\u00dfe.eml"
    mail.write_bytes(HUMAN.replace(b"My", "\u2713 \u00dc".encode()))
    plain = {"LC_ALL": "C", "PYTHONUTF8": utf8, "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    name = "Gr\u00fc\u00dfe" if utf8 == "1" else "Gr\\xfc\\xdfe"
    for done in (run("autoreply", mail, **plain), run("parse", mail, **plain)):
        assert (done.returncode, done.stderr) == (0, "")
        assert name in done.stdout or "Gr\u00fc\u00dfe" in done.stdout
    gone = run("parse", mail.with_name("gone-Gr\u00fc\u00dfe"), **plain).stderr
    assert gone.endswith(f"gone-{name}: no such file or folder. Check the spelling of the path\n")
