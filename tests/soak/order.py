"""The order check that stands in for power loss: nothing is told to a server that the disk does not know yet.

A process that is killed leaves its writes to the kernel; only a lost machine shows a missing sync. So one run
is traced, and at every word to a server that changes something no write to the journal may be unsynced.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.soak.turn import Bench

_WRITE = re.compile(r"pwrite64\(\d+<([^>]+)>")
_SYNC = re.compile(r"f(?:data)?sync\(\d+<([^>]+)>")
# what cannot be taken back: the body of a mail, and commands that move, copy, remove or add
_TOLD = re.compile(
    r'send(?:to|msg)\(\d+<TCP:.*?\]>, "(?:[A-Z]+\d+ (?:UID (?:MOVE|COPY|STORE|EXPUNGE)|APPEND)|From: )'
)


def violations(bench: Bench) -> tuple[int, list[str]]:
    """How many words to servers were looked at, and those that left before the journal was on the disk."""
    turn, trace = bench.turn(), bench.folder / "order.trace"
    assert (
        bench.victims.run(turn.config, inject="pwrite64,fdatasync,fsync,sendto,sendmsg", trace=trace).code
        == 0
    )
    return _read(trace)


def _read(trace: Path) -> tuple[int, list[str]]:
    unsynced: set[str] = set()
    told, wrong = 0, []
    for line in trace.read_text("utf-8", "replace").splitlines():
        if written := _WRITE.search(line):
            # the log and what is not of the journal may be late; -shm is made again after a crash
            if "journal.sqlite" in written[1] and not written[1].endswith("-shm"):
                unsynced.add(written[1])
        elif synced := _SYNC.search(line):
            unsynced.discard(synced[1])
        elif _TOLD.search(line):
            told += 1
            if unsynced:
                wrong.append(f"{line[:160]} before {', '.join(sorted(unsynced))} was synced")
    return told, wrong
