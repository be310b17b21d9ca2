"""Start the embedded mail server as a process of its own and find it again by what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mailml.errors import ConnectError, MissingExtraError
from mailml.lab.sample import SampleMessage
from mailml.transport import smtp
from mailml.transport.account import Account
from mailml.transport.imap import ImapSession, connect


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens: its ports and logins."""

    host: str
    imap: int
    smtp: int
    user: str
    world: str
    password: str

    def desk(self) -> Account:
        """The desk's mailbox."""
        return self._imap("desk", self.user)

    def outside(self) -> Account:
        """The mailbox that holds everything that left the server."""
        return self._imap("world", self.world)

    def submission(self) -> Account:
        """Where mail is handed in."""
        told = {"host": self.host, "port": self.smtp, "security": "none", "auth": "none"}
        return Account.from_mapping(told, name="smtp", protocol="smtp")

    def send(self, mail_from: str, recipient: str, raw: bytes) -> None:
        """Hand one mail in over SMTP; `mail_from` "" is the null sender."""
        smtp.send(self.submission(), mail_from, [recipient], raw)

    def left(self) -> list[bytes]:
        """Every mail that has left the server so far, in order, with its envelope noted on top."""
        with connect(self.outside()) as session:
            session.examine("INBOX")
            return [fetched.raw or b"" for fetched in session.fetch_raw(session.uids())]

    def _imap(self, name: str, user: str) -> Account:
        told = {"host": self.host, "port": self.imap, "security": "none", "user": user}
        return Account.from_mapping(told | {"auth": "password", "password": self.password}, name=name)


@contextmanager
def running(*options: str, log: Path | None = None) -> Iterator[Running]:
    """A mail server for the time of a `with` block; `options` are those of `python -m mailml.demo.server`.

    Raises MissingExtraError without the extra `demo`, ConnectError when the server does not come up.
    """
    if not (find_spec("pymap") and find_spec("aiosmtpd")):
        raise MissingExtraError("the demo's mail server is not installed", cure='pip install "mailml[demo]"')
    command = [sys.executable, "-m", "mailml.demo.server", "--until-eof", *options]
    with log.open("wb") if log else open(_NULL, "wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)  # noqa: S603
        try:
            yield _announced(process, log)
        finally:
            stop(process)


_NULL = "/dev/null"


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Ask it to end, and end it where it is too busy to: it holds nothing that is wanted afterwards."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _announced(process: subprocess.Popen[bytes], log: Path | None) -> Running:
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        said = log.read_text("utf-8", "replace")[-500:] if log and log.exists() else ""
        raise ConnectError(f"the demo's mail server did not start: {said}", cure="Run it by hand to see why")
    return Running(**json.loads(line))


def fill(
    session: ImapSession, messages: Iterable[SampleMessage], told: Callable[[int], None] = lambda count: None
) -> int:
    """Put messages into their folders with IMAP APPEND and give back how many; `told` hears the count."""
    known = {folder.name for folder in session.folders()}
    count = 0
    for message in messages:
        if message.folder not in known:
            session.create_folder(message.folder)
            known.add(message.folder)
        session.append(message.folder, message.raw, message.flags, message.received)
        count += 1
        told(count)
    return count
