"""Killed, or refused, at every invocation of the system calls that make anything durable or visible."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.soak.turn import Bench, Tally, Turn, spread

# what the service calls to write, sync, send, receive, open, map and wait
CALLS = (
    "pwrite64", "write", "fdatasync", "fsync", "ftruncate", "unlink", "rename", "sendto", "recvfrom",
    "connect", "openat", "close", "fcntl", "flock", "mmap", "poll", "lseek", "pread64",
)  # fmt: skip
# a disk that is full or broken, a line that breaks, a peer that is not there
ERRORS = (
    *[(call, error) for call in ("pwrite64", "fdatasync", "ftruncate") for error in ("ENOSPC", "EIO")],
    ("write", "EIO"), ("unlink", "EIO"), ("openat", "EMFILE"), ("pread64", "EIO"),
    ("sendto", "EPIPE"), ("recvfrom", "ECONNRESET"), ("connect", "ECONNREFUSED"), ("connect", "ETIMEDOUT"),
)  # fmt: skip


def available() -> bool:
    """Whether strace is here."""
    return shutil.which("strace") is not None


def counted(bench: Bench, *, empty: bool = False) -> Counter[str]:
    """How often one whole run makes each of the calls."""
    turn, trace = bench.turn(empty=empty), bench.folder / "counted.trace"
    assert bench.victims.run(turn.config, inject=",".join(CALLS), trace=trace).code == 0
    turn.judge(Tally())
    return Counter(re.findall(r"^\d+ +([a-z0-9]+)\(", trace.read_text("utf-8", "replace"), re.MULTILINE))


def kills(
    bench: Bench,
    most: int = 0,
    calls: Sequence[str] = CALLS,
    *,
    empty: bool = False,
    tell: Callable[[str], None] = print,
) -> Tally:
    """Kill at every invocation of every call, or at most `most` of each; then heal and judge."""
    tally, counts = Tally(), counted(bench, empty=empty)
    for call in calls:
        for when in spread(range(1, counts[call] + 1), most):
            _one(bench, tally, f"{call}:signal=KILL:when={when}", empty=empty)
        tell(f"killed at {call} ({counts[call]} invocations): {tally}")
    return tally


def errors(
    bench: Bench,
    most: int = 0,
    asked: Sequence[tuple[str, str]] = ERRORS,
    *,
    tell: Callable[[str], None] = print,
) -> Tally:
    """Let every invocation fail once with an error of disk or network; then heal and judge.

    A sample (`most`) leaves out the last quarter: threads share commits by chance, so another run may have
    fewer of them than the one that was counted.
    """
    tally, counts = Tally(), counted(bench)
    for call, error in asked:
        last = max(1, counts[call] * 3 // 4) if most else counts[call]
        for when in spread(range(1, last + 1), most):
            _one(bench, tally, f"{call}:error={error}:when={when}")
        tell(f"{call} fails with {error}: {tally}")
    return tally


def _one(bench: Bench, tally: Tally, inject: str, *, empty: bool = False) -> None:
    turn: Turn = bench.turn(empty=empty)
    trace: Path = turn.folder / "trace"
    ended = bench.victims.run(turn.config, inject=inject, trace=trace)
    tally.turns += 1
    tally.ends[ended.code] += 1
    tally.hurt += ended.killed or "INJECTED" in trace.read_text("utf-8", "replace")
    turn.heal()
    turn.judge(tally)
