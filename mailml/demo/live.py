"""The live part of the demo: the service runs, mails arrive, and the terminal shows where each goes."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from rich.live import Live

from mailml.demo.board import Board, Line
from mailml.demo.running import Running
from mailml.demo.steps import Shell, StepError
from mailml.lab.sample import LiveMail, live_mails
from mailml.lab.sample.automated.written import Answer
from mailml.lab.sample.live import machine_mail
from mailml.message import Message, parse

RUN = "python -m serve run --config serve.toml"
STATUS = "python -m serve status --config serve.toml --json"
DECISIONS = "python -m serve decisions --config serve.toml --jsonl"
_READY, _SETTLED = 60.0, 120.0  # seconds until the service must be up, and until all is routed
_PAUSE, _PERIOD = 0.08, 1.0  # seconds between two mails, and between two looks at what became of them
_AWAY = (
    "exchange out-of-office",
    "gmail vacation",
    "sieve vacation",
    "groupwise vacation",
    "notes out-of-office",
)


def wait_until_ready(shell: Shell, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the service has looked at its mailbox once; raises StepError with the end of its log."""
    until = time.monotonic() + _READY
    while time.monotonic() < until and process.poll() is None:
        told = shell.quietly(STATUS)
        if told.returncode == 0:
            boxes = json.loads(told.stdout)["mailboxes"]
            if boxes and all(box["fresh_seconds_ago"] is not None for box in boxes):
                return
        time.sleep(0.2)
    said = log.read_text("utf-8", "replace")[-1500:]
    raise StepError(f"the service did not come up: {said}", where=f"`{RUN}`", cure=f"See {log}")


def decisions(shell: Shell, command: str = DECISIONS) -> list[Line]:
    """What the service says of every message, from its own command."""
    told = shell.quietly(command)
    if told.returncode not in (0, 3):
        raise StepError(told.stderr.decode("utf-8", "replace"), where=f"`{command}`")
    return [json.loads(line) for line in told.stdout.splitlines()]


def send_and_watch(
    shell: Shell, server: Running, board: Board, mails: Iterable[LiveMail], title: str
) -> None:
    """Send mails by SMTP and show each with its outcome as it comes; raises StepError if one has none."""
    first = len(board.mails)
    # rich shows the last rows of a table that is too tall, and the whole of it at the end
    with Live(console=shell.console, refresh_per_second=8) as shown:
        width = shell.console.width
        watch = Watch(
            shell, lambda rows=None: shown.update(board.table(title, first, rows, width=width)), board
        )
        for mail in mails:
            board.mails.append(mail)
            server.send(mail.mail_from, mail.recipient, mail.raw)
            time.sleep(_PAUSE)
        watch.finish()
    shell.console.print()
    if not board.settled():
        raise StepError(f"not every mail had its outcome after {_SETTLED:.0f} s", where=f"`{RUN}`")


class Watch:
    """Asks the service for its decisions in the background, and shows them, until all mails have settled."""

    def __init__(self, shell: Shell, show: Callable[..., None], board: Board) -> None:
        self.shell, self.show, self.board = shell, show, board
        self.failure: StepError | None = None
        self._sent = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """All is sent: wait until all has settled, and raise what went wrong."""
        self._sent.set()
        self._thread.join()
        if self.failure:
            raise self.failure
        self.show()

    def _ask(self) -> None:
        until = time.monotonic() + _SETTLED
        try:
            while not (self._sent.is_set() and self.board.settled()) and time.monotonic() < until:
                self.board.update(decisions(self.shell))
                self.show(max(5, self.shell.console.height - 6))
                # asking starts a process: not all the time, the service needs the machine too
                time.sleep(_PERIOD)
        except StepError as error:
            self.failure = error


def people() -> tuple[LiveMail, ...]:
    """The first wave, dated now."""
    return live_mails(7, datetime.now(UTC))


def away(left: list[bytes], count: int = 10) -> list[LiveMail]:
    """The second wave: customers whose out-of-office answers our acknowledgement, as several products do."""
    rng, now = Random("away"), datetime.now(UTC)
    found = []
    for number, ack in enumerate(map(parse, left[:count])):
        mail = machine_mail(_AWAY[number % len(_AWAY)], rng, now, _about(ack))
        found.append(mail)
    return found


def _about(ack: Message) -> Answer:
    to = ack.to[0]
    return Answer(to.name, to.addr, ack.subject, ack.message_id, "en")
