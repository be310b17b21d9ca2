"""A private Postfix on loopback that hands mail for example.test to a Dovecot's LMTP. Needs root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from tests.servers import child
from tests.servers.missing import ServerMissing, free_port, program

MASTER = Path("/usr/share/postfix/master.cf.dist")


class Postfix:
    """The server; a context manager. `lmtp_port` is where it delivers."""

    def __init__(self, lmtp_port: int) -> None:
        self.program = program("postfix", package="postfix")
        if os.getuid() != 0:
            raise ServerMissing("needs root: Postfix's master process refuses to start otherwise")
        if not MASTER.exists():
            raise ServerMissing(f"needs {MASTER} (Debian package postfix)")
        self.lmtp_port, self.port = lmtp_port, free_port()

    def __enter__(self) -> Postfix:
        self.base = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
        self.base.chmod(0o755)
        for name in ("etc", "spool", "data"):
            (self.base / name).mkdir()
        shutil.chown(self.base / "data", "postfix")
        (self.base / "etc" / "main.cf").write_text(self._main())
        (self.base / "etc" / "master.cf").write_text(self._master())
        self._postfix("start")
        child.wait_until(lambda: child.greets(self.port, b"220"), 20, "Postfix", self.base / "postfix.log")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._postfix("stop", check=False)
        shutil.rmtree(self.base, ignore_errors=True)

    def _postfix(self, verb: str, *, check: bool = True) -> None:
        command = [self.program, "-c", str(self.base / "etc"), verb]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or not check, done.stdout + done.stderr + self.log_text()

    def log_text(self) -> str:
        """The server's log so far."""
        log = self.base / "postfix.log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def _main(self) -> str:
        return f"""
compatibility_level = 3.6
queue_directory = {self.base}/spool
data_directory = {self.base}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.test
mydestination =
local_recipient_maps =
local_transport = error:none
alias_maps =
alias_database =
virtual_mailbox_domains = example.test
virtual_transport = lmtp:inet:127.0.0.1:{self.lmtp_port}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relay_domains =
default_transport = error:loopback only
smtpd_recipient_restrictions = permit_mynetworks, reject
maillog_file = {self.base}/postfix.log
maillog_file_prefixes = {self.base}
message_size_limit = 80000000
mailbox_size_limit = 0
queue_run_delay = 5s
minimal_backoff_time = 5s
"""

    def _master(self) -> str:
        # Our own smtpd instead of port 25, and no service in a chroot (column 5): the spool is nearly empty.
        lines = [line for line in MASTER.read_text().splitlines() if not re.match(r"smtp\s+inet", line)]
        service = re.compile(r"^(\S+\s+(?:unix|inet|fifo)\s+[-yn]\s+[-yn]\s+)[-y](\s)")
        lines = [service.sub(r"\1n\2", line) for line in lines]
        own = f"127.0.0.1:{self.port} inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\n"
        return "\n".join(lines) + "\n" + own
