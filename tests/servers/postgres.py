"""A PostgreSQL server of the tests' own, on a socket and a loopback port, as another user when we are root.

with Postgres() as server:
    url = server.database()        # a fresh database each time
    server.restart()
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.missing import ServerMissing, free_port

_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 100
shared_buffers = 32MB
"""


class Postgres:
    """The server; a context manager. Raises ServerMissing where it cannot be started."""

    def __init__(self) -> None:
        self.bin = _programs()
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.port = free_port()

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="mailml-pg-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, self.user)
        # without fsync of the cluster's own files: what is tested is us, not the server's disk
        self._run(
            "initdb", "-D", "data", "-A", "trust", "-U", self.user, "-N", "--locale=C.UTF-8", "-E", "UTF8"
        )
        settings = _SETTINGS.format(port=self.port, folder=self.folder)
        with (self.folder / "data" / "postgresql.conf").open("a") as out:
            out.write(settings)
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "30", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: "fast" ends its sessions, "immediate" is a crash."""
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def restart(self) -> None:
        """Stop and start: every session is gone."""
        self.stop()
        self.start()

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name}", "postgres")
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str) -> str:
        """Run a statement and return what psql prints."""
        where = ("-h", str(self.folder), "-p", str(self.port), "-U", self.user, "-d", database)
        return self._run("psql", *where, "-v", "ON_ERROR_STOP=1", "-At", "-c", statement)

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self.bin / program), *arguments]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *command]
        # pg_ctl's child keeps the output open: it goes to the log, not to a pipe we would wait for
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(command, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT, check=False)
            out.seek(0)
            said = out.read()
        assert done.returncode == 0, f"{program}: {said[-2000:]}"
        return said.strip()


def _programs() -> Path:
    """The newest installed server's folder of programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    raise ServerMissing("needs PostgreSQL (Debian package postgresql; see tests/install-system-packages.sh)")
