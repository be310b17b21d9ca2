"""Connections cut at any byte, up or down, on IMAP and SMTP; then a run on a sound line heals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.fault_proxy import FaultProxy
from tests.soak.turn import Bench, Tally, Turn, spread

_NEVER = 10**9  # bytes after which a connection that is not the subject is cut


@dataclass(frozen=True)
class Line:
    """One connection of a run, in one direction: `number` counts the connections of its protocol."""

    protocol: str
    number: int
    way: str
    length: int

    def __str__(self) -> str:
        return f"{self.protocol} connection {self.number + 1} {self.way} ({self.length} bytes)"


def lines(bench: Bench) -> list[Line]:
    """Every connection of a whole run, in both directions, with the bytes that go over it."""
    turn, found = bench.turn(), list[Line]()
    with FaultProxy(bench.dovecot.imap_port) as imap, FaultProxy(bench.sink.port) as smtp:
        _lead_through(turn, imap, smtp)
        assert bench.victims.run(turn.config).code == 0
        for protocol, proxy in (("imap", imap), ("smtp", smtp)):
            for number, length in enumerate(proxy.lengths):
                found += [Line(protocol, number, way, length[way]) for way in ("up", "down")]
    turn.judge(Tally())
    return found


def cuts(
    bench: Bench, most: int = 0, kind: str = "rst", *, every: int = 1, tell: Callable[[str], None] = print
) -> Tally:
    """Cut each line after every byte, every n-th, or at most `most` times; then heal and judge."""
    tally = Tally()
    for line in lines(bench):
        # a byte more or less than in the run that was counted: UIDs and names have not always one length
        for count in spread(range(1, line.length + 1, every), most):
            cut(bench, tally, line, count, kind)
        tell(f"cut ({kind}) {line}: {tally}")
    return tally


def cut(bench: Bench, tally: Tally, line: Line, count: int, kind: str) -> None:
    """One turn with one line cut after `count` bytes."""
    turn = bench.turn()
    with FaultProxy(bench.dovecot.imap_port) as imap, FaultProxy(bench.sink.port) as smtp:
        _lead_through(turn, imap, smtp)
        proxy = imap if line.protocol == "imap" else smtp
        if line.number:
            proxy.cut_after(_NEVER, times=line.number)
        proxy.cut_after(count, line.way, kind)
        tally.ends[bench.victims.run(turn.config).code] += 1
        tally.hurt += imap.cuts + smtp.cuts
    tally.turns += 1
    _lead_through(turn, None, None)
    turn.heal()
    turn.judge(tally)


def _lead_through(turn: Turn, imap: FaultProxy | None, smtp: FaultProxy | None) -> None:
    """Make the service connect through the proxies, or directly again."""
    turn.service.imap["port"] = imap.port if imap else turn.bench.dovecot.imap_port
    turn.service.smtp["port"] = smtp.port if smtp else turn.bench.sink.port
    turn.service.write()
