"""Files that a person names: ordinary ones are read, everything else is refused in a sentence, at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailml.errors import InputError
from mailml.files import read_bytes, read_text, told
from tests.conftest import ROOT


def test_ordinary_files_are_read(tmp_path: Path) -> None:
    """Bytes as they are; text without its byte-order mark."""
    file = tmp_path / "a file ü.txt"
    file.write_bytes(b"\xef\xbb\xbfgr\xc3\xbc\xc3\x9fe")
    assert read_bytes(file) == b"\xef\xbb\xbfgr\xc3\xbc\xc3\x9fe"
    assert read_text(file) == "grüße"


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    """A folder, a pipe, a device and nothing at all: each is named, and nobody waits."""
    os.mkfifo(tmp_path / "pipe")
    for path, says in (
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe", "it is a pipe"),
        (Path("/dev/zero"), "it is a device"),
        (tmp_path / "none", "there is no such file"),
        (tmp_path / "none" / "deeper", "there is no such file"),
    ):
        with pytest.raises(InputError, match=says) as error:
            read_bytes(path)
        assert str(path) in str(error.value)


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    """The encoding is named where it can be, else the first byte that is wrong; a giant is not read."""
    file = tmp_path / "x.toml"
    file.write_bytes("größer".encode("utf-16"))
    with pytest.raises(InputError, match="UTF-16"):
        read_text(file)
    file.write_bytes(b"abc\xff")
    with pytest.raises(InputError, match="byte 3 is not UTF-8"):
        read_text(file)
    os.truncate(file, 1 << 30)
    with pytest.raises(InputError, match="1,073,741,824 bytes, more than"):
        read_text(file)


def test_the_system_s_refusals_are_sentences() -> None:
    """What the system says names the file once and begins small."""
    assert told(PermissionError(13, "Permission denied", "/x")) == "/x: permission denied"
    assert told(OSError("odd")) == "odd"


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of ours; one that hangs fails."""
    start = f"from {module} import main; main()"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "arguments", "says"),
    [
        ("mailml.cli", ("lint", "PIPE"), "it is a pipe"),
        ("mailml.cli", ("parse", "--jsonl", "PIPE"), "is a pipe"),
        ("mailml.cli", ("parse", "--jsonl", "/dev/zero"), "is a device"),
        ("serve.__main__", ("check", "--config", "PIPE"), "it is a pipe"),
        ("serve.__main__", ("check", "--config", "/dev/zero"), "it is a device"),
    ],
)
def test_commands_never_hang_and_show_no_traceback(
    tmp_path: Path, module: str, arguments: tuple[str, ...], says: str
) -> None:
    """A pipe, a device: one sentence, and an exit code that is not 0."""
    os.mkfifo(tmp_path / "pipe")
    named = {"PIPE": str(tmp_path / "pipe")}
    done = run(module, *(named.get(one, one) for one in arguments))
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode != 0 or "--jsonl" in arguments


def test_help_shows_the_names_of_tables() -> None:
    """Square brackets in a command's help are not eaten as markup."""
    assert "[retention]" in run("serve.__main__", "--help").stdout
