"""Training again: only with news, only if a back-test allows it, and the same bytes for the same labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError, NotEnoughData
from mailml.flow import ready
from mailml.lab import retraining
from mailml.lab.export import export
from mailml.lab.frame import frame
from mailml.lab.labels import Label, Labels, from_folders
from mailml.lab.queues import folder_categories
from mailml.lab.retraining import retrain
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_desk
from mailml.lab.train import train

OLD, NEW = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The sample mailbox, small."""
    return sample_archive(tmp_path_factory.mktemp("archive") / "a", messages=900)


@pytest.fixture(scope="module")
def told(archive: Archive) -> list[Label]:
    """What the folders say, all of it long ago."""
    rows, flow = frame(archive), ready.load("default")
    return from_folders(rows, folder_categories(list(rows["folder"].unique()), flow), at=OLD)


@pytest.fixture(scope="module")
def current(archive: Archive, told: list[Label], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of the first two hundred labels."""
    home = tmp_path_factory.mktemp("current")
    store = Labels(home / "labels.jsonl")
    store.add(told[:200])
    trained = train(frame(archive), store)
    return export(trained, ready.load("default"), sample_desk(), home / "b", by="anna")


@pytest.fixture
def store(told: list[Label], tmp_path: Path) -> Labels:
    """All labels: those of the bundle, and the rest given a month later."""
    made = Labels(tmp_path / "labels.jsonl")
    made.add([*told[:200], *(replace(label, at=NEW) for label in told[200:])])
    return made


def test_a_bundle_says_until_when_its_labels_reach(current: Bundle) -> None:
    """Its time is that of the newest label: no clock, so the same labels are the same bytes."""
    assert current.manifest["training"]["labels_until"] == OLD.isoformat()
    assert current.created == OLD.isoformat()


def test_without_news_nothing_is_done(archive: Archive, told: list[Label], current: Bundle,
                                      tmp_path: Path) -> None:  # fmt: skip
    """Labels the bundle knows already are no news; nothing is trained and nothing written."""
    known = Labels(tmp_path / "labels.jsonl")
    known.add(told[:200])
    done = retrain(archive, known, current, tmp_path / "new")
    assert (done.new_labels, done.bundle, done.refused) == (0, None, False)
    assert "0 new labels" in str(done)
    assert not (tmp_path / "new").exists()


def test_a_candidate_that_passes_becomes_a_bundle(archive: Archive, store: Labels, current: Bundle,
                                                  tmp_path: Path) -> None:  # fmt: skip
    """It is judged on mail it never saw, trained on all labels, and keeps flow, desk and settings."""
    done = retrain(archive, store, current, tmp_path / "new", by="job")
    assert done.bundle is not None, done.why
    assert done.test is not None
    assert done.new_labels >= 100
    assert len(done.test.judged) >= 30
    assert done.bundle.created == NEW.isoformat()
    assert done.bundle.manifest["training"]["messages"] > current.manifest["training"]["messages"]
    assert done.bundle.flow.queues() == current.flow.queues()
    assert done.bundle.desk.source == current.desk.source
    assert done.to_dict()["bundle"] == done.bundle.id


def test_a_candidate_that_fails_is_not_written(archive: Archive, store: Labels, current: Bundle,
                                               tmp_path: Path) -> None:  # fmt: skip
    """A condition that cannot be met: no bundle, and the reason in words."""
    done = retrain(archive, store, current, tmp_path / "new", fail_if="misroute_rate >= 0")
    assert done.refused
    assert "misroute_rate >= 0" in done.why
    assert not (tmp_path / "new").exists()


def test_a_bundle_of_rules_alone_cannot_be_trained_again(
    archive: Archive, store: Labels, tmp_path: Path
) -> None:
    """There are no settings to go on with; the sentence says what to do."""
    bare = export(None, ready.load("default"), sample_desk(), tmp_path / "b", created=OLD)
    with pytest.raises(InputError, match="no classifier to train again"):
        retrain(archive, store, bare, tmp_path / "new")


def test_what_is_held_out_is_the_latest_mail_whose_queue_is_known(archive: Archive) -> None:
    """At least a hundred messages where there are so many, never more than a third, none from before."""
    rows = frame(archive)
    belongs = dict.fromkeys(rows["sha256"], "Billing")
    day, late = retraining._held_out(rows, belongs, 1)
    dated = rows[rows["received"].notna()]
    assert set(late) == set(dated[dated["received"] >= day]["sha256"])
    assert 100 <= len(late) <= len(dated) / 3 + 5
    with pytest.raises(NotEnoughData, match="where they belonged"):
        retraining._held_out(rows, dict(list(belongs.items())[:10]), 28)
