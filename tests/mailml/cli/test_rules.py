"""`mailml lint`: with and without an archive, a bundle and a desk; exit codes as in a pipeline."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mailml import cli
from mailml.archive import Archive
from mailml.bundle import desk as desks
from mailml.bundle import write
from mailml.errors import FlowError
from mailml.flow import source
from mailml.lab.sample_archive import sample_archive
from tests.mailml.lab.conftest import DESK, WORDS

HEAD = 'default = "General Support"\n'
NEVER = '[[rule]]\nname = "old"\nwhen = { subject = "no such subject" }\nthen = { queue = "Billing" }\n'
CATEGORY = '[[rule]]\nname = "asks"\nwhen = { category = "billing" }\nthen = { queue = "Billing" }\n'
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The sample mailbox, small."""
    return sample_archive(tmp_path_factory.mktemp("archive") / "a", messages=120)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command on a flow of this text."""
    path = tmp_path / "flow.toml"

    def command(text: str, *options: object) -> Result:
        path.write_text(HEAD + text, encoding="utf-8")
        return CliRunner().invoke(cli.app, ["lint", str(path), *map(str, options)])

    return command


def test_the_archive_adds_what_the_rules_alone_do_not_show(run: Run, archive: Archive) -> None:
    """A rule that never fires is found with --archive only, and fails a strict check."""
    assert "0 findings" in run(NEVER, "--strict").output
    done = run(NEVER, "--archive", archive.path, "--strict")
    assert done.exit_code == 3
    assert 'unused  rule "old": no message fits it' in done.output
    assert "incoming messages reach the flow" in done.output
    assert "1 rules, 1 finding\n" in done.output
    assert run(NEVER, "--archive", archive.path).exit_code == 0


def test_notes_do_not_fail_a_strict_check(run: Run, archive: Archive) -> None:
    """Without a bundle nobody answers for the classifier, which is a note."""
    done = run(CATEGORY, "--archive", archive.path, "--strict")
    assert done.exit_code == 0, done.output
    assert 'untried  note: rule "asks"' in done.output


def test_a_bundle_lends_its_desk(run: Run, archive: Archive, tmp_path: Path) -> None:
    """What the bundle's desk has not is a fault; --desk stands before it."""
    path, when = tmp_path / "b", datetime(2026, 11, 1, tzinfo=UTC)
    write(path, flow=source.loads(HEAD + WORDS), desk=desks.from_mapping(DESK), created=when)
    done = run(WORDS, "--archive", archive.path, "--bundle", path)
    assert done.exit_code == 0, done.output
    assert "2 rules" in done.output
    refused = run(CATEGORY.replace("billing", "biling"), "--bundle", path)
    assert isinstance(refused.exception, FlowError)
    assert "Did you mean" in str(refused.exception)
    desk = tmp_path / "desk.toml"
    desk.write_text(
        desks.from_mapping({**DESK, "classifier": {"categories": ["biling", "x"], "fallback": "x"}}).source
    )
    assert "rules, " in run(CATEGORY.replace("billing", "biling"), "--bundle", path, "--desk", desk).output


def test_a_template_of_another_desk_is_a_fault(run: Run, tmp_path: Path) -> None:
    """With a desk every template, category and promise that it has not is told at once."""
    desk = tmp_path / "desk.toml"
    desk.write_text(desks.from_mapping(DESK).source, encoding="utf-8")
    rule = '[[rule]]\nname = "a"\nwhen = {}\nthen = { queue = "Billing", ack = "vip", sla = "99 weeks" }\n'
    assert run(rule).exit_code == 0
    told = str(run(rule, "--desk", desk).exception)
    assert "'vip' is no template of the desk" in told
    assert "99 weeks" in told


def test_without_the_workbench_it_says_what_to_install(
    run: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a base install --archive is refused in the sentence that every command of the workbench gives."""
    found = builtins.__import__

    def bare(name: str, given: Mapping[str, Any] | None = None, *rest: Any) -> Any:
        if name.split(".")[0] in ("polars", "pandas"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found(name, given, *rest)

    flow = archive.path.parent / "flow.toml"
    flow.write_text(HEAD + NEVER, encoding="utf-8")
    arguments: Sequence[str] = ["mailml", "lint", str(flow), "--archive", str(archive.path)]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setattr(builtins, "__import__", bare)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert 'pip install "mailml[lab]"' in capsys.readouterr().err
