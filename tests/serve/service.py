"""A service under test: serve.toml, a bundle and a journal in a folder, and the real commands run on them."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mailml.bundle import Bundle, desk, write
from mailml.flow import ready, source
from serve.__main__ import main
from serve.config import Config, load
from serve.journal import Journal
from tests.conftest import ROOT
from tests.servers.dovecot import User
from tests.servers.smtp_sink import SmtpSink

US = "support@acme.example"
CREATED = datetime(2026, 3, 1, tzinfo=UTC)


def bundle(folder: Path, flow: str = "", **settings: Any) -> Bundle:
    """A bundle of rules without a classifier for support@acme.example, made once per folder."""
    rules = source.loads(flow) if flow else ready.load("default")
    if (folder / "manifest.json").exists():
        return Bundle.load(folder, verify=False)
    who = {"name": "Acme Support", "addresses": [US], "domains": ["acme.example"]}
    table = {"identity": who, "sla": {"target": "4 business hours"}, **settings}
    return write(folder, flow=rules, desk=desk.from_mapping(table), created=CREATED)


def mail(
    number: int | str,
    *,
    subject: str = "My printer is on fire",
    sender: str = "",
    body: str = "",
    **headers: str,
) -> bytes:
    """One customer's mail with CRLF; `headers` are added (In_Reply_To is In-Reply-To), "" leaves one out."""
    fields = {
        "From": sender or f"Customer {number} <c{number}@customer{number}.example>",
        "To": US,
        "Subject": f"{subject} {number}",
        "Message-ID": f"<m{number}@customer.example>",
        "Date": "Mon, 02 Mar 2026 10:00:00 +0000",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return (head + "\r\n" + (body or f"Please help me with number {number}.") + "\r\n").encode()


@dataclass(frozen=True)
class Called:
    """How a command ended and what it said."""

    code: int
    stdout: str
    stderr: str
    raw: bytes = b""


def call_main(arguments: list[str]) -> int:
    """The console script in this process; its exit code."""
    try:
        with patch.object(sys, "argv", ["mailml-serve", *arguments]):
            main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


class Service:
    """The service on one Dovecot mailbox and one SMTP sink."""

    def __init__(self, folder: Path, mailbox: User, sink: SmtpSink, **serve: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.mailbox, self.sink = folder, mailbox, sink
        self.toml, self.bundle_path = folder / "serve.toml", folder / "bundle"
        self.serve = {"journal": "journal.sqlite", "bundle": "bundle", "poll_seconds": 1, **serve}
        self.imap: dict[str, Any] = mailbox.mapping("none")
        self.smtp: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": sink.port,
            "security": "none",
            "auth": "none",
        }
        self.smtp |= {"from": US, "timeout": 10}
        self.limits: dict[str, Any] = {}
        self.more_mailboxes: list[dict[str, Any]] = []
        self.more = ""  # further tables, as text
        self._process: subprocess.Popen[bytes] | None = None

    def write(self) -> Path:
        """Write serve.toml and, once, the bundle."""
        if not (self.bundle_path / "manifest.json").exists():
            bundle(self.bundle_path)
        tables: dict[str, Mapping[str, Any]] = {"serve": self.serve, "limits": self.limits, "smtp": self.smtp}
        lines = [line for name, table in tables.items() for line in (f"[{name}]", *_toml(table))]
        for box in ({"name": "desk", **self.imap}, *self.more_mailboxes):
            lines += ["[[mailbox]]", *_toml(box)]
        self.toml.write_text("\n".join(lines) + "\n" + self.more)
        return self.toml

    @property
    def config(self) -> Config:
        """The configuration as the service reads it."""
        return load(self.write(), {})

    @cached_property
    def journal(self) -> Journal:
        """The journal, opened by the test itself."""
        return Journal.open(self.config.service.journal, self.config.service.database)

    def command(self, *arguments: str) -> list[str]:
        """A command line of mailml-serve on this configuration."""
        return [sys.executable, "-m", "serve", *arguments, "--config", str(self.toml)]

    def call(self, *arguments: str, good: int | None = 0) -> Called:
        """Run a command to its end, in this process; `good` is the exit code asked for."""
        self.write()
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = call_main([*arguments, "--config", str(self.toml)])
        raw = out.buffer.getvalue()  # type: ignore[attr-defined]
        called = Called(code, raw.decode("utf-8", "replace"), err.getvalue(), raw)
        assert good is None or code == good, f"{arguments}: {code}\n{called.stdout}\n{called.stderr[-3000:]}"
        return called

    def once(self, good: int | None = 0) -> None:
        """Process what is there now."""
        self.call("run", "--once", good=good)

    def start(self) -> None:
        """Start the service and come back when it serves."""
        self.write()
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(self.command("run"), cwd=ROOT, stdout=log, stderr=log)
        self.wait(lambda: '"serving"' in self.log().rpartition('"starting"')[2], "the service to start")

    def log(self) -> str:
        """What the service has logged so far."""
        path = self.folder / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def send(self, how: signal.Signals) -> None:
        """Send the running service a signal that does not end it."""
        assert self._process is not None
        self._process.send_signal(how)

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 30) -> int:
        """End the running service and return its exit code."""
        assert self._process is not None
        self._process.send_signal(how)
        code = self._process.wait(timeout)
        self._process = None
        return code

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def decisions(self, *options: str) -> list[dict[str, Any]]:
        """What `mailml-serve decisions --jsonl` says."""
        out = self.call("decisions", "--jsonl", *options).stdout
        return [json.loads(line) for line in out.splitlines()]

    def wait(self, come: Callable[[], object], what: str, seconds: float = 20) -> None:
        """Until it is so, asking ever more seldom; AssertionError with the log when it does not come."""
        end, pause = time.monotonic() + seconds, 0.02
        while not come():
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(f"the service ended: {self.log()[-3000:]}")
            assert time.monotonic() < end, f"no {what} within {seconds:g} s: {self.log()[-3000:]}"
            time.sleep(pause)  # asking may mean a login: the service needs the machine more than we do
            pause = min(pause * 1.2, 0.3)

    def folders(self) -> dict[str, int]:
        """How many messages lie in each folder that holds any."""
        with self.mailbox.client() as client:
            names = [name for flags, _, name in client.list_folders() if b"\\Noselect" not in flags]
            counts = {name: int(client.folder_status(name, ["MESSAGES"])[b"MESSAGES"]) for name in names}
        return {name: count for name, count in counts.items() if count}


def _toml(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
