"""What `--help` tells at a glance."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mailml.cli import app


@pytest.mark.parametrize("group", [(), ("bundle",), ("labels",)])
def test_no_summary_is_cut(group: tuple[str, ...]) -> None:
    """On a terminal of 80 columns every command is told in a whole sentence."""
    said = CliRunner().invoke(app, [*group, "--help"], terminal_width=80)
    commands = said.stdout.partition("Commands:")[2].splitlines()
    assert said.exit_code == 0
    assert len([line for line in commands if line.strip()]) >= 2
    assert not [line for line in commands if line.endswith("...")]
    assert all(line.endswith(".") for line in commands if line.strip())
