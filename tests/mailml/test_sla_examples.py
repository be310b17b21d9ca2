"""The published examples of business time are computed again, line by line."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mailml.sla import Calendar, due, elapsed, in_words, parse_target
from tests.conftest import ROOT

DESK = Calendar.from_mapping({"zone": "Europe/Berlin", "country": "DE", "week": {"mon-fri": "09:00-17:00"}})
BERLIN = ZoneInfo("Europe/Berlin")
PAGE = (ROOT / "mailml" / "sla" / "README.md").read_text(encoding="utf-8")
LINES = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| (Mon|Tue|Wed|Thu|Fri|Sat|Sun) ", line)
]
PROMISES = [line for line in LINES if not re.match(r"[A-Z]", line[1])]
SPANS = [line for line in LINES if re.match(r"[A-Z]", line[1])]


def at(text: str) -> datetime:
    """`Mon 2026-03-02 10:00` on a wall in Berlin; the weekday must be right."""
    found = datetime.strptime(text[4:], "%Y-%m-%d %H:%M").replace(tzinfo=BERLIN)
    assert found.strftime("%a") == text[:3]
    return found


def test_the_page_has_both_tables() -> None:
    """Neither table can get lost without a test that notices."""
    assert len(PROMISES) >= 12
    assert len(SPANS) >= 6


@pytest.mark.parametrize("line", PROMISES, ids=lambda line: f"{line[0]} {line[1]}")
def test_every_published_due_time_is_true(line: list[str]) -> None:
    """Due time and sum are what the page says."""
    received, promise, expected, words = line
    answer = due(at(received), parse_target(promise), DESK)
    assert answer.at == at(expected)
    assert in_words(answer) == words


@pytest.mark.parametrize("line", SPANS, ids=lambda line: f"{line[0]} {line[2]}")
def test_every_published_span_is_true(line: list[str]) -> None:
    """Open time less pauses is what the page says."""
    start, end, paused, expected = line
    pauses = [] if paused == "never" else [one.split(" to ") for one in paused.split("; ")]
    found = elapsed(at(start), at(end), DESK, [(at(a), at(b)) for a, b in pauses])
    hours, minutes = divmod(int(found.total_seconds()) // 60, 60)
    assert f"{hours} h {minutes:02}" == expected
