"""One message, readable and harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.archive import Archive, Arrival
from mailml.bundle import Bundle
from mailml.errors import InputError
from mailml.lab.escape import NO_MATH
from mailml.lab.frame import frame
from mailml.lab.preview import _category, preview
from mailml.lab.report.page import Page, entries_html
from mailml.verdict import Category

RAW = (
    b"From: Eve <eve@evil.example>\r\nTo: support@acme.example\r\n"
    b"Subject: [URGENT] <script>alert(1)</script>\r\n"
    b"Date: Thu, 5 Mar 2026 09:00:00 +0000\r\nMessage-ID: <1@evil.example>\r\n\r\nBuy <b>now</b>\x1b[31m\r\n"
)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive with one hostile message."""
    made = Archive.open(tmp_path / "a", create=True)
    made.append([Arrival("desk", "INBOX", 1, 1, RAW)])
    return made


def test_markup_stays_text_and_addresses_are_masked(archive: Archive) -> None:
    """In a notebook the message is shown as text; the address only on demand."""
    sha = archive.table(columns=["sha256"]).column(0)[0].as_py()
    shown = preview(archive, sha)
    html = shown._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "eve@" not in html
    assert "eve@evil.example" in preview(archive, sha, addresses=True)._repr_html_()
    assert "\x1b" not in str(shown)


def test_money_is_no_formula(archive: Archive) -> None:
    """JupyterLab sets "$5 or $9" in HTML as mathematics: what shows mail in a notebook is marked as text."""
    sha = archive.table(columns=["sha256"]).column(0)[0].as_py()
    page = Page("$5 or $9", "", "", "")
    for shown in (preview(archive, sha), page, frame(archive)):
        assert NO_MATH in shown._repr_html_()
    assert NO_MATH in entries_html([])


def test_with_a_bundle_it_tells_the_decision(archive: Archive, word_bundle: Bundle) -> None:
    """Kind, queue, the rule that decided and every rule tried."""
    sha = archive.table(columns=["sha256"]).column(0)[0].as_py()
    told = dict(preview(archive, sha, word_bundle).lines())
    assert (told["kind"], told["goes to"], told["because"]) == ("human", "Priority Support", "urgent")
    assert told["rules"].startswith("urgent: hit")


def test_an_unknown_message_is_said(archive: Archive) -> None:
    """A hash that is not here is an error with the archive's name."""
    with pytest.raises(InputError, match="is in the archive"):
        preview(archive, "f" * 64)


def test_an_abstention_tells_why() -> None:
    """No answer has a reason and no percentage; an answer has its words, where there are some."""
    assert _category(Category(None, reason="too little text")) == "no answer: too little text"
    assert _category(Category(None)) == "no answer"
    assert _category(Category("billing", 0.914)) == "billing 91%"
    assert _category(Category("billing", 0.914, words=(("invoice", 0.3),))) == "billing 91% (invoice)"
