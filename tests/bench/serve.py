"""The service from end to end: mail through Postfix and Dovecot, decided, moved and acknowledged with fsync.

    python -m tests.bench.serve [messages] [idle mailboxes]

Ratios hold between machines, absolute figures do not. IMAP, fsync and SMTP are also shown by themselves, to
tell where the time goes; the decision itself is compared with other filters reading the same mails.
"""

from __future__ import annotations

import os
import resource
import shutil
import smtplib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.transport import imap, smtp
from mailml.verdict import Context
from serve.instants import now_ms, to_datetime
from tests.bench import mailbox as made_up
from tests.serve.service import US, Service
from tests.servers.dovecot import Dovecot, User
from tests.servers.missing import ServerMissing
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink

CONNECTIONS = 4
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Everything is acknowledged, so that the dearest way is measured: three commits with fsync for each mail.
LIMITS = {"per_domain_hour": 10**6, "per_freemail_domain_hour": 10**6, "global_hour": 10**6}
LIMITS |= {"per_address_day": 10**6, "per_subject_day": 10**6, "per_body_day": 10**6}
SIEVE = """require ["fileinto", "regex"];
if header :contains "subject" "[URGENT]" { fileinto "Queues/Priority Support"; stop; }
if address :domain "from" "enterprise-client.com" { fileinto "Queues/Enterprise Support"; stop; }
if header :regex "subject" "(invoice|refund|payment)" { fileinto "Queues/Billing"; stop; }
if exists "auto-submitted" { fileinto "Automated"; stop; }
fileinto "Queues/General Support";
"""


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


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


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


@contextmanager
def desk(stack: ExitStack, folder: Path, **serve: object) -> Iterator[tuple[Service, Postfix | None]]:
    """A service on a fresh mailbox, with Postfix before it where Postfix can run."""
    dovecot = stack.enter_context(Dovecot())
    sink = stack.enter_context(SmtpSink(folder / "sink"))
    service = Service(folder / "serve", dovecot.user(), sink, **serve)
    service.limits = dict(LIMITS)
    service.smtp["connections"] = CONNECTIONS
    try:
        postfix = stack.enter_context(Postfix(dovecot.lmtp_port))
    except ServerMissing as reason:
        print(f"without Postfix ({reason}): mail is delivered by LMTP")
        postfix = None
    try:
        yield service, postfix
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
    with ExitStack() as stack, desk(stack, folder) as (service, postfix):
        began = time.monotonic()
        deliver(service, postfix, raws)
        wait(lambda: in_inbox(service.mailbox) >= len(raws), 600, "mail in the inbox")
        print(f"  brought there by SMTP and LMTP      {len(raws) / (time.monotonic() - began):10.0f} mails/s")
        numbers = Numbers(service)
        began = time.monotonic()
        with service:
            assert service._process is not None
            pid = service._process.pid
            start = cpu_seconds(pid)
            wait(lambda: numbers.finished(len(raws)), 900, "end")
            seconds, cpu = time.monotonic() - began, cpu_seconds(pid) - start
            rss = resident_mb(pid)
        ((first, last),) = numbers.ask("SELECT min(seen_at), max(moved_at) FROM incoming")
        ((acks, done),) = numbers.ask("SELECT count(*), max(done_at) FROM outbox WHERE effect = 'ack'")
        rate = len(raws) * 1000 / (max(last, done) - first)
        print(f"  seen, decided, moved, acknowledged  {rate:10.0f} mails/s   ({acks:.0f} acknowledgements)")
        print(f"  the whole run with its start        {len(raws) / seconds:10.0f} mails/s")
        print(
            f"  CPU of the service                  {cpu / len(raws) * 1000:10.2f} ms a mail   {rss:.0f} MB"
        )
        return rate


def paced(folder: Path, raws: list[bytes], rate: float) -> None:
    """Mail as it comes on a busy day: from taken by SMTP to lying in its queue."""
    with ExitStack() as stack, desk(stack, folder) as (service, postfix):
        if postfix is None:
            return
        numbers = Numbers(service)
        with service:
            taken = deliver(service, postfix, raws, pause=4 / rate)
            wait(lambda: numbers.finished(len(raws)), 300, "end")
        rows = numbers.ask("SELECT message_id, seen_at, decided_at, moved_at FROM incoming")
    arrived = [row[3] / 1000 - taken[str(row[0])] for row in rows if str(row[0]) in taken]
    print(f"  taken by Postfix -> in its queue    {spread(arrived)}   ({rate:g} mails/s)")
    print(f"  seen -> decided                     {spread([(row[2] - row[1]) / 1000 for row in rows])}")
    print(f"  seen -> in its queue                {spread([(row[3] - row[1]) / 1000 for row in rows])}")


def apart(folder: Path, raws: list[bytes]) -> None:
    """IMAP, fsync and SMTP by themselves, each a mail."""
    with ExitStack() as stack, desk(stack, folder) as (service, _):
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


def deciding(folder: Path, raws: list[bytes]) -> None:
    """CPU of one decision, against filters that read the same mails in the same run."""
    service = Service(folder, User(Dovecot(), "x"), SmtpSink(folder / "sink"))
    service.write()
    bundle = Bundle.load(service.bundle_path)
    now = to_datetime(now_ms())
    decide(raws[0], bundle, Context(received_at=now, now=now))
    began = time.process_time()
    for raw in raws:
        decide(raw, bundle, Context(received_at=now, now=now))
    mine = (time.process_time() - began) / len(raws)
    print(f"  decided in this process             {mine * 1e6:10.0f} µs CPU a mail")
    sieve = sieve_seconds(folder, raws)
    if sieve:
        print(
            f"  sieve-filter, dry run               {sieve * 1e6:10.0f} µs CPU a mail   "
            f"ours {mine / sieve:.2f} x"
        )
    if shutil.which("rspamd") is None:
        print("  rspamd                              not installed: no ratio")


def sieve_seconds(folder: Path, raws: list[bytes]) -> float:
    """CPU a mail of Pigeonhole's dry run over the same mails; 0 where it is not installed."""
    if shutil.which("sieve-filter") is None or shutil.which("sievec") is None:
        print("  sieve-filter                        not installed: no ratio")
        return 0.0
    with Dovecot() as dovecot:
        user = dovecot.user()
        for raw in raws:
            user.deliver(raw)
        script = dovecot.base / "rules.sieve"
        script.write_text(SIEVE)
        configuration = str(dovecot.base / "dovecot.conf")
        subprocess.run(["sievec", "-c", configuration, str(script)], check=True, capture_output=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["sieve-filter", "-c", configuration, "-u", user.name, str(script), "INBOX"]
        done = subprocess.run(command, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            print(f"  sieve-filter                        failed: {done.stderr[-200:]}")
            return 0.0
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return used / len(raws)


def idle(folder: Path, boxes: int, seconds: float = 30.0) -> None:
    """Many mailboxes in which nothing happens: CPU and memory of the one process that watches them."""
    with ExitStack() as stack:
        dovecot = stack.enter_context(Dovecot())
        sink = stack.enter_context(SmtpSink(folder / "sink"))
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
        deciding(base / "deciding", raws[:500])
        print("idle")
        idle(base / "idle", boxes)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
