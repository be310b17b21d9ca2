"""A server as a child process that never outlives the tests."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Asks the kernel to end this process when its parent does (Linux; elsewhere nothing happens)."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        return


def start(arguments: Sequence[str | Path], log: Path, **options: object) -> subprocess.Popen[bytes]:
    """Starts a program in a process group of its own, its output going to `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [str(a) for a in arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
            **options,  # type: ignore[call-overload]
        )


def stop(process: subprocess.Popen[bytes], wait: float = 10.0) -> None:
    """Ends it gently, then for good."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def wait_until(ready: Callable[[], bool], seconds: float, what: str, log: Path | None = None) -> None:
    """Waits until `ready()`; AssertionError with the end of the log when it never is."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            tail = log.read_text("utf-8", "replace")[-2000:] if log and log.exists() else ""
            raise AssertionError(f"{what} was not ready within {seconds:g} s\n{tail}")
        time.sleep(0.03)


def greets(port: int, with_bytes: bytes) -> bool:
    """Whether a server on this loopback port greets with these bytes."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.settimeout(5)
            return probe.recv(200).startswith(with_bytes)
    except OSError:
        return False
