"""What `mailml-serve --help` tells at a glance."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from serve.__main__ import app

GROUPS = ["", "bundle", "decisions", "filed", "quarantine", "breaker", "keys", "webhooks"]


@pytest.mark.parametrize("group", GROUPS)
def test_no_summary_is_cut(group: str) -> None:
    """On a terminal of 80 columns every command is told in a whole sentence."""
    said = CliRunner().invoke(app, [*group.split(), "--help"], terminal_width=80)
    commands = [line for line in said.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert said.exit_code == 0
    assert commands
    assert [line for line in commands if line.endswith("...") or not line.endswith(".")] == []
