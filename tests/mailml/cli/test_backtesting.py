"""`mailml backtest` in a pipeline: verdict and report on disk, and an exit code that cannot be misread."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mailml.archive import Archive
from mailml.bundle import Bundle, write
from mailml.bundle import desk as desks
from mailml.cli import app
from mailml.errors import MailmlError
from mailml.flow import source
from mailml.lab.labels import Label, Labels
from mailml.lab.sample_archive import sample_archive
from mailml.lab.truth import answered
from tests.mailml.lab.conftest import DESK
from tests.mailml.lab.conftest import WORDS as RULES

WORDS = 'default = "General Support"\n' + RULES
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample mailbox, small."""
    return sample_archive(tmp_path_factory.mktemp("archive") / "a", messages=200).path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with rules by words."""
    path = tmp_path_factory.mktemp("bundle") / "b"
    made = datetime(2026, 11, 1, tzinfo=UTC)
    return write(path, flow=source.loads(WORDS), desk=desks.from_mapping(DESK), created=made)


@pytest.fixture
def run(archive: Path, bundle: Bundle, tmp_path: Path) -> Run:
    """The command on both, with more options; what it writes is in `tmp_path`/out."""

    def command(*more: str) -> Result:
        base = f"backtest --archive {archive} --bundle {bundle.path} --out {tmp_path / 'out'}".split()
        return CliRunner().invoke(app, [*base, *more])

    return command


def flow_file(folder: Path, text: str) -> str:
    """A flow file with this text."""
    path = folder / "flow.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_flow_that_passes(run: Run, tmp_path: Path) -> None:
    """Another flow on the bundle: exit code 0, verdict and report are there and name it."""
    done = run("--flow", flow_file(tmp_path, WORDS), "--fail-if", "misroute_rate > baseline + 0.5%")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
    assert told["gates"] == [told["gate"]]
    assert told["changes"] == {"queue": 0, "priority": 0, "ack": 0, "due": 0}
    assert (tmp_path / "out" / "backtest.html").exists()
    assert "passed: misroute_rate" in done.output


def test_a_flow_that_must_be_stopped(run: Run, tmp_path: Path) -> None:
    """One of two conditions fails: exit code 3, and both answers are told."""
    bad = flow_file(tmp_path, WORDS.replace("Billing", "Tech Support"))
    done = run("--flow", bad, "--fail-if", "misroute_rate > baseline + 0.5%", "--fail-if", "acks < 1")
    assert done.exit_code == 3, done.output
    assert "FAILED: misroute_rate > baseline + 0.5%" in done.output
    assert "passed: acks < 1" in done.output
    told = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
    assert [gate["fails"] for gate in told["gates"]] == [True, False]
    assert told["gate"]["condition"] == "misroute_rate > baseline + 0.5%"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-if", "misroute_rat > 1%"], "Did you mean 'misroute_rate'"),
        (["--fail-if", 'misroute_rate["Biling"] > 1%'], "Did you mean 'Billing'"),
        (["--flow", "nowhere.toml"], "is no flow file"),
        (["--truth", "nowhere.csv"], "is no file"),
        (["--baseline", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_checked_is_an_error(run: Run, options: list[str], message: str) -> None:
    """A typo or a missing file is exit code 1 with its cure: never green."""
    done = run(*options)
    assert done.exit_code == 1
    assert isinstance(done.exception, MailmlError)
    assert message in str(done.exception)


def test_wrong_usage_is_exit_code_2(run: Run) -> None:
    """An option that does not exist is told apart from a check that failed."""
    assert run("--fail-iff", "x").exit_code == 2


def test_labels_as_truth(run: Run, archive: Path, tmp_path: Path) -> None:
    """Labels or a CSV say where mail belonged; nothing else is judged."""
    shas = Archive.open(archive).table(columns=["sha256"]).column(0).to_pylist()
    store = Labels(tmp_path / "labels.jsonl")
    store.add(Label(sha, "Billing", "anna", "panel", datetime(2026, 11, 1, tzinfo=UTC)) for sha in shas)
    lines = [f"{sha},Tech Support" for sha in shas]
    (tmp_path / "truth.csv").write_text("message,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    for file, queue in (("labels.jsonl", "Billing"), ("truth.csv", "Tech Support")):
        done = run("--truth", str(tmp_path / file))
        assert done.exit_code == 0, done.output
        told = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
        assert [row["truth"] for row in told["by_queue"]] == [queue]


def test_who_answered_as_truth(run: Run, archive: Path, bundle: Bundle, tmp_path: Path) -> None:
    """`--truth answered` judges by the queue of whoever answered first, as `lab.truth.answered` says."""
    done = run("--truth", "answered")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / "backtest.json").read_text(encoding="utf-8"))
    known = answered(Archive.open(archive), bundle)
    assert 0 < told["judged"] <= len(known)
    assert {row["truth"] for row in told["by_queue"]} <= set(known.values())


def test_without_a_baseline_it_says_what_the_classifier_adds(run: Run) -> None:
    """The same desk by rules alone stands on the other side."""
    done = run()
    assert done.exit_code == 0, done.output
    assert "against rules-only" in done.output
