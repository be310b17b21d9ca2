"""Ctrl-C at any moment: one line, exit code 130, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOLD = "mailml: interrupted; what was finished is kept\n"
# Ctrl-C comes the moment a module is looked for: while the commands are put together, or in the midst of one.
CODE = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from mailml.cli import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "mailml.cli.commands", "mailml.archive", "mailml.lab.frame"])
def test_an_interrupt_is_one_line(module: str, tmp_path: Path) -> None:
    """Whenever it comes, it ends in one sentence; nothing is written."""
    words = ["train", "--archive", tmp_path, "--labels", tmp_path / "l.jsonl", "--out", tmp_path / "model"]
    command = [sys.executable, "-c", CODE.format(module=module), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", TOLD)
    assert list(tmp_path.iterdir()) == []
