"""The sample's archive and bundle: the same each time, made once, honest to judge on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import BundleError, FlowError
from mailml.lab.comparison import compare
from mailml.lab.replay import replay
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import UNTIL, sample_bundle, sample_desk
from mailml.lab.unseen import training_span
from mailml.lab.with_flow import with_flow


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A year of the sample, large enough to train on."""
    return sample_archive(tmp_path_factory.mktemp("year") / "a", messages=700)


@pytest.fixture(scope="module")
def trained(year: Archive, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The sample's bundle, trained on mail before UNTIL."""
    return sample_bundle(year, tmp_path_factory.mktemp("bundle") / "b")


def test_the_archive_is_made_once(tmp_path: Path) -> None:
    """Asked for again, the archive is the same: nothing is there twice."""
    first = sample_archive(tmp_path / "a", messages=120)
    count = len(first)
    assert len(sample_archive(tmp_path / "a", messages=120)) == count > 100


def test_training_ends_where_it_says(trained: Bundle) -> None:
    """The bundle tells the time of its training mail, and it ends before UNTIL."""
    span = training_span(trained)
    assert span is not None
    assert span[0] < span[1] < UNTIL


def test_training_mail_is_marked_in_a_replay(year: Archive, trained: Bundle) -> None:
    """Mail of the training time is `seen`, later mail and our own is not."""
    ledger = replay(year, trained)
    later = ledger[ledger["at"] >= UNTIL]
    assert not later["seen"].any()
    assert ledger.loc[(ledger["at"] < UNTIL) & ~ledger["sent"], "seen"].mean() > 0.9
    assert not ledger.loc[ledger["sent"], "seen"].any()


def test_a_bundle_is_loaded_when_it_is_there(year: Archive, trained: Bundle) -> None:
    """The second call trains nothing: it loads the same bundle."""
    assert sample_bundle(year, trained.path).id == trained.id


def test_rules_alone_have_seen_nothing(year: Archive, tmp_path: Path) -> None:
    """A bundle without a classifier may be judged on all mail."""
    bundle = sample_bundle(year, tmp_path / "b", rules_only=True)
    assert bundle.model is None
    assert training_span(bundle) is None
    assert bundle.desk.calendar == sample_desk().calendar


def test_another_flow_keeps_the_classifier(year: Archive, trained: Bundle, tmp_path: Path) -> None:
    """With one rule more the probabilities stay, and only what the rule catches goes elsewhere."""
    text = (trained.path / "flow.toml").read_text(encoding="utf-8")
    rule = '\n[[rule]]\nname = "all"\nwhen = { subject = { exists = true } }\nthen = { queue = "Billing" }\n'
    changed = with_flow(trained, text + rule, tmp_path / "b")
    assert changed.id != trained.id
    assert training_span(changed) == training_span(trained)
    before, after = replay(year, trained), replay(year, changed)
    test = compare(after, before)
    assert set(test.rows.loc[test.rows["changed_queue"], "rule_after"]) == {"all"}
    both = test.rows[["probability_before", "probability_after"]].dropna()
    assert both["probability_before"].equals(both["probability_after"].rename("probability_before"))


def test_a_wrong_flow_is_refused_with_its_faults(trained: Bundle, tmp_path: Path) -> None:
    """A flow with a fault writes nothing; a bundle that is there is not overwritten unasked."""
    with pytest.raises(FlowError):
        with_flow(trained, 'default = "x"\n[[rule]]\nname = "a"\n', tmp_path / "b")
    assert not (tmp_path / "b").exists()
    with pytest.raises(BundleError):
        with_flow(trained, trained.flow, trained.path)
