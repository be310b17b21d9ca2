"""The receiving SMTP server of the bench, in a process of its own so that its CPU is not ours.

    python -m tests.bench.sink folder port

It writes every mail down but does not wait for its disk: what is measured is the fsync of the service.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.conftest import ROOT
from tests.servers import child
from tests.servers.smtp_sink import Mail, SmtpSink


class _Quick(SmtpSink):
    def record(self, mail: Mail) -> None:
        """Keep a mail, without waiting for the disk."""
        entry = {"from": mail.mail_from, "to": list(mail.rcpt_to), "raw": mail.raw.decode("latin-1")}
        os.write(self._fd, json.dumps(entry).encode() + b"\n")


class Sink(SmtpSink):
    """A sink whose server is another process; a context manager."""

    def __enter__(self) -> Sink:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.bench.sink", str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, preexec_fn=child.die_with_parent)
        child.wait_until(lambda: child.greets(self.port, b"220"), 60, "the sink")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        child.stop(self.process)


def main(folder: str, port: str) -> None:
    """Take mail until killed."""
    with _Quick(Path(folder), port=int(port)):
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
