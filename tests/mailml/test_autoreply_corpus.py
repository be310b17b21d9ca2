"""Whole messages of our own, each beside the facts its verdict must hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailml.autoreply import TextModel
from mailml.verdict import plain
from tests.conftest import ROOT
from tests.mailml.judged import verdict

MAILS = sorted((ROOT / "tests" / "corpus" / "automated").glob("*.eml"))


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
@pytest.mark.parametrize("model", [None, TextModel.shipped()], ids=["table", "with model"])
def test_a_message_gets_the_verdict_beside_it(path: Path, model: TextModel | None) -> None:
    """Kind, row, disposition, reason and links are those written beside it, with a model and without."""
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    found = plain(verdict(path.read_bytes(), model=model))
    assert {name: found[name] for name in expected} == expected


def test_the_corpus_covers_every_family() -> None:
    """Bounces, replies, reports, calendars, bulk and people who look like them."""
    kinds = {json.loads(path.with_suffix(".json").read_text("utf-8"))["kind"] for path in MAILS}
    assert kinds >= {"bounce", "auto_reply", "report", "calendar_reply", "list_bulk", "human"}
