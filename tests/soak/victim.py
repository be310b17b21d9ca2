"""The service as a process that is forked ready, so that a sweep of thousands spends no time on imports.

Run as a script it is the fork server: a line of JSON asks for a run, two lines answer with its number and
with how it ended. A run may start stopped, so that strace is there before its first system call.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.conftest import ROOT
from tests.servers.child import die_with_parent

_PR_SET_PTRACER, _ANY = 0x59616D61, -1


@dataclass(frozen=True)
class Ended:
    """How a run came to its end: an exit code, or minus the signal that killed it."""

    code: int

    @property
    def killed(self) -> bool:
        """Whether it was killed rather than finished."""
        return self.code == -signal.SIGKILL


class Victims:
    """A fork server; a context manager. `run` makes one process of the service and waits for it."""

    def __enter__(self) -> Victims:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.victim"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._server.stdin.close()  # type: ignore[union-attr]
        self._server.wait(10)

    def run(self, config: Path, *, inject: str = "", trace: Path | None = None, file_size: int = 0) -> Ended:
        """`mailml-serve run --once`, with a fault injected by strace (`fsync:signal=KILL:when=3`).

        `trace` writes down the system calls that are named in `inject`; `file_size` limits what it may write.
        """
        asked = {"config": str(config), "stopped": bool(inject), "file_size": file_size}
        pid = self.start(asked)
        if inject:
            _watched(pid, inject, trace)
        return self.wait()

    def start(self, asked: dict[str, Any]) -> int:
        """Fork a run and return its process number; `wait` must follow."""
        self._server.stdin.write(json.dumps(asked).encode() + b"\n")  # type: ignore[union-attr]
        self._server.stdin.flush()  # type: ignore[union-attr]
        return int(self._told()["pid"])

    def wait(self) -> Ended:
        """Until the run has ended."""
        return Ended(int(self._told()["code"]))

    def _told(self) -> dict[str, Any]:
        line = self._server.stdout.readline()  # type: ignore[union-attr]
        assert line, "the fork server is gone"
        told: dict[str, Any] = json.loads(line)
        return told


def _watched(pid: int, inject: str, trace: Path | None) -> None:
    """Put strace on a stopped process and let it run; strace ends with it."""
    # one that has not come so far would be stopped by itself after it was told to go on
    _until(pid, "it does not stop", lambda status: "State:\tT" in status)
    calls = inject.partition(":")[0]
    options = ["-e", f"trace={calls}"]
    options += ["-e", f"inject={inject}"] if ":" in inject else ["-yy", "-s", "200"]
    output = str(trace) if trace is not None else "/dev/null"
    command = ["strace", "-f", "-qq", "-o", output, *options, "-p", str(pid)]
    subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    _until(pid, "strace does not attach", lambda status: "TracerPid:\t0\n" not in status)
    os.kill(pid, signal.SIGCONT)


def _until(pid: int, else_: str, come: Callable[[str], bool]) -> None:
    """Until the kernel says so of the process."""
    end = time.monotonic() + 60
    while not come(Path(f"/proc/{pid}/status").read_text()):
        assert time.monotonic() < end, else_
        time.sleep(0.002)


def _serve() -> None:
    """The fork server."""
    # what every run needs is loaded once
    import serve.__main__
    import serve.supervisor
    from mailml.text import own_words  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(asked, serve.__main__.main)
        _tell(pid=pid)
        _, status = os.waitpid(pid, 0)
        _tell(code=os.waitstatus_to_exitcode(status))


def _tell(**told: int) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _become(asked: dict[str, Any], main: Any) -> None:
    """In the child: the service, its words going to a log beside its configuration."""
    config = Path(asked["config"])
    log = os.open(config.parent / "victim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    if asked.get("file_size"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_size"], asked["file_size"]))
    how = [] if asked.get("for_good") else ["--once"]
    sys.argv = ["mailml-serve", "run", *how, "--config", str(config)]
    if asked.get("stopped"):
        # where only descendants may be traced (Yama), whoever asks is let in
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANY), 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    code = 1
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
