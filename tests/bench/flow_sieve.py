"""Parsing a mail and asking 20 rules of it, against Dovecot's sieve-filter on the same rules and files.

    python -m tests.bench.flow_sieve [MAILS]

Both read each mail from its file in a Maildir, and must choose the same place for it (a few may differ: Sieve
compares without folding, and reads HTML beside the plain text). CPU seconds; what sieve-filter needs to
start falls away, as its time for so many mails is taken from that for twice as many; ours is warm.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from mailml.flow import Facts
from mailml.message import parse
from mailml.text import own_words
from tests.bench import mailbox
from tests.bench.flow_mail import PHRASES, parsed
from tests.bench.flow_rules import sieve_script, the_flow
from tests.bench.sieve import dry_run
from tests.servers.dovecot import Dovecot
from tests.servers.missing import ServerMissing

GOAL = 0.6
_ALIKE = 0.995  # of all mails go to the same place
_ROUNDS = 3
_ARRIVAL = datetime(2026, 3, 2, 10)
Timed = tuple[float, list[str]]


def mails(count: int) -> list[bytes]:
    """One half short and plain, one half text and HTML of 8 KB with attachments; a third fits a rule."""
    short = [facts.message.raw for facts in parsed(count // 2)]
    long = [
        raw.replace(b".\r\n", f".\r\n{PHRASES[n % 7]} ".encode(), 1) if n % 3 == 0 else raw
        for n, raw in enumerate(mailbox.messages(count - len(short), average=8_000))
    ]
    return list(chain.from_iterable(zip(short, long, strict=True)))


def ours(paths: Sequence[Path]) -> Timed:
    """Each mail read, parsed, its own words found and all rules asked, with the whole trace."""
    flow = the_flow()
    turns, rules = [], list[str]()
    for _ in range(_ROUNDS):
        start = time.process_time()
        rules = [flow.run(_facts(path)).rule for path in paths]
        turns.append(time.process_time() - start)
    return min(turns), rules


def parsing(paths: Sequence[Path]) -> Timed:
    """The same without the rules."""
    turns = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for path in paths:
            _facts(path)
        turns.append(time.process_time() - start)
    return min(turns), []


def _facts(path: Path) -> Facts:
    message = parse(path.read_bytes())
    return Facts(message, own_words(message), received_local=_ARRIVAL)


def measure(count: int) -> dict[str, float]:
    """Microseconds a mail of both, their ratio, and how many mails they agree on; raises ServerMissing."""
    raws = mails(2 * count)
    with Dovecot() as dovecot:
        half, _ = dry_run(dovecot, raws[:count], sieve_script(), _ROUNDS)
        whole, theirs = dry_run(dovecot, raws, sieve_script(), _ROUNDS)
        (folder,) = (box for box in dovecot.base.glob("home/*/Maildir/cur") if _many(box) == len(raws))
        paths = sorted(folder.iterdir())
        found = {"sieve": (whole - half) / count * 1e6}
        seconds, mine = ours(paths)
        found |= {"ours": seconds / len(paths) * 1e6, "parse": parsing(paths)[0] / len(paths) * 1e6}
    if len(theirs) != len(mine):
        raise AssertionError(f"sieve-filter placed {len(theirs)} of {len(mine)} mails")
    same = sum(one == other for one, other in zip(mine, theirs, strict=True)) / len(mine)
    if same < _ALIKE:
        odd = [pair for pair in zip(mine, theirs, strict=True) if pair[0] != pair[1]]
        raise AssertionError(f"the flow and Sieve agree on {same:.1%} of the mails only: {odd[:5]}")
    placed = sum(rule != "default" for rule in mine) / len(mine)
    return found | {"same": same, "placed": placed, "ratio": found["ours"] / found["sieve"]}


def _many(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def main(arguments: Sequence[str]) -> None:
    """Print the ratio beside its goal."""
    count = int(arguments[0]) if arguments else 1_000
    try:
        found = measure(count)
    except ServerMissing as reason:
        print(f"sieve-filter: {reason}: no ratio")
        return
    print(
        f"parsed and 20 rules asked: {found['ours']:.0f} us a mail, {found['parse']:.0f} without the rules; "
        f"sieve-filter: {found['sieve']:.0f} us; the same place for {found['same']:.2%} of the mails, "
        f"a rule's for {found['placed']:.0%}"
    )
    print(f"ratio {found['ratio']:.2f} (goal: at most {GOAL})")


if __name__ == "__main__":
    main(sys.argv[1:])
