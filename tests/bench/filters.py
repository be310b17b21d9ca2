"""CPU of one decision beside other filters that read the same mails in the same run, without a network.

sieve-filter's dry run is the floor of what a rule costs; rspamd with its local modules is what mail servers
spend on a mail anyway. Both are left out, with a word, where they are not installed.
"""

from __future__ import annotations

import http.client
import tempfile
import time
from pathlib import Path

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.verdict import Context
from serve.instants import now_ms, to_datetime
from tests.bench.processes import cpu_seconds
from tests.bench.sieve import dry_run
from tests.servers import child
from tests.servers.dovecot import Dovecot
from tests.servers.missing import ServerMissing, free_port, program

SIEVE = """require ["fileinto", "regex"];
if header :contains "subject" "[URGENT]" { fileinto "Queues/Priority Support"; stop; }
if address :domain "from" "enterprise-client.com" { fileinto "Queues/Enterprise Support"; stop; }
if header :regex "subject" "(invoice|refund|payment)" { fileinto "Queues/Billing"; stop; }
if exists "auto-submitted" { fileinto "Automated"; stop; }
fileinto "Queues/General Support";
"""
# What asks the network, or a service that is not there; everything else is as Debian ships it.
_ASKING = "rbl surbl spf dkim dkim_signing dmarc arc asn mx_check fuzzy_check url_redirector rspamd_update"


def deciding(bundle: Bundle, raws: list[bytes]) -> None:
    """Print what one decision costs, and how that compares."""
    mine = _decided(bundle, raws)
    print(f"  decided in this process             {mine * 1e6:10.0f} µs CPU a mail")
    for name, seconds in (
        ("sieve-filter, dry run", sieve_seconds),
        ("rspamd, local modules", rspamd_seconds),
    ):
        try:
            theirs = seconds(raws)
        except ServerMissing as reason:
            print(f"  {name:<34}  {reason}: no ratio")
            continue
        print(f"  {name:<34}  {theirs * 1e6:10.0f} µs CPU a mail   ours {mine / theirs:.2f} x")


def _decided(bundle: Bundle, raws: list[bytes]) -> float:
    now = to_datetime(now_ms())
    context = Context(received_at=now, now=now)
    decide(raws[0], bundle, context)
    turns = []
    for _ in range(3):  # the best of three: others use the machine too
        began = time.process_time()
        for raw in raws:
            decide(raw, bundle, context)
        turns.append((time.process_time() - began) / len(raws))
    return min(turns)


def sieve_seconds(raws: list[bytes]) -> float:
    """CPU a mail of Pigeonhole's dry run over the same mails; raises ServerMissing."""
    with Dovecot() as dovecot:
        return dry_run(dovecot, raws, SIEVE)[0] / len(raws)


def rspamd_seconds(raws: list[bytes]) -> float:
    """CPU a mail of rspamd's worker over the same mails; raises ServerMissing."""
    rspamd = program("rspamd", package="rspamd")
    with tempfile.TemporaryDirectory(prefix="rspamd-") as name:
        folder, port = Path(name), free_port()
        _configure(folder, port)
        command = [rspamd, "-f", "-i", "-c", "/etc/rspamd/rspamd.conf", f"--var=LOCAL_CONFDIR={folder}"]
        command += [f"--var={name}={folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR")]
        server = child.start(command, folder / "out")
        try:
            child.wait_until(lambda: _scanned(port, raws[0]), 400, "rspamd", folder / "log")
            for raw in raws[:50]:
                _scanned(port, raw)  # warm, as it is in service
            (worker,) = _workers(server.pid)
            began = cpu_seconds(worker)
            for raw in raws:
                assert _scanned(port, raw)
            return (cpu_seconds(worker) - began) / len(raws)
        finally:
            child.stop(server)


def _configure(folder: Path, port: int) -> None:
    for name in ("local.d", "override.d"):
        (folder / name).mkdir()
    for module in _ASKING.split():
        (folder / "local.d" / f"{module}.conf").write_text("enabled = false;\n")
    for worker in ("controller", "proxy", "fuzzy"):
        (folder / "override.d" / f"worker-{worker}.inc").write_text("enabled = false;\n")
    normal = f'bind_socket = "127.0.0.1:{port}";\ncount = 1;\n'
    (folder / "override.d" / "worker-normal.inc").write_text(normal)
    logging = f'type = "file";\nfilename = "{folder}/log";\nlevel = "error";\n'
    (folder / "override.d" / "logging.inc").write_text(logging)


def _scanned(port: int, raw: bytes) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request("POST", "/checkv2", body=raw)
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


def _workers(main: int) -> list[int]:
    """The process that scans: a child of the main one that calls itself "normal process"."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            title = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == main and b"normal process" in title:
            found.append(int(stat.parent.name))
    return found
