"""`mailml labels`: what agents did becomes labels, and what disagrees is listed for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailml.cli import app
from mailml.lab.labels import Label, Labels
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_bundle


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small archive `a` and a bundle `b`."""
    folder = tmp_path_factory.mktemp("desk")
    sample_bundle(sample_archive(folder / "a", messages=120), folder / "b", rules_only=True)
    return folder


def call(*arguments: object) -> str:
    """What the command prints; it must end well."""
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_mining_writes_once_and_names_reasons(desk: Path, tmp_path: Path) -> None:
    """A dry run writes nothing, a first run writes labels, a second one nothing more."""
    labels = tmp_path / "labels.jsonl"
    options = ("labels", "mine", "--archive", desk / "a", "--bundle", desk / "b", "--labels", labels)
    assert "left out: not written by a person" in call(*options, "--dry-run")
    assert not labels.exists()
    assert "0 withdrawn" in call(*options)
    store = Labels(labels)
    assert {label.source for label in store} == {"mined"}
    assert {label.label for label in store} == {"billing", "general", "technical"}
    before = len(store)
    assert "0 labels written" in call(*options)
    assert len(store) == before
    renamed = call(*options, "--map", "Billing=money", "--dry-run")
    assert "left out: its queue stands for no one category" in renamed


def test_disagreements_are_listed(desk: Path, tmp_path: Path) -> None:
    """A hand label against a mined one is shown with what each says; agreement says so."""
    labels = tmp_path / "labels.jsonl"
    call("labels", "mine", "--archive", desk / "a", "--bundle", desk / "b", "--labels", labels)
    assert "nothing disagrees" in call("labels", "review", "--labels", labels)
    store = Labels(labels)
    first = next(iter(store))
    store.add([Label(first.message, "other", "me", "panel", datetime(2020, 1, 1, tzinfo=UTC))])
    told = call("labels", "review", "--labels", labels, "--archive", desk / "a")
    assert f"{first.message[:12]}  hand other, mined {first.label}" in told
    assert "1 messages to review" in told


def test_a_wrong_pair_is_refused(desk: Path, tmp_path: Path) -> None:
    """`--map` without a category is named with an example."""
    labels = tmp_path / "l.jsonl"
    done = CliRunner().invoke(
        app,
        ["labels", "mine", "--archive", str(desk / "a"), "--bundle", str(desk / "b"), "--labels", str(labels),
         "--map", "Billing"],
    )  # fmt: skip
    assert "is no QUEUE=CATEGORY" in str(done.exception)
