"""A private Dovecot 2.3: IMAP with and without TLS, LMTP, SPECIAL-USE folders, optionally tokens.

with Dovecot() as server:
    user = server.user()
    user.deliver(b"Subject: hello\\r\\n\\r\\nworld\\r\\n")
    session = mailml.transport.imap.connect(user.account())
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import secrets
import shutil
import signal
import smtplib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from imapclient import IMAPClient

from mailml.transport.account import Account
from tests.servers import child, tls
from tests.servers.dovecot_config import Settings, configuration, oauth2_configuration
from tests.servers.missing import ServerMissing, free_port, program

# One password for every mailbox: a file of users is noticed late when it changes twice within a second.
PASSWORD = "geheim&secret"


@dataclass(frozen=True)
class User:
    """A mailbox on a private Dovecot."""

    server: Dovecot
    name: str

    @property
    def password(self) -> str:
        """What logs it in."""
        return self.server.password

    def mapping(self, security: str = "tls", port: int | None = None) -> dict[str, object]:
        """The account as a table of mailml.toml or serve.toml."""
        server = self.server
        table: dict[str, object] = {
            "host": "localhost",
            "port": port or (server.imaps_port if security == "tls" else server.imap_port),
            "security": security,
            "user": self.name,
            "password": self.password,
            "timeout": 30,
        }
        if security != "none":
            table["ca_file"] = str(server.certificates.ca)
        return table

    def account(self, security: str = "tls", port: int | None = None, name: str = "desk") -> Account:
        """The account as mailml knows it; `port` leads through a proxy."""
        return Account.from_mapping(self.mapping(security, port), name=name)

    def client(self) -> IMAPClient:
        """A plain imapclient, logged in: the test's own hand on the mailbox."""
        client = IMAPClient("127.0.0.1", self.server.imap_port, ssl=False, timeout=30)
        client._imap.debug = 0
        client.login(self.name, self.password)
        return client

    def deliver(self, raw: bytes, mail_from: str = "customer@example.org") -> None:
        """Delivers one message through LMTP, as a mail server would."""
        with smtplib.LMTP("127.0.0.1", self.server.lmtp_port) as lmtp:
            lmtp.sendmail(mail_from, [self.name], raw)

    def maildir(self, folder: str = "INBOX") -> Path:
        """Where the messages of a folder lie on disk."""
        root = self.server.base / "home" / self.name / "Maildir"
        return root if folder == "INBOX" else root / ("." + folder.replace("/", "."))


class Dovecot:
    """The server; a context manager. `settings` go into its configuration."""

    password = PASSWORD

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        token_url: str = "",
        token_ca: Path | None = None,
        token_mechanisms: str = "xoauth2 oauthbearer",
    ) -> None:
        self.program = program("dovecot", package="dovecot-imapd")
        self.doveadm_program = program("doveadm", package="dovecot-core")
        version = subprocess.run(
            [self.program, "--version"], capture_output=True, text=True, check=True
        ).stdout
        if not version.startswith("2.3"):
            raise ServerMissing(
                f"needs Dovecot 2.3, found {version.split()[0]} (2.4's configuration differs)"
            )
        self.settings = settings or Settings()
        self.token_url, self.token_ca, self.token_mechanisms = token_url, token_ca, token_mechanisms
        self.imap_port, self.imaps_port, self.lmtp_port = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Dovecot:
        # A short path: the names of Unix sockets end at 108 characters.
        self.base = Path(tempfile.mkdtemp(prefix="dc-", dir="/tmp"))
        self.base.chmod(0o755)
        self.log = self.base / "dovecot.log"
        self.certificates = tls.make(self.base / "tls")
        self.owner = _mail_user()
        for name in ("home", "state"):
            (self.base / name).mkdir()
        if os.getuid() == 0:
            shutil.chown(self.base / "home", self.owner.pw_name, self.owner.pw_gid)
        trust = self.base / "token-ca.pem"
        if self.token_ca is not None:
            # A copy that Dovecot's own user may read: pytest's folders are closed to everybody else.
            shutil.copyfile(self.token_ca, trust)
        (self.base / "oauth2.conf").write_text(
            oauth2_configuration(self.token_url, trust if self.token_ca else None)
        )
        group = grp.getgrgid(self.owner.pw_gid).gr_name
        (self.base / "dovecot.conf").write_text(configuration(self, group))
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self) -> None:
        """Starts it and waits for the greeting on both ports."""
        # A fresh run directory each time: a stale socket costs five seconds.
        shutil.rmtree(self.base / "run", ignore_errors=True)
        self._process = child.start(
            [self.program, "-F", "-c", self.base / "dovecot.conf"], self.base / "out.log"
        )
        ready = self._process.poll
        child.wait_until(
            lambda: ready() is not None or child.greets(self.imap_port, b"* OK"), 20, "Dovecot", self.log
        )
        if ready() is not None:
            raise AssertionError((self.base / "out.log").read_text() + self.log_text()[-2000:])
        child.wait_until(lambda: child.greets(self.lmtp_port, b"220"), 20, "Dovecot's LMTP", self.log)

    def stop(self) -> None:
        """Stops it; the mailboxes stay until the context ends."""
        if self._process is not None:
            child.stop(self._process)
            self._process = None

    def crash(self) -> None:
        """Kills it with every process that serves a client; `start` brings it back."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def user(self, name: str = "") -> User:
        """A mailbox; a fresh one without a name. It exists from its first use on."""
        return User(self, name or f"u{secrets.token_hex(5)}@example.test")

    def doveadm(self, *arguments: str) -> str:
        """Runs doveadm on this server's configuration and returns what it printed."""
        command = [self.doveadm_program, "-c", str(self.base / "dovecot.conf"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def set_uidvalidity(self, user: User, folder: str) -> int:
        """Makes the folder's UIDVALIDITY another one, as a restored or recreated mailbox has."""
        with user.client() as client:
            old = int(client.folder_status(folder, ["UIDVALIDITY"])[b"UIDVALIDITY"])
        self.doveadm("mailbox", "update", "-u", user.name, "--uid-validity", str(old + 7), folder)
        return old + 7

    def log_text(self) -> str:
        """The server's log so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def logged(self, pattern: str) -> bool:
        """Whether a line of the log matches."""
        return re.search(pattern, self.log_text()) is not None


def _mail_user() -> pwd.struct_passwd:
    """Who owns the mail: ourselves, or `mail` where we are root (Dovecot refuses uid 0)."""
    me = pwd.getpwuid(os.getuid())
    if me.pw_uid != 0:
        return me
    for name in ("mail", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerMissing("needs a system user 'mail' or 'nobody' to own the mailboxes")
