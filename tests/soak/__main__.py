"""`python -m tests.soak [part …] [--most N] [--every N]`: everything at full length, one line for each part.

Parts: kills, first-start, copying, kept, errors, cuts, load, order. Without one all are run, for
hours; with `--most` at most so many turns of each system call, error or line, evenly spread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.servers.dovecot import Dovecot
from tests.servers.dovecot_config import Settings
from tests.servers.smtp_sink import SmtpSink
from tests.soak import cuts, kills, load, order
from tests.soak.turn import Bench, KeepingSink
from tests.soak.victim import Victims

WITHOUT_MOVE = Settings(capability="IMAP4rev1 UIDPLUS LITERAL+ AUTH=PLAIN")


def _order(bench: Bench) -> str:
    told, wrong = order.violations(bench)
    assert not wrong, "\n".join(wrong)
    return f"{told} words to servers, none before the journal was on the disk"


def _kept(bench: Bench, most: int) -> str:
    with KeepingSink(bench.folder / "keeping") as sink:
        calls = ("sendto", "recvfrom", "fdatasync")
        tally = kills.kills(replace(bench, sink=sink), most, calls)
    assert not tally.uncertain_but_taken, tally
    return str(tally)


def _cuts(bench: Bench, most: int, every: int) -> str:
    return "; ".join(f"{kind}: {cuts.cuts(bench, most, kind, every=every)}" for kind in ("rst", "fin"))


def parts(most: int, every: int, loads: int) -> dict[str, tuple[Settings, Callable[[Bench], object]]]:
    """Each part by its name: the server it needs and what it does."""
    usual = Settings()
    return {
        "order": (usual, _order),
        "kills": (usual, lambda bench: kills.kills(bench, most)),
        "first-start": (usual, lambda bench: kills.kills(bench, most, empty=True)),
        "copying": (WITHOUT_MOVE, lambda bench: kills.kills(bench, most)),
        "kept": (usual, lambda bench: _kept(bench, most)),
        "errors": (usual, lambda bench: kills.errors(bench, most)),
        "cuts": (usual, lambda bench: _cuts(bench, most, every)),
        "load": (usual, lambda bench: load.random_kills(bench, loads)),
    }


def main() -> None:
    """Run the parts that were named, or all of them; the first thing lost or doubled ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("part", nargs="*")
    parser.add_argument("--most", type=int, default=0, help="turns of each call, error or line; 0 is all")
    parser.add_argument("--every", type=int, default=1, help="cut at every n-th byte")
    parser.add_argument("--loads", type=int, default=200, help="random kills under load")
    asked = parser.parse_args()
    known = parts(asked.most, asked.every, asked.loads)
    for name in asked.part or known:
        settings, act = known[name]
        start = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix="soak-"))
        with Dovecot(settings) as dovecot, SmtpSink(folder / "sink") as sink, Victims() as victims:
            told = act(Bench(folder, dovecot, sink, victims))
        print(f"== {name}: {told}; {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
