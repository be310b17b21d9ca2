"""The demo's steps: real commands, a clear end when one fails, settings that the real programs accept."""

from __future__ import annotations

import io
import stat
import tomllib
from pathlib import Path

import pytest
from rich.console import Console

from mailml.bundle import desk
from mailml.demo import settings
from mailml.demo.running import Running
from mailml.demo.steps import Shell, StepError, argv
from mailml.demo.story import HISTORY, REPORTS
from mailml.errors import InputError
from mailml.flow import source
from mailml.transport.account import load

SERVER = Running("127.0.0.1", 1143, 1025, "support@acme.example", "world", "demo")


def shell(folder: Path) -> tuple[Shell, io.StringIO]:
    """A shell and what it prints."""
    out = io.StringIO()
    return Shell(folder, Console(file=out, width=200)), out


def test_settings_are_accepted(tmp_path: Path) -> None:
    """The files that the demo writes are read by the rooms that they are for, without a fault."""
    output = tmp_path / "out"
    settings.prepare(output)
    settings.write(output, SERVER)
    account = load(output / "mailml.toml")["desk"]
    assert (account.host, account.port, account.security) == ("127.0.0.1", 1143, "none")
    loaded = desk.load(output / "desk.toml")
    assert loaded.identity.primary == "support@acme.example"
    assert loaded.sla_target.text == "4 business hours"
    assert source.load(output / "flow.toml").default == "General Support"
    assert stat.S_IMODE((output / "password").stat().st_mode) == 0o600


def test_serve_toml_is_accepted(tmp_path: Path) -> None:
    """serve.toml is one that the service's own configuration reads."""
    from serve.config import load as load_service

    settings.prepare(tmp_path / "out")
    settings.write(tmp_path / "out", SERVER)
    config = load_service(tmp_path / "out" / "serve.toml", {})
    assert config.smtp.account.port == 1025
    assert [mailbox.name for mailbox in config.mailboxes] == ["desk"]
    assert tomllib.loads((tmp_path / "out" / "serve.toml").read_text("utf-8"))["smtp"]["security"] == "none"


def test_only_a_folder_of_ours_is_emptied(tmp_path: Path) -> None:
    """A folder with other people's files is refused and kept; one of an earlier demo is emptied."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="no demo has written"):
        settings.prepare(foreign)
    assert (foreign / "thesis.txt").read_text() == "years of work"
    ours = tmp_path / "ours"
    settings.prepare(ours)
    (ours / "archive").mkdir()
    settings.prepare(ours)
    assert not (ours / "archive").exists()


def test_commands_are_the_real_ones() -> None:
    """Every step is `mailml …` or `python -m serve …`, run by this very interpreter; nothing else is."""
    for command in [step[0] for step in (*HISTORY, *REPORTS)]:
        assert command.startswith("mailml ")
        assert "mailml.cli" in argv(command)[2]
    assert argv("python -m serve status --json")[1:] == ["-m", "serve", "status", "--json"]


def test_a_good_step_shows_its_output(tmp_path: Path) -> None:
    """A step prints what it runs and what it said, and gives its whole output back."""
    runner, out = shell(tmp_path)
    said = runner.step("mailml --version", "The version")
    assert said.startswith("mailml ")
    assert "$ mailml --version" in out.getvalue()
    assert said.strip() in out.getvalue()


def test_a_failing_step_is_the_end(tmp_path: Path) -> None:
    """A step that fails shows all it said and ends in one sentence with its exit code."""
    runner, out = shell(tmp_path)
    with pytest.raises(StepError, match=r"`mailml status --archive nowhere` \(exit code 1\)"):
        runner.step("mailml status --archive nowhere", "Fails")
    assert "nowhere" in out.getvalue().split("$ mailml status --archive nowhere", 1)[1]


def test_a_service_ends_with_its_block(tmp_path: Path) -> None:
    """A background command is ended with its `with` block, and its output is in the file."""
    runner, _ = shell(tmp_path)
    with runner.service("python -m serve run --config missing.toml", tmp_path / "log") as process:
        process.wait(timeout=60)
    assert process.returncode == 78
    assert "missing.toml" in (tmp_path / "log").read_text("utf-8")
