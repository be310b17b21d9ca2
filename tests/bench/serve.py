"""The service from end to end: mail through Postfix and Dovecot, decided, moved and acknowledged with fsync.

    python -m tests.bench.serve [messages] [idle mailboxes]

Ratios hold between machines, absolute figures do not. IMAP, fsync and SMTP are also shown by themselves, to
tell where the time goes; the decision itself is compared with other filters reading the same mails.
"""

from __future__ import annotations

import os
import smtplib
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailml.bundle import Bundle
from mailml.transport import imap, smtp
from tests.bench import filters
from tests.bench import mailbox as made_up
from tests.bench.processes import cpu_seconds, family_seconds, resident_mb
from tests.bench.sink import Sink
from tests.serve.service import US, Service
from tests.servers.dovecot import Dovecot, User
from tests.servers.missing import ServerMissing
from tests.servers.postfix import Postfix

CONNECTIONS = 4
# Everything is acknowledged, so that the dearest way is measured: three commits with fsync for each mail.
LIMITS = {"per_domain_hour": 10**6, "per_freemail_domain_hour": 10**6, "global_hour": 10**6}
LIMITS |= {"per_address_day": 10**6, "per_subject_day": 10**6, "per_body_day": 10**6}


def mails(count: int) -> list[bytes]:
    """Distinct mails of 8 KB on average, each from another customer to the desk."""
    found = []
    for number, raw in enumerate(made_up.messages(count, average=8_000)):
        raw = raw.replace(b"To: support@example.test", f"To: {US}".encode(), 1)
        found.append(raw.replace(b"example.org>", f"c{number}.example>".encode(), 2))
    return found


def inject(port: int, to: str, raws: list[bytes], *, pause: float = 0.0, lines: int = 4) -> dict[str, float]:
    """Send them by SMTP over several connections; returns when each was taken, by its Message-ID."""
    taken: dict[str, float] = {}

    def some(part: list[bytes]) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            for raw in part:
                client.sendmail("customer@example.org", [to], raw)
                head = raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
                taken[head.decode()] = time.time()
                time.sleep(pause)

    threads = [threading.Thread(target=some, args=(raws[n::lines],)) for n in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def in_inbox(user: User) -> int:
    """How many messages lie in the inbox."""
    with user.client() as client:
        return int(client.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"])


def wait(come: Callable[[], bool], seconds: float, what: str) -> None:
    """Until it is so."""
    end = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < end, f"no {what} within {seconds:g} s"
        time.sleep(0.1)


class Numbers:
    """What the journal says, read beside the running service."""

    def __init__(self, service: Service) -> None:
        self.path = service.folder / "journal.sqlite"

    def ask(self, query: str) -> list[tuple[float, ...]]:
        """Rows of one query."""
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30) as reader:
            return list(reader.execute(query))

    def finished(self, count: int) -> bool:
        """Whether so many mails are moved and nothing waits."""
        ((moved,),) = self.ask("SELECT count(*) FROM incoming WHERE moved_at IS NOT NULL")
        ((open_,),) = self.ask("SELECT count(*) FROM outbox WHERE state IN ('pending','sending','doubt')")
        ((uncopied,),) = self.ask("SELECT count(*) FROM outbox WHERE state = 'sent' AND copied = 0")
        return moved >= count and open_ == uncopied == 0


def spread(values: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    ranked = sorted(values)
    half, most = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
    return f"p50 {half * 1000:8.0f} ms   p99 {most * 1000:8.0f} ms"


@dataclass
class Desk:
    """A service on a fresh mailbox, with Postfix before it where Postfix can run."""

    service: Service
    dovecot: Dovecot
    sink: Sink
    postfix: Postfix | None

    def cpu(self) -> dict[str, float]:
        """CPU seconds of everybody who has a part in it, so far."""
        service, dovecot = self.service._process, self.dovecot._process
        assert service is not None
        assert dovecot is not None
        return {
            "service": cpu_seconds(service.pid),
            "Dovecot": family_seconds(dovecot.pid),
            "SMTP sink": cpu_seconds(self.sink.process.pid),
        }


@contextmanager
def desk(folder: Path, **serve: object) -> Iterator[Desk]:
    """A desk whose limits let everything be acknowledged."""
    with ExitStack() as stack:
        dovecot = stack.enter_context(Dovecot())
        sink = stack.enter_context(Sink(folder / "sink"))
        service = Service(folder / "serve", dovecot.user(), sink, **serve)
        service.limits = dict(LIMITS)
        service.smtp["connections"] = CONNECTIONS
        try:
            postfix = stack.enter_context(Postfix(dovecot.lmtp_port))
        except ServerMissing as reason:
            print(f"without Postfix ({reason}): mail is delivered by LMTP")
            postfix = None
        try:
            yield Desk(service, dovecot, sink, postfix)
        finally:
            service.__exit__()


def deliver(service: Service, postfix: Postfix | None, raws: list[bytes], **how: float) -> dict[str, float]:
    """By SMTP through Postfix, or straight to Dovecot."""
    if postfix is not None:
        return inject(postfix.port, service.mailbox.name, raws, **how)
    for raw in raws:
        service.mailbox.deliver(raw)
    return {}


def drain(folder: Path, raws: list[bytes]) -> float:
    """A full inbox is worked off: throughput with fsync and acknowledgement, and what it costs in CPU."""
    with desk(folder) as one:
        service, count = one.service, len(raws)
        began = time.monotonic()
        deliver(service, one.postfix, raws)
        wait(lambda: in_inbox(service.mailbox) >= count, 600, "mail in the inbox")
        print(f"  brought there by SMTP and LMTP      {count / (time.monotonic() - began):10.0f} mails/s")
        numbers = Numbers(service)
        began = time.monotonic()
        with service:
            assert service._process is not None
            start = one.cpu()
            wait(lambda: numbers.finished(count), 900, "end")
            seconds, end = time.monotonic() - began, one.cpu()
            rss = resident_mb(service._process.pid)
        rate = _worked_off(numbers, count)
        print(f"  the whole run, copies in Sent too   {count / seconds:10.0f} mails/s   {rss:.0f} MB")
        for who, cpu in end.items():
            print(f"  CPU of the {who:<24} {(cpu - start[who]) / count * 1000:10.2f} ms a mail")
        return rate


def _worked_off(numbers: Numbers, count: int) -> float:
    """Mails a second from the first one seen to the last one moved and acknowledged."""
    ((first, last),) = numbers.ask("SELECT min(seen_at), max(moved_at) FROM incoming")
    ((acks, done),) = numbers.ask("SELECT count(*), max(done_at) FROM outbox WHERE effect = 'ack'")
    rate = count * 1000 / (max(last, done) - first)
    print(f"  seen, decided, moved, acknowledged  {rate:10.0f} mails/s   ({acks:.0f} acknowledgements)")
    return rate


def paced(folder: Path, raws: list[bytes], rate: float) -> None:
    """Mail as it comes on a busy day: from taken by SMTP to lying in its queue."""
    with desk(folder) as one:
        if one.postfix is None:
            return
        numbers = Numbers(one.service)
        with one.service:
            taken = deliver(one.service, one.postfix, raws, pause=4 / rate)
            wait(lambda: numbers.finished(len(raws)), 300, "end")
        rows = numbers.ask("SELECT message_id, seen_at, decided_at, moved_at FROM incoming")
    arrived = [row[3] / 1000 - taken[str(row[0])] for row in rows if str(row[0]) in taken]
    print(f"  taken by Postfix -> in its queue    {spread(arrived)}   ({rate:g} mails/s)")
    print(f"  seen -> decided                     {spread([(row[2] - row[1]) / 1000 for row in rows])}")
    print(f"  seen -> in its queue                {spread([(row[3] - row[1]) / 1000 for row in rows])}")


def apart(folder: Path, raws: list[bytes]) -> None:
    """IMAP, fsync and SMTP by themselves, each a mail."""
    with desk(folder) as one:
        service = one.service
        for raw in raws:
            service.mailbox.deliver(raw)
        with imap.connect(service.mailbox.account("none")) as session:
            session.select("INBOX")
            uids = session.uids()
            timed("IMAP: fetched", len(uids), lambda: sum(1 for _ in session.fetch_raw(uids)))
            session.create_folder("Elsewhere")
            timed("IMAP: moved, 100 at a time", len(uids), lambda: _moved(session, uids))
        account = service.sink.account()
        with smtp.connect(account) as line:
            some = raws[:200]
            timed(
                "SMTP: sent", len(some), lambda: [line.send("", ["c@customer.example"], raw) for raw in some]
            )
        timed("fsync: committed one by one", 100, lambda: _synced(folder / "sync"))


def _moved(session: imap.ImapSession, uids: list[int]) -> None:
    for start in range(0, len(uids), 100):
        session.move(uids[start : start + 100], "Elsewhere")


def _synced(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for _ in range(100):
        os.write(fd, b"x" * 4096)
        os.fsync(fd)
    os.close(fd)


def timed(name: str, count: int, act: Callable[[], object]) -> None:
    """How long an act takes for each."""
    began = time.monotonic()
    act()
    print(f"  {name:<34}  {(time.monotonic() - began) / count * 1000:10.2f} ms a mail")


def idle(folder: Path, boxes: int, seconds: float = 30.0) -> None:
    """Many mailboxes in which nothing happens: CPU and memory of the one process that watches them."""
    with ExitStack() as stack:
        dovecot = stack.enter_context(Dovecot())
        sink = stack.enter_context(Sink(folder / "sink"))
        service = Service(folder / "serve", dovecot.user(), sink, poll_seconds=60)
        service.more_mailboxes = [
            {"name": f"box{number}", **dovecot.user().mapping("none")} for number in range(boxes - 1)
        ]
        with service:
            assert service._process is not None
            pid = service._process.pid
            numbers = Numbers(service)
            fresh = "SELECT count(*) FROM mailboxes WHERE fresh_at IS NOT NULL"
            wait(lambda: numbers.ask(fresh)[0][0] >= boxes, 120, "fresh mailboxes")
            time.sleep(10)
            start, began = cpu_seconds(pid), time.monotonic()
            time.sleep(seconds)
            share = (cpu_seconds(pid) - start) / (time.monotonic() - began)
            print(
                f"  {boxes} mailboxes, nothing happens        {share:10.2%} CPU   "
                f"{resident_mb(pid):.0f} MB resident"
            )


def main(count: int = 1000, boxes: int = 50) -> int:
    """Everything, one after the other."""
    raws = mails(count)
    print(
        f"{count} mails of {sum(map(len, raws)) / count / 1024:.1f} KB on average, "
        "SQLite with synchronous=FULL\n"
    )
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as name:
        base = Path(name)
        print("worked off")
        drain(base / "drain", raws)
        print("as it comes")
        paced(base / "paced", mails(min(count, 400)), 20.0)
        print("by themselves")
        apart(base / "apart", raws[:500])
        print("deciding alone")
        service = Service(base / "deciding", User(Dovecot(), "x"), Sink(base / "deciding"))
        service.write()
        filters.deciding(Bundle.load(service.bundle_path), raws[:500])
        print("idle")
        idle(base / "idle", boxes)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
