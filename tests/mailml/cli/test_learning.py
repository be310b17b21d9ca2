"""Train, export, sign, compare and retrain as commands of a scheduled job: words, files and exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mailml.bundle import write
from mailml.cli import app
from mailml.flow import ready, source
from mailml.lab.frame import frame
from mailml.lab.labels import Labels, from_folders
from mailml.lab.queues import folder_categories
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_desk

RUN = CliRunner()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, labels, a flow and a desk."""
    home = tmp_path_factory.mktemp("home")
    archive, flow = sample_archive(home / "archive", messages=500), ready.load("default")
    rows = frame(archive)
    told = from_folders(rows, folder_categories(list(rows["folder"].unique()), flow),
                        at=datetime(2026, 9, 1, tzinfo=UTC))  # fmt: skip
    Labels(home / "labels.jsonl").add(told)
    (home / "flow.toml").write_text(source.dumps(flow))
    (home / "desk.toml").write_text(sample_desk().source)
    return home


def run(home: Path, command: str, *more: str) -> Result:
    """One command with the archive and the labels."""
    given = ["--archive", str(home / "archive"), "--labels", str(home / "labels.jsonl")]
    return RUN.invoke(app, [command, *given, *more])


def test_from_labels_to_a_signed_bundle(home: Path, tmp_path: Path) -> None:
    """train → export → keygen → sign → verify → show, each saying what it made."""
    done = run(home, "train", "--out", str(tmp_path / "m"), "--model", "hashing", "--teacher", "self",
               "--desk", str(home / "desk.toml"))  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "trained on" in done.output
    bundle = str(tmp_path / "b")
    done = RUN.invoke(app, ["export", "--archive", str(home / "archive"), "--model", str(tmp_path / "m"),
                            "--flow", str(home / "flow.toml"), "--desk", str(home / "desk.toml"),
                            "--out", bundle, "--by", "anna", "--created", "2026-10-02"])  # fmt: skip
    assert done.exit_code == 0, done.output
    key = str(tmp_path / "key.pem")
    for words in (["keygen", key], ["sign", bundle, "--key", key]):
        assert RUN.invoke(app, ["bundle", *words]).exit_code == 0
    told = RUN.invoke(app, ["bundle", "verify", bundle, "--key", f"{key}.pub"])
    assert "signed by key" in told.output
    shown = RUN.invoke(app, ["bundle", "show", bundle]).output
    for word in ("anna", "2026-10-02", "model hashing", "labels until 2026-09-01", "signed  yes", "verdict"):
        assert word in shown, word
    told = json.loads(RUN.invoke(app, ["bundle", "show", bundle, "--json"]).output)
    assert told["signed"] is True


def test_a_job_with_nothing_new_ends_in_four(home: Path, tmp_path: Path) -> None:
    """Exit code 4 and no bundle; the verdict is JSON where asked for."""
    assert run(home, "train", "--out", str(tmp_path / "m")).exit_code == 0
    made = RUN.invoke(app, ["export", "--archive", str(home / "archive"), "--model", str(tmp_path / "m"),
                            "--flow", str(home / "flow.toml"), "--desk", str(home / "desk.toml"),
                            "--out", str(tmp_path / "b"), "--by", "anna"])  # fmt: skip
    assert made.exit_code == 0, made.output
    done = run(home, "retrain", "--bundle", str(tmp_path / "b"), "--out", str(tmp_path / "n"), "--by", "job",
               "--json")  # fmt: skip
    assert done.exit_code == 4
    assert json.loads(done.output)["bundle"] is None
    assert not (tmp_path / "n").exists()


def test_compare_prints_one_table(home: Path, tmp_path: Path) -> None:
    """Models, a bundle's flow and controls in one table; rules without a bundle are one sentence."""
    made = datetime(2026, 10, 2, tzinfo=UTC)
    write(tmp_path / "b", flow=ready.load("default"), desk=sample_desk(), created=made)
    told = run(home, "compare", "--model", "linear", "--bundle", str(tmp_path / "b"), "--json")
    assert told.exit_code == 0, told.output
    names = [row["name"] for row in json.loads(told.output)["rows"]]
    assert names[:3] == ["linear", "flow, asking linear", "flow, no classifier"]
    assert "keyword list" in names
    alone = run(home, "compare", "--flow", str(home / "flow.toml"))
    assert alone.exit_code == 1
    assert "belongs to a desk" in str(alone.exception)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--model", "forest"), "no model 'forest'"),
        (("--model", "embedding"), "needs a sentence encoder"),
        (("--model", "embedding", "--encoder", "nowhere"), "holds no model.onnx"),
    ],
)
def test_a_wrong_model_is_one_sentence(home: Path, tmp_path: Path, more: tuple[str, ...], says: str) -> None:
    """Misspelt names and missing encoders are errors with their cure."""
    done = run(home, "train", "--out", str(tmp_path / "m"), *more)
    assert done.exit_code == 1
    assert says in str(done.exception)
