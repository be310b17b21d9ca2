"""The edges of the running service: its API, its webhooks, its parts in processes of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serve import clients
from tests.conftest import ROOT
from tests.serve.service import Service, mail
from tests.servers import child
from tests.servers.dovecot import User
from tests.servers.missing import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.servers.web_sink import WebSink

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(180)]


@pytest.fixture
def edged(tmp_path: Path, dovecot: User, smtp_sink: SmtpSink) -> Iterator[Service]:
    """A service that is not running yet."""
    made = Service(tmp_path / "serve", dovecot, smtp_sink)
    yield made
    made.__exit__()


def http(port: int) -> str:
    """The table of the API."""
    return f"\n[http]\nport = {port}\n"


def listens(port: int) -> bool:
    """Whether somebody takes connections there: the API may come up after the first mail is routed."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_one_process_with_api_and_webhook(edged: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail is routed, the webhook hears of it, the API answers, health is good; SIGTERM ends all of it."""
    monkeypatch.setenv("HOOK", "a secret of more than twenty-four letters")
    port = free_port()
    with WebSink() as hook:
        table = f'name = "crm"\nurl = "{hook.url}"\nsecret_env = "HOOK"\nallow_private = true\n'
        edged.more = f"{http(port)}\n[[webhook]]\n{table}"
        with edged:
            edged.mailbox.deliver(mail(1))
            edged.wait(lambda: hook.received, "the webhook's call")
            edged.wait(lambda: listens(port), "the API")
            key = clients.add(edged.journal, "tests")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": key}) as api:
                edged.wait(lambda: api.get("/readyz").json()["status"] == "ok", "good health")
                assert api.get("/healthz").json()["alive"] is True
                assert 'mailml_decisions_total{bundle="' in api.get("/metrics").text
                answer = api.post("/v1/decide", json={"from": "a@b.example", "subject": "[URGENT] x"})
                assert answer.json()["queue"] == "Priority Support"
            assert key not in edged.log()
            assert edged.stop() == 0
    assert b"Customer" not in hook.received[0].body


def started(edged: Service, *parts: str) -> list[subprocess.Popen[bytes]]:
    """A process for each part."""
    edged.write()
    log = (edged.folder / "log").open("ab")
    return [subprocess.Popen(edged.command(part), cwd=ROOT, stdout=log, stderr=log) for part in parts]


def test_each_part_in_a_process_of_its_own(edged: Service) -> None:
    """Watch, work, send, clock and API on one journal route a mail; a second watcher is refused."""
    port = free_port()
    edged.more = http(port)
    edged.write()
    edged.call("check")
    processes = started(edged, "watch", "work", "send", "clock", "api")
    try:
        edged.mailbox.deliver(mail(1))
        edged.wait(lambda: edged.folders() == {"Queues/General Support": 1, "Sent": 1}, "the routed mail", 60)
        assert len(edged.sink.mails) == 1
        url = f"http://127.0.0.1:{port}/readyz"
        child.wait_until(lambda: httpx.get(url).json()["ready"] is True, 60, "good health")
        assert "another router" in edged.call("watch", good=78).stderr
        processes[2].terminate()
        assert processes[2].wait(40) == 0
        told = httpx.get(url)
        assert told.status_code == 503
        assert [one["about"] for one in told.json()["degraded"]] == ["send"]
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(40) for process in processes]
    assert codes == [0] * 5, edged.log()[-3000:]


def test_without_the_api_nothing_of_it_is_loaded() -> None:
    """FastAPI and uvicorn are imported only when they are switched on."""
    script = (
        "import sys, serve.__main__, serve.supervisor, serve.clock, serve.webhooks, serve.health\n"
        "print([name for name in ('fastapi', 'uvicorn', 'starlette', 'prometheus_client', 'dns') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_router_stays_small(edged: Service) -> None:
    """Under 120 MB resident after its first mails, without the API."""
    with edged:
        for number in range(20):
            edged.mailbox.deliver(mail(number, subject=f"Question about matter {number}"))
        edged.wait(lambda: edged.folders().get("Queues/General Support") == 20, "routed mail", 60)
        assert edged._process is not None
        pages = int(Path(f"/proc/{edged._process.pid}/statm").read_text().split()[1])
    assert pages * 4096 / 2**20 < 120
