"""Reports are one offline file each: whole, safe, accessible, and made only of what is there."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailml.archive import Archive
from mailml.bundle import Bundle
from mailml.errors import InputError, NotEnoughData
from mailml.lab.intervals import wilson
from mailml.lab.report import KINDS, report
from mailml.lab.report import drawings as draw
from mailml.lab.report import figures as fig
from mailml.lab.report.live import read_live
from mailml.lab.report.page import Page, Section, Tile, cell, from_frame, table

HOSTILE = "<img src=x onerror=alert(1)> $\\frac{1}{0}$ \x00\x1b[31m"


class _Document(HTMLParser):
    """What a browser would see: tags, attributes, and where anything would be loaded from."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.loads: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(name)
            if name in ("src", "href") and not (value or "").startswith(("data:image/svg+xml;base64,", "#")):
                self.loads.append(value or "")
        if tag == "img":
            self.images.append(dict(attrs))


def checked(html: str) -> _Document:
    """The document, proven to run nothing and to load nothing."""
    document = _Document(html)
    assert not {"script", "iframe", "object", "embed", "link", "form"} & set(document.tags)
    assert not document.handlers
    assert not document.loads
    assert "default-src 'none'" in html
    assert all(image["alt"] for image in document.images)
    return document


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_whole_and_safe(
    kind: str, mailbox: Archive, word_bundle: Bundle, plain_bundle: Bundle, tmp_path: Path
) -> None:
    """Over a mailbox with hostile mail each report runs nothing, loads nothing and describes its pictures."""
    out = tmp_path / "report.html"
    report(kind, mailbox, word_bundle, baseline=plain_bundle, days=200, out=out)
    html = out.read_text(encoding="utf-8")
    document = checked(html)
    assert document.tags.count("h1") == 1
    assert document.images
    assert document.tags.count("table") >= document.tags.count("figure")
    assert not re.search(r"[\w.]+@[\w-]+\.(?:example|test)", html.replace("…", "\u2026")) or "…" in html


def test_addresses_are_masked_unless_asked_for(mailbox: Archive, word_bundle: Bundle) -> None:
    """By default no customer's address is in a report; with `addresses` they are."""
    shown = report("misrouting", mailbox, word_bundle, addresses=True).html()
    masked = report("misrouting", mailbox, word_bundle).html()
    found = set(re.findall(r"[\w.+-]{3,}@[\w.-]+\w", shown))
    assert found
    assert not [address for address in found if address in masked]


def test_unknown_kinds_and_missing_baselines_are_said(mailbox: Archive, word_bundle: Bundle) -> None:
    """A misspelt kind lists the kinds; a back-test without a baseline says what is missing."""
    with pytest.raises(InputError, match="overview, sla, misrouting"):
        report("overwiew", mailbox, word_bundle)
    with pytest.raises(InputError, match="baseline"):
        report("backtest", mailbox, word_bundle)


def test_an_empty_archive_still_has_an_overview(tmp_path: Path, word_bundle: Bundle) -> None:
    """Nothing pulled yet: the overview says so instead of failing; the SLA report has nothing to say."""
    empty = Archive.open(tmp_path / "a", create=True)
    assert "0 incoming messages" in report("overview", empty, word_bundle).html()
    with pytest.raises(NotEnoughData):
        report("sla", empty, word_bundle)


def test_the_overview_shows_live_mail(mailbox: Archive, word_bundle: Bundle, tmp_path: Path) -> None:
    """Decisions of the running service appear one by one, hostile subjects as text, machines unanswered."""
    live = tmp_path / "live.jsonl"
    rows: list[dict[str, Any]] = [
        {"subject": HOSTILE, "from": "eve@evil.example", "kind": "human", "queue": "Billing", "priority": 0,
         "category": {"label": "billing", "probability": 0.91}, "ack": True, "seconds": 0.25},
        {"sha256": "ab" * 32, "seconds_to_moved": 0.5, "decision": {
            "verdict": {"kind": "auto_reply"}, "queue": "", "folder": "Automated/Replies", "priority": 0,
            "category": None, "ack": {"send": False, "reason": "auto_reply"}, "trace": [{"rule": "urgent",
            "tests": [{"field": "subject", "found": "Out of office: I am away"}]}]}},
        {"subject": "broken", "quarantined": "cannot be read", "decision": None},
    ]  # fmt: skip
    live.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    html = report("overview", mailbox, word_bundle, live=live).html()
    checked(html)
    assert "billing 91%" in html
    assert "filed: Automated/Replies" in html
    assert "Out of office: I am away" in html
    assert "no: an automatic reply" in html
    assert "filed: quarantine" in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "eve@evil" not in html


def test_a_broken_line_of_live_mail_is_named(tmp_path: Path) -> None:
    """A line that is no JSON is refused with its number."""
    live = tmp_path / "live.jsonl"
    live.write_text('{"kind": "human"}\nnot json\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"live\.jsonl:2"):
        read_live(live)


def test_a_page_escapes_everything() -> None:
    """Titles, tiles, notes, captions and cells are text, whatever they hold."""
    section = Section(HOSTILE, HOSTILE, None, (table((HOSTILE,), [(HOSTILE,)], HOSTILE),), (HOSTILE,))
    page = Page(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (Tile(HOSTILE, HOSTILE, HOSTILE),), (section,) * 3)
    checked(page.html())
    assert "<img src=x" not in page._repr_html_()


@pytest.mark.parametrize(
    "picture",
    [
        fig.bars([(HOSTILE, 3.0)], HOSTILE, HOSTILE),
        fig.shares([(HOSTILE, wilson(1, 3))], HOSTILE, before={HOSTILE: wilson(2, 3)}),
        fig.stacked([HOSTILE], {HOSTILE: [1.0]}, HOSTILE, HOSTILE),
        fig.lines([HOSTILE, "b"], {HOSTILE: [1.0, 2.0]}, HOSTILE, HOSTILE),
        fig.heat([[1.0]], [HOSTILE], [HOSTILE], HOSTILE),
        draw.transfers({(HOSTILE, "b"): 2, ("b", "b"): 1}, HOSTILE, (HOSTILE, HOSTILE)),
        draw.confusion([[1, 0], [2, 3]], [HOSTILE, "b"], HOSTILE),
        draw.calibration([(0.5, 0.4, 10)], HOSTILE),
        draw.waiting({HOSTILE: [1.0, 2.0]}, 4.0, HOSTILE),
    ],
    ids=lambda picture: "",
)
def test_pictures_survive_hostile_labels(picture: fig.Picture) -> None:
    """Markup, mathematics and controls in a label are drawn as text; the SVG is well-formed XML."""
    import xml.etree.ElementTree as ET

    ET.fromstring(picture.svg)
    assert "<img" not in picture.svg
    assert _Document(picture.html()).tags == ["img"]


def test_the_same_picture_is_the_same_bytes() -> None:
    """Pictures hold no date and no random names: a report of the same data is the same file."""
    one, other = (fig.bars([("a", 1.0)], "alt", "x") for _ in range(2))
    assert one.svg == other.svg


def test_pictures_of_nothing_are_drawn() -> None:
    """No rows and no cases are an empty picture, not an error."""
    pictures = (
        fig.shares([("a", wilson(0, 0))], "alt"),
        fig.bars([], "alt", "x"),
        draw.transfers({}, "alt", ("a", "b")),
        draw.waiting({"a": []}, 1.0, "alt"),
    )
    assert all("<svg" in picture.svg and picture.alt == "alt" for picture in pictures)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (1234, "1,234"), (1.5, "1.50"), (True, "yes"), ("a\x00b", "a\ufffdb")],
)
def test_cells(value: object, text: str) -> None:
    """Numbers are grouped, nothing is a dash, controls are visible."""
    assert cell(value) == text


def test_a_legend_of_long_names_leaves_the_axes_their_width() -> None:
    """Names that do not fit side by side stand in more rows: none is cut, and the bars keep their place."""
    names = ["Automated/Notifications", "Queues/General Support", "Automated/Replies", "Queues/Billing"]
    with fig.canvas(8.2, 3.1, "alt") as drawing:
        drawing.axes.bar([0], [1])
        for name in names:
            drawing.axes.bar([0], [1], label=name)
        fig._legend_above(drawing.axes, names)
    legend = drawing.axes.get_legend()
    assert legend is not None
    assert legend.get_window_extent().x1 <= drawing.axes.figure.bbox.x1
    assert drawing.axes.get_position().width > 0.8


def test_hours_of_a_frame_are_told_as_people_say_them() -> None:
    """A column of hours is shown as `1 h 44`; what is unknown is a dash."""
    frame = pd.DataFrame({"queue": ["a", "b"], "median_hours": [1.7333, None]})
    shown = from_frame(frame)
    assert shown.columns == ("queue", "median")
    assert [row[1] for row in shown.rows] == ["1 h 44", "\u2013"]
    assert 1 in shown.numeric


def test_a_small_picture_is_seen_whole_on_a_phone() -> None:
    """Shares are small; a year of lines is wide and is scrolled."""
    small = fig.shares([("a", wilson(1, 2))], "alt")
    wide = fig.lines(["a", "b"], {"x": [1.0, 2.0]}, "alt", "y")
    assert 'class="picture small"' in small.html()
    assert 'class="picture"' in wide.html()


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that cannot be made leaves the old file and no rubbish."""
    out = tmp_path / "r.html"
    out.write_text("old")
    page = Page("t", "l", "s", "m")
    monkeypatch.setattr("os.fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        page.write(out)
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
