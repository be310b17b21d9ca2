"""How far a pull is can be read off the archive, by anybody, while it runs and after it was cut off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mailml.archive import Archive, Pulling
from mailml.archive.pulling import heard, say, silence
from mailml.errors import ArchiveError
from mailml.lab.pull import PullStopped
from mailml.lab.pull.progress import Meter

AT_HALF = Pulling("desk", "INBOX", 500, 1_000, 25_000_000)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An empty archive."""
    return Archive.open(tmp_path / "a", create=True)


def test_a_running_pull_is_told(archive: Archive) -> None:
    """While a writer holds the archive, its status says how far it is."""
    with archive.writer():
        say(archive.path, AT_HALF)
        status = archive.status()
        assert status.pulling is not None
        assert status.pulling.running
        assert "a pull is running: 500 of 1,000 messages, 25 MB, in desk/INBOX" in str(status)


def test_an_interrupted_pull_is_told(archive: Archive) -> None:
    """Without a writer the same file means that it was cut off, and what to do."""
    say(archive.path, AT_HALF)
    told = str(archive.status())
    assert "was interrupted: 500 of 1,000" in told
    assert "Pull again" in told


def test_a_finished_pull_is_not_told(archive: Archive) -> None:
    """After the end there is nothing to tell; neither is there of a file that is none."""
    say(archive.path, AT_HALF)
    silence(archive.path)
    assert archive.status().pulling is None
    for broken in ("", "{", "[1]", '{"account": 1}'):
        (archive.path / "pulling.json").write_text(broken)
        assert heard(archive.path) is None


def test_another_process_sees_it(archive: Archive) -> None:
    """The lock tells across processes whether the pull still runs."""
    code = "import sys; from mailml.archive import Archive; print(Archive.open(sys.argv[1]).status())"
    say(archive.path, AT_HALF)
    with archive.writer():
        run = subprocess.run(
            [sys.executable, "-c", code, str(archive.path)], capture_output=True, text=True, check=True
        )
    assert "a pull is running" in run.stdout


def test_looking_never_keeps_a_pull_from_starting(archive: Archive) -> None:
    """Who only looks whether a pull runs holds the lock for a moment; a second writer is still refused."""
    looking = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib\nfrom mailml.archive.pulling import _locked\n"
            "print('go', flush=True)\nwhile True: _locked(pathlib.Path(sys.argv[1]))",
            str(archive.path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert looking.stdout is not None
        assert looking.stdout.readline() == "go\n"
        for _ in range(50):
            with archive.writer():
                pass
    finally:
        looking.kill()
        looking.wait()
    with archive.writer(), pytest.raises(ArchiveError, match="another pull"), archive.writer():
        pass


def test_a_hostile_folder_stays_one_line(archive: Archive) -> None:
    """A folder's name cannot move the cursor or begin a new line."""
    say(archive.path, Pulling("desk", "\x1b[2J\r\nowned", 1, 2, 3))
    told = str(archive.status().pulling)
    assert "\x1b" not in told
    assert "\n" not in told


def test_the_meter_tells_the_archive_and_stops_when_asked(archive: Archive) -> None:
    """Entering a folder is told at once; a wish to stop ends the pull after the message, and is kept."""
    stop = [False]
    meter = Meter(None, archive.path, lambda: stop[0])
    meter.expect(10)
    meter.enter("desk", "INBOX")
    assert heard(archive.path) == Pulling("desk", "INBOX", 0, 10, 0)
    meter.add(7)
    stop[0] = True
    with pytest.raises(PullStopped):
        meter.add(7)
    assert heard(archive.path) == Pulling("desk", "INBOX", 2, 10, 14)
    with pytest.raises(PullStopped):
        meter.sleep(60)
    meter.finish()
    assert heard(archive.path) is None
