"""Every command on a journal in PostgreSQL: what SQLite forgives, a real database does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serve.bundles import Bundles
from serve.instants import now_ms
from serve.journal import interactions, limits
from serve.keys import loop_key
from serve.limits import Limits
from serve.shadow import Shadow
from tests.scenarios.conftest import logs_in
from tests.serve.service import Service, bundle, mail
from tests.servers import child
from tests.servers.dovecot import User
from tests.servers.postgres import Postgres
from tests.servers.smtp_sink import SmtpSink
from tests.servers.web_sink import WebSink

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(180)]

TABLES = """
[bundle]
shadow = "shadow"
canary = "canary"
canary_percent = 100
[retention]
body_days = 30
person_days = 90
[[webhook]]
name = "crm"
url = "{url}"
secret_env = "HOOK"
allow_private = true
"""


@pytest.fixture
def desk(
    tmp_path: Path,
    dovecot: User,
    smtp_sink: SmtpSink,
    postgres_server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Service]:
    """A service on PostgreSQL with a shadow, a canary for everything, a webhook and a retention."""
    monkeypatch.setenv("HOOK", "a secret of more than twenty-four letters")
    child.wait_until(lambda: logs_in(dovecot), 10, "the new mailbox")
    made = Service(tmp_path / "serve", dovecot, smtp_sink, database=postgres_server.database())
    made.serve |= {"loop_key_file": "loop.key", "max_message_mb": 0.01, "bundle": "current"}
    (made.folder / "loop.key").write_text("k" * 40 + "\n")
    (made.folder / "loop.key").chmod(0o600)
    bundle(made.folder / "shadow", flow='default = "Shadow Queue"\n')
    bundle(made.folder / "canary", flow='default = "Canary Queue"\n')
    (made.folder / "current").symlink_to("bundle")
    with WebSink() as hook:
        made.more = TABLES.format(url=hook.url)
        made.write()
        yield made
    made.journal.close()


def told(desk: Service, *words: str, good: int | None = 0) -> Any:
    """What a command says as JSON."""
    return json.loads(desk.call(*words, "--json", good=good).stdout)


def who_calls_and_is_told(desk: Service) -> None:
    """API keys and webhooks."""
    counts = {(name, state): count for name, state, count in told(desk, "webhooks", "list")["counts"]}
    assert counts["crm", "delivered"] >= 2
    assert desk.call("webhooks", "retry").stdout.startswith("0 ")
    assert desk.call("webhooks", "test", "crm").stdout.strip()
    key = desk.call("keys", "add", "genesys", "--per-minute", "5").stdout.strip()
    assert [(one["name"], one["per_minute"]) for one in told(desk, "keys", "list")] == [("genesys", 5)]
    assert key not in desk.call("keys", "list").stdout
    assert desk.call("keys", "revoke", "genesys").stdout.strip() == "1 revoked"


def what_was_decided(desk: Service, shadow: Shadow) -> None:
    """The canary decided, the shadow was asked, every decision can be made again; promote and roll back."""
    assert shadow.batch() == 2
    agreement = told(desk, "bundle", "agreement")
    assert (agreement["messages"], agreement["same_kind"], agreement["same_place"]) == (2, 2, 1)
    lines = [line for line in desk.decisions("--verify") if line["decision"]]
    assert {line["decision"]["queue"] for line in lines} == {"Canary Queue", ""}
    assert all(line["same_again"] for line in lines)
    assert told(desk, "decisions", "replay")["same"] == 2
    assert [one["role"] for one in told(desk, "bundle", "status")] == ["current", "shadow", "canary"]
    before, _, after = desk.call("bundle", "promote", str(desk.folder / "shadow")).stdout.split()
    assert desk.call("bundle", "rollback").stdout.split() == [after, "->", before]


def by_hand(desk: Service, answer: Path) -> None:
    """Quarantine, filed mail, old mail, the breaker, an agent's answer, and the end of a conversation."""
    (held,) = told(desk, "quarantine", "list")
    assert desk.call("quarantine", "show", str(held["id"])).raw.startswith(b"Return-Path:")
    desk.call("quarantine", "retry", str(held["id"]))
    (filed,) = told(desk, "filed", "list")
    undone = desk.call("filed", "undo", str(filed["number"]), "--queue", "Canary Queue")
    assert "goes to Canary Queue" in undone.stdout
    old = told(desk, "backfill", "Archive", "--move")
    assert (old["messages"], old["quarantined"]) == (1, 0)
    with desk.journal.write() as tx:
        assert limits.watch(tx, Limits(global_hour=1), now_ms())
        opened = interactions.by_id(tx, 1)
    assert told(desk, "breaker", "status")["open"] is True
    assert desk.call("breaker", "reset").stdout.strip() == "closed"
    assert opened is not None
    answer.write_text("We are on it.")
    desk.call("reply", opened.reference, "--file", str(answer))
    assert desk.call("close", opened.reference).stdout.startswith("1 closed")
    assert desk.call("reopen", opened.reference).stdout.startswith("1 opened")


def test_every_command_on_postgresql(desk: Service, tmp_path: Path) -> None:
    """Mail is routed, then each command is called, and what it says is so."""
    config = desk.config
    bundles = Bundles(config.service.bundle, desk.journal, config.releases)
    shadow = Shadow(desk.journal, bundles, loop_key(config.service))
    for raw in (mail(1), mail(2, Auto_Submitted="auto-replied"), mail(3, body="word " * 9000)):
        desk.mailbox.deliver(raw)
    with desk.mailbox.client() as client:
        client.create_folder("Archive")
        client.append("Archive", mail(4, subject="Old", body="old"))
    desk.once()
    assert len(desk.sink.mails) == 1
    who_calls_and_is_told(desk)
    what_was_decided(desk, shadow)
    by_hand(desk, tmp_path / "answer")
    desk.once()
    assert len(desk.sink.mails) == 3  # the acknowledgement of what had been set aside, and the answer
    assert told(desk, "retention", "--dry-run") == {"bodies": 0}
    assert set(told(desk, "retention").values()) == {0}
    out = tmp_path / "feedback.jsonl"
    desk.call("export-feedback", "--out", str(out))
    what = [json.loads(line)["what"] for line in out.read_text().splitlines()]
    assert (what[0], what.count("message"), "answer" in what) == ("head", 4, True)
    assert told(desk, "reconcile")[0]["good"] is True
    assert told(desk, "status")["mailboxes"][0]["name"] == "desk"
    assert told(desk, "health", good=3)["ready"] is False  # nobody serves just now


def test_the_probe_on_postgresql(desk: Service) -> None:
    """The probe mail is moved under the turn of the moving router, which is a lock of the database here."""

    def carry() -> None:
        (taken,) = desk.sink.wait_for(1, 60)
        desk.mailbox.deliver(taken.raw)

    carrier = threading.Thread(target=carry)
    carrier.start()
    named = {one["name"]: one for one in told(desk, "doctor", "--probe-to", "desk@acme.example", good=None)}
    carrier.join(60)
    assert named["probe: arrived"]["state"] == "ok"
    assert named["probe: moved"]["found"] == "to Automated/Probe"
