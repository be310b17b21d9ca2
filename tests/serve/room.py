"""A worker on a journal of its own with a clock that the test moves: no server, a day in a second."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mailml.message import parse
from serve.bells import Bells
from serve.bundles import Bundles
from serve.clock import Timekeeper
from serve.config import Config, loads
from serve.instants import to_ms
from serve.journal import Journal, decisions, incoming, outbox
from serve.journal.outbox import Send
from serve.worker import Worker
from tests.serve.service import CREATED, US, bundle

KEY = b"a loop key of thirty-two letters"
TOML = f"""
[serve]
journal = "journal.sqlite"
bundle = "bundle"
[smtp]
host = "127.0.0.1"
security = "none"
auth = "none"
from = "{US}"
[[mailbox]]
name = "desk"
host = "127.0.0.1"
security = "none"
user = "support"
password = "x"
"""


class Room:
    """Puts mail into the journal as the watcher does, lets the worker decide, looks at what was written."""

    def __init__(self, folder: Path, flow: str = "", limits: str = "", **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        bundle(folder / "bundle", flow, **settings)
        self.now = to_ms(CREATED)
        self.config: Config = loads(TOML + limits, path=folder / "serve.toml", environment={})
        self.journal = Journal.open(folder / "journal.sqlite")
        self.bundles = Bundles(self.config.service.bundle, self.journal, clock=self.clock)
        self.bells = Bells()
        self.worker = Worker(
            self.journal, self.config, self.bundles, KEY, decided=lambda _: None, clock=self.clock
        )
        self.timekeeper = Timekeeper(self.journal, self.config, clock=self.clock)
        with self.journal.write() as tx:
            self.mailbox = incoming.mailbox_id(tx, "desk", "INBOX")
        self.uid = 0

    def clock(self) -> int:
        """The moment the test has set."""
        return self.now

    def store(self, *raws: bytes, received_at: int | None = None, uidvalidity: int = 1) -> list[int]:
        """Store mails as new; returns their numbers."""
        mails = []
        for raw in raws:
            self.uid += 1
            mails.append(stored(self.uid, raw, self.now if received_at is None else received_at))
        with self.journal.write() as tx:
            return incoming.store(tx, self.mailbox, uidvalidity, mails, self.now)

    def decide(self, *raws: bytes, **stored: Any) -> list[dict[str, Any]]:
        """Store mails, decide everything that waits, and return all messages with their outcomes."""
        self.store(*raws, **stored)
        while self.worker.batch():
            pass
        return self.all()

    def all(self) -> list[dict[str, Any]]:
        """Every message with its outcome."""
        with self.journal.read() as tx:
            return list(decisions.every(tx))

    def mails(self) -> list[Send]:
        """What waits to be sent, and is then taken as sent."""
        taken = []
        with self.journal.write() as tx:
            while (mail := next(iter(outbox.next_sends(tx, self.now)), None)) is not None:
                assert outbox.sending(tx, mail.id)
                outbox.settle(tx, mail.id, "sent", self.now)
                taken.append(mail)
        return taken


def stored(uid: int, raw: bytes, received_at: int, truncated: bool = False) -> incoming.Mail:
    """A mail as the watcher hands it to the journal."""
    digest = hashlib.sha256(raw).hexdigest()
    return incoming.Mail(uid, parse(raw).message_id, digest, len(raw), received_at, raw, truncated)
