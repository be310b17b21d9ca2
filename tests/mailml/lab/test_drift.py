"""Drift is what changed since training: steady mail gives no alarm, a new matter is named with its words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle
from mailml.errors import NotEnoughData
from mailml.lab.drift import Drift, drift
from mailml.lab.drift_checks import Check, corrected
from mailml.lab.drifting import psi, same_mix, same_share
from mailml.lab.labels import Label, Labels
from mailml.lab.new_topics import new_topics
from mailml.lab.replay import replay
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_bundle

HOSTILE = "<img src=x onerror=alert(1)> Gabelstapler von max@shop3.example"
WEEK = datetime(2026, 10, 12, 9, tzinfo=UTC)
SAYINGS = (
    "Der Gabelstapler laedt seine Batterie nicht",
    "Unser Gabelstapler meldet Batterie leer",
    "Gabelstapler Batterie haelt nur zwanzig Minuten",
)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A year of the sample mailbox."""
    return sample_archive(tmp_path_factory.mktemp("year") / "a", messages=1100)


@pytest.fixture(scope="module")
def bundle(year: Archive, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A classifier trained on its first nine months."""
    return sample_bundle(year, tmp_path_factory.mktemp("bundle") / "b")


@pytest.fixture(scope="module")
def steady(year: Archive, bundle: Bundle) -> Drift:
    """The last three months, in which nothing new came up."""
    return drift(year, bundle, days=90)


def forklifts(path: Path, count: int = 30, senders: int = 12) -> Archive:
    """The same year, and in its last weeks mail about a thing nobody wrote of before."""
    archive = sample_archive(path / "a", messages=1100)
    archive.append(
        Arrival("sample", "INBOX", 1, 50_000 + n, _forklift(n, senders), WEEK + timedelta(hours=9 * n))
        for n in range(count)
    )
    return archive


def _forklift(n: int, senders: int) -> bytes:
    subject = HOSTILE if n % 7 else "Gabelstapler"
    words = f"{SAYINGS[n % 3]}. Der Gabelstapler steht im Lager und quietscht seit {'abcdef'[n % 6]} Tagen."
    return (
        f"From: <max@shop{n % senders}.example>\r\nTo: support@acme.example\r\nSubject: {subject}\r\n"
        f"Message-ID: <fork{n}@shop.example>\r\n\r\n{words}\r\n"
    ).encode()


def test_steady_mail_gives_no_alarm(steady: Drift) -> None:
    """Three months of the same customers: nothing to retrain for, no topic that is new."""
    assert steady.verdict != "retrain"
    assert steady.reasons == ()
    assert steady.topics == ()
    assert len(steady.checks) == 4
    assert steady.messages[0] > 200 > 60 < steady.messages[1]


def test_the_new_matter_is_named(bundle: Bundle, tmp_path: Path) -> None:
    """Mail about forklifts is a topic with its words and examples, and a reason to train again."""
    found = drift(forklifts(tmp_path), bundle, days=28)
    topic = found.topics[0]
    assert "gabelstapler" in topic.words
    assert topic.share > 3 * topic.before
    assert topic.messages >= 15
    assert found.verdict == "retrain"
    assert any("gabelstapler" in reason for reason in found.reasons)
    html = found.page().html()
    assert "Retrain" in html
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    assert "max@shop3.example" not in html
    assert "m…x@shop3.example" in html


def test_what_two_people_write_of_is_no_topic(bundle: Bundle, tmp_path: Path) -> None:
    """Words that only two senders use may name them: no topic is made of them."""
    found = drift(forklifts(tmp_path, senders=2), bundle, days=28)
    assert not any("gabelstapler" in topic.words for topic in found.topics)


def test_without_bodies_it_says_so(year: Archive, bundle: Bundle) -> None:
    """From decisions alone arrivals and queues are compared, and the page tells what is missing."""
    found = drift(replay(year, bundle), bundle, days=90)
    assert [one.name for one in found.checks] == ["arrivals a week", "which queues"]
    assert "need the bodies" in found.page().html()


def test_new_labels_are_a_reason(year: Archive, bundle: Bundle, tmp_path: Path) -> None:
    """Two hundred labels younger than the training are worth another one."""
    store, later = Labels(tmp_path / "l.jsonl"), datetime(2036, 1, 1, tzinfo=UTC)
    store.add(Label(f"{n:064x}", "billing", "me", "panel", later) for n in range(200))
    found = drift(replay(year, bundle), bundle, labels=store, days=90)
    assert found.new_labels == 200
    assert found.verdict == "retrain"


def test_too_little_mail_is_refused(year: Archive, bundle: Bundle) -> None:
    """A day is no sample; an error says how much there is and what is needed."""
    with pytest.raises(NotEnoughData, match="each side needs 40"):
        drift(year, bundle, days=1)


def test_nobody_wrote(history: Callable[..., pd.DataFrame], bundle: Bundle) -> None:
    """A history of machines has nothing to drift."""
    rows = history({"at": "2026-03-05 09:00", "kind": "bounce"}).assign(thanks=False)
    with pytest.raises(NotEnoughData, match="no person wrote"):
        drift(rows, bundle)


def test_many_checks_pay_for_being_many() -> None:
    """Of four checks one with p = 0.02 may be chance, one with p = 0.001 is not."""
    checks = [Check(str(n), "", "", p, retrain=True) for n, p in enumerate((0.02, 0.9, 0.001, 0.5))]
    told = corrected(checks)
    assert [one.changed for one in told] == [False, False, True, False]
    assert [one.retrain for one in told] == [False, False, True, False]
    assert [one.name for one in told] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("then", "now", "other"),
    [(["a"] * 50 + ["b"] * 50, ["a"] * 49 + ["b"] * 51, False), (["a"] * 90 + ["b"] * 10, ["b"] * 100, True)],
)
def test_a_mix_is_compared(then: list[str], now: list[str], other: bool) -> None:
    """The same mix has a small index and a large p, another one the opposite; a new name is no infinity."""
    assert (psi(then, now) > 0.25) == other
    assert (same_mix(then, now) < 0.001) == other
    assert psi(then, [*now, "new"]) < 10


def test_nothing_is_no_change() -> None:
    """Empty samples and a single name differ by nothing."""
    assert psi([], ["a"]) == psi(["a"], ["a"]) == 0.0
    assert same_mix([], ["a"]) == same_share(0, 0, 1, 2) == 1.0


def test_topics_of_too_little_are_none() -> None:
    """Few messages, or messages that share no word, are no topic."""
    rows: Any = pd.DataFrame({"sha256": ["a"], "subject": ["s"], "from_addr": ["x@y"]})
    assert new_topics({"a": "words"}, ["a"], [], rows) == ()
    apart = {chr(97 + n): chr(97 + n) * 6 for n in range(12)}
    many: Any = pd.DataFrame({"sha256": list(apart), "subject": "s", "from_addr": list(apart)})
    assert new_topics(apart, list(apart), [], many) == ()
