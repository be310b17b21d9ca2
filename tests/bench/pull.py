"""Pulling 20,000 messages from Dovecot into an archive, against mbsync storing the same mailbox in a Maildir.

    python -m tests.bench.pull [messages]

Both run as child processes in turn, on the same server, over the same kind of line, storing on the same file
system; what is compared is their CPU time, user and system. Then a pull is killed five times and counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mailml.archive import Archive
from mailml.errors import MailmlError
from tests.bench.mailbox import fill
from tests.servers.dovecot import Dovecot, User
from tests.servers.missing import ServerMissing, program

GOAL = 0.5
ROOT = Path(__file__).resolve().parents[2]
PULL = """
import json, sys
from mailml.lab.pull import pull
from mailml.transport.account import Account
pull(Account.from_mapping(json.loads(sys.argv[1]), name="desk"), sys.argv[2], "INBOX", progress=False)
"""


def pull_command(user: User, security: str, folder: Path) -> list[str]:
    """Our pull as a process of its own, with its start-up and imports."""
    return [sys.executable, "-c", PULL, json.dumps(user.mapping(security)), str(folder)]


def mbsync_command(user: User, security: str, folder: Path) -> list[str]:
    """Debian's mbsync on the same folder, one file per message in a Maildir."""
    folder.mkdir(parents=True)
    server = user.server
    config = folder / "mbsyncrc"
    config.write_text(
        f"""IMAPStore far
Host localhost
Port {server.imap_port if security == "none" else server.imaps_port}
User {user.name}
Pass {user.password}
SSLType {"None" if security == "none" else "IMAPS"}
CertificateFile {server.certificates.ca}
AuthMechs LOGIN

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns INBOX
Sync Pull New
Create Near
SyncState *
"""
    )
    return [program("mbsync", package="isync"), "-q", "-c", str(config), "c"]


def cpu_of(command: list[str]) -> tuple[float, float]:
    """CPU seconds (user + system) and wall seconds of a process that must succeed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-1000:]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - started


def compare(user: User, security: str, work: Path, rounds: int = 1) -> tuple[float, float]:
    """The least CPU of some rounds of each, in turn: what other work on the machine added is left out."""
    ours, theirs = [], []
    for number in range(rounds):
        maildir, archive = work / f"mbsync-{security}-{number}", work / f"pull-{security}-{number}"
        theirs.append(cpu_of(mbsync_command(user, security, maildir))[0])
        shutil.rmtree(maildir)
        ours.append(cpu_of(pull_command(user, security, archive))[0])
    return min(ours), min(theirs)


def killed_pull(user: User, folder: Path, count: int, kills: int = 5, seed: int = 7) -> list[int]:
    """Kills a pull `kills` times, lets the last one finish; how many messages were there after each kill."""
    rng, seen = random.Random(seed), []
    for _ in range(kills):
        process = subprocess.Popen(
            pull_command(user, "none", folder), cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
        )
        # From a moment after the start of storing on: killed in connecting, fetching, writing, renaming.
        target = (len(Archive.open(folder)) if folder.exists() else 0) + rng.randint(
            1, max(1, count // (kills + 1))
        )
        wait_for(
            lambda target=target, process=process: process.poll() is not None or stored(folder) >= target
        )
        time.sleep(rng.random() * 0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        seen.append(stored(folder))
    cpu_of(pull_command(user, "none", folder))
    return seen


def stored(folder: Path) -> int:
    """How many messages an archive holds at this moment."""
    try:
        return len(Archive.open(folder))
    except MailmlError:
        return 0


def wait_for(ready: Callable[[], bool], seconds: float = 120.0) -> None:
    """Waits until it is so, or the time is over."""
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        time.sleep(0.01)


def exactly_once(folder: Path, count: int) -> None:
    """Every message is there once: as many as the mailbox has, every UID once, every hash once."""
    table = Archive.open(folder).table(["uid", "sha256"])
    assert table.num_rows == count, f"{table.num_rows} of {count}"
    assert len(set(table.column("uid").to_pylist())) == count
    assert len(set(table.column("sha256").to_pylist())) == count


def measure(count: int = 20_000) -> list[tuple[str, str, float, float]]:
    """Rows for the table of benchmarks: what, figures, ratio, goal."""
    rows = []
    with Dovecot() as server, tempfile.TemporaryDirectory(prefix="bench-pull-") as work:
        user, folder = server.user(), Path(work)
        total = fill(user, count)
        for security in ("none", "tls"):
            ours, theirs = compare(user, security, folder)
            what = f"{count:,} messages, {total / 1e6:.0f} MB, {security}"
            text = f"{what}: {ours:.2f} s CPU, mbsync {theirs:.2f} s"
            rows.append(("pull with storing / mbsync", text, ours / theirs, GOAL))
        exactly_once(folder / "pull-none-0", count)
        seen = killed_pull(user, folder / "killed", count)
        exactly_once(folder / "killed", count)
        at = ", ".join(f"{n:,}" for n in seen)
        print(f"killed five times at {at} messages: {count:,} in the end, none twice")
    return rows


def main() -> int:
    """Prints the table; fails when a goal is missed."""
    try:
        rows = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    except ServerMissing as reason:
        print(f"pull: skipped, {reason}")
        return 0
    for what, text, ratio, goal in rows:
        print(f"{what}: {ratio:.2f} (goal {goal})  {text}")
    return 0 if all(ratio <= goal for *_, ratio, goal in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
