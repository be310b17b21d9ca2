"""Files that a person names: ordinary ones are read, everything else is refused in a sentence, at once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailml.errors import InputError
from mailml.files import read_bytes, read_text, told, writing
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


def test_a_full_disk_names_the_file_and_the_cure(tmp_path: Path) -> None:
    """The system says only that there is no room: the file that was written is named, and what to do."""
    with pytest.raises(OSError, match="No space") as refused, writing(tmp_path / "r.html"):
        raise OSError(errno.ENOSPC, "No space left on device")
    cure = "Make room and run it again; what was there before is whole"
    assert told(refused.value) == f"{tmp_path / 'r.html'}: no space left on device. {cure}"


def small_disk(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Python in a process that can write files of 4 KB at most, as on a disk that is full."""
    limit = "import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    return subprocess.run(
        [sys.executable, "-c", limit + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


@pytest.mark.parametrize(
    "code",
    [
        "from mailml.lab.report.page import write_whole\nwrite_whole(out, 'x' * 9000)",
        "from mailml.bundle.writing import write_folder\nwrite_folder(out, {'a': b'x' * 9000}, replace=True)",
        "from mailml.bundle.writing import write_file\nwrite_file(out, b'x' * 9000)",
    ],
)
def test_where_there_is_no_room_nothing_is_half_written(code: str, tmp_path: Path) -> None:
    """Reports, bundles and models: the folder is as it was, and the error names what was to be written."""
    start = "from pathlib import Path\nout = Path(sys.argv[1])\n"
    end = "\nexcept OSError as error:\n    from mailml.files import told\n    print(told(error))\n"
    body = "try:\n" + "".join(f"    {line}\n" for line in code.splitlines())
    done = small_disk(start + body + end.lstrip("\n"), tmp_path / "out")
    assert done.stdout.startswith(f"{tmp_path / 'out'}: file too large. Make room"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_could_not_be_written_is_not_in_the_way(tmp_path: Path) -> None:
    """Half a pair of keys is taken away: the next try finds nothing there."""
    code = (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\nsys.argv[0] = 'mailml'\n"
        "from mailml.cli import main\nmain()"
    )
    done = small_disk(code, "bundle", "keygen", tmp_path / "key")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "None" not in done.stderr
    assert list(tmp_path.iterdir()) == []


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
