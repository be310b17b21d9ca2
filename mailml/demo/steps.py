"""The real commands, run as a person would: each a process, its output shown, its failure final."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from mailml.errors import MailmlError

MAILML = "mailml"
SERVE = "python -m serve"


class StepError(MailmlError):
    """A command of the demo that did not end well."""


def argv(command: str) -> list[str]:
    """The process that a command line of the demo stands for, in this very environment."""
    words = command.split()
    if command.startswith(SERVE):
        return [sys.executable, "-m", "serve", *words[3:]]
    return [sys.executable, "-c", "from mailml.cli import main; main()", *words[1:]]


class Shell:
    """Runs commands in the demo's folder and tells what they do."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder, self.console = folder, console
        self.seconds: dict[str, float] = {}

    def step(self, command: str, why: str, *, lines: int = 12) -> str:
        """Run one command; shows its last `lines` of output and gives back all of it. Raises StepError."""
        self.console.print(f"\n[bold]{why}[/bold]\n[cyan]$ {command}[/cyan]", highlight=False, soft_wrap=True)
        before = time.monotonic()
        done = self.quietly(command)
        self.seconds[command] = time.monotonic() - before
        said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
        if done.returncode:
            self.console.print(said, markup=False, highlight=False)
            where = f"`{command}` (exit code {done.returncode})"
            raise StepError(
                "the step did not succeed, its output is above", where=where, cure=f"See {self.folder}"
            )
        shown = [line for line in said.splitlines() if line.strip()][-lines:]
        told = Text("\n".join([*shown, f"({self.seconds[command]:.1f} s)"]), style="dim")
        self.console.print(Padding(told, (0, 0, 0, 2), expand=False), highlight=False)
        return said

    def quietly(self, command: str) -> subprocess.CompletedProcess[bytes]:
        """Run one command without a word."""
        return subprocess.run(argv(command), cwd=self.folder, capture_output=True, env=_environment())  # noqa: S603

    @contextmanager
    def service(self, command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command in the background for the time of a `with` block, its output in a file."""
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603
                argv(command), cwd=self.folder, stdout=out, stderr=subprocess.STDOUT, env=_environment()
            )
            try:
                yield process
            finally:
                process.terminate()
                _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for a graceful end; a service that hangs is killed, and the demo goes on to say what it saw."""
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Ours, with UTF-8 output and one thread per linear algebra call: two cores gain nothing from more."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAILML_SERVE_")}
    return ours | {"PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
