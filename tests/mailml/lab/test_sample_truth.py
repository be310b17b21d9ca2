"""The generator knows who wrote, who answered when, and what was thanks: the figures must be its figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from mailml.bundle import Bundle
from mailml.lab import sample
from mailml.lab.replay import replay
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_bundle
from mailml.lab.sla_report import SlaReport, sla_report
from mailml.lab.turns import turns
from mailml.sla.public import public_holidays

BOXES = ((7, 900), (8, 1000), (11, 500))
START = datetime(2025, 10, 1, tzinfo=UTC)


class Box:
    """One sample mailbox with its truth, replayed by rules alone."""

    def __init__(self, path: Path, seed: int, messages: int) -> None:
        archive = sample_archive(path / "a", seed=seed, messages=messages)
        self.bundle: Bundle = sample_bundle(archive, path / "b", rules_only=True)
        self.truth: dict[str, Mapping[str, Any]] = {
            m.truth["sha256"]: m.truth for m in sample.generate(seed=seed, messages=messages)
        }
        self.ledger = replay(archive, self.bundle)
        self.report: SlaReport = sla_report(self.ledger, self.bundle)


@pytest.fixture(scope="module", params=BOXES, ids=lambda one: f"seed {one[0]}")
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """Several mailboxes: an error of one in a thousand does not hide in one of them."""
    return Box(tmp_path_factory.mktemp("truth"), *request.param)


def test_every_interaction_is_found_and_no_other(box: Box) -> None:
    """What opened an interaction, by the generator, is exactly what the report counts."""
    opened = {sha for sha, one in box.truth.items() if one["opens"]}
    assert set(box.report.interactions["sha256"]) == opened


def test_every_first_answer_is_met_to_the_second(box: Box) -> None:
    """First human response is what the generator says, and missing where nobody answered."""
    rows = box.report.interactions
    found = (rows["answered_at"] - rows["opened"]).dt.total_seconds()
    told = [box.truth[sha]["first_human_response"] for sha in rows["sha256"]]
    assert [None if value != value else int(value) for value in found] == told


def test_every_breach_is_met(box: Box) -> None:
    """Which promises were broken is what a count of open minutes on the wall clock says."""
    open_before = wall_minutes()
    rows = box.report.interactions
    broken = []
    for sha, opened in zip(rows["sha256"], rows["opened"], strict=True):
        seconds = box.truth[sha]["first_human_response"]
        end = box.report.as_of if seconds is None else opened + pd.Timedelta(seconds=seconds)
        broken.append(spent(open_before, opened, end) > 240 * 60)
    assert rows["within"].eq(False).tolist() == broken
    assert 0 < sum(broken) < len(broken)


def test_later_waits_are_the_second_questions(box: Box) -> None:
    """A customer who asks again after an answer waits; one who thanks is taken for that nearly always."""
    turn = box.ledger["sha256"].map(lambda sha: box.truth[sha]["turn"])
    person = box.ledger["kind"].eq("human") & turn.ne("thanks")
    # an invitation in between is a person's mail too: the wait began with it
    waits_already = person.where(person | box.ledger["sent"]).groupby(box.ledger["thread"]).shift()
    asked = set(box.ledger["sha256"][turn.isin(["follow-up", "detail"]) & ~waits_already.eq(True)])
    thanked = set(box.ledger["sha256"][turn.eq("thanks")])
    invited = set(box.ledger["sha256"][person & turn.eq("")])
    later = set(box.ledger["sha256"].iloc[turns(box.ledger).later])
    assert asked
    assert asked <= later
    assert later - asked <= thanked | invited
    assert len(later & thanked) <= 0.08 * len(thanked)  # typing errors in the very word


def wall_minutes() -> np.ndarray[Any, Any]:
    """The oracle: every minute of two years, asked whether it lies in the hours of the sample's desk."""
    minutes = pd.date_range(START, periods=2 * 366 * 1440, freq="min").tz_convert(ZoneInfo("Europe/Berlin"))
    free = [day for year in (2025, 2026, 2027) for day in public_holidays("DE", "BE", year)]
    holiday = minutes.normalize().isin(pd.DatetimeIndex(free).tz_localize("Europe/Berlin"))
    is_open = (minutes.day_of_week < 5) & (minutes.hour >= 8) & (minutes.hour < 18) & ~holiday
    return np.concatenate([[0], np.cumsum(is_open)])


def spent(open_before: np.ndarray[Any, Any], start: Any, end: Any) -> float:
    """Open seconds between two instants, from the oracle's minutes and what is left of the last ones."""

    def upto(when: Any) -> float:
        minute, rest = divmod((when - START).total_seconds(), 60)
        known = open_before[int(minute)]
        return float(known * 60 + rest * (open_before[int(minute) + 1] - known))

    return upto(end) - upto(start)
