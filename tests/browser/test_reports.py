"""Each report in Chromium, made of a mailbox with hostile mail: by mouse, keyboard, on a phone, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailml.lab.report import report
from mailml.lab.sample_archive import sample_archive
from mailml.lab.sample_bundle import sample_bundle

pytestmark = pytest.mark.browser
KINDS = ("sla", "misrouting", "automated", "drift")
HEADINGS = "[...document.querySelectorAll('h1,h2')].map(one => one.tagName)"
UNNAMED = """
[...document.querySelectorAll('table')].filter(table => {
  const named = table.caption || table.closest('[aria-label]');
  return !named || ![...table.tHead.rows[0].cells].every(cell => cell.scope === 'col');
}).length
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files, made of a small sample with its attacks."""
    folder = tmp_path_factory.mktemp("reports")
    archive = sample_archive(folder / "a", messages=500, hostile=True)
    bundle = sample_bundle(archive, folder / "b", rules_only=True)
    made = {kind: folder / f"{kind}.html" for kind in KINDS}
    for kind, path in made.items():
        report(kind, archive, bundle, days=150, out=path)
    return made


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, chromium: Any, pages: dict[str, Path]) -> Any:
    """A tab with one report, and every request it made beside the file itself."""
    page = chromium.new_page()
    page.asked = []
    page.on("request", lambda one: page.asked.append(one.url))
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(pages[request.param].as_uri())
    page.kind = request.param
    yield page
    page.close()


def test_nothing_runs_and_nothing_is_loaded(opened: Any) -> None:
    """No mark of the attacks is left, no script ran, and only the file itself and its pictures were read."""
    assert opened.evaluate("window.mailmlHostile") is None
    assert opened.evaluate("document.scripts.length") == 0
    assert [url for url in opened.asked if not url.startswith(("file:", "data:image/svg"))] == []
    assert opened.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen(opened: Any, width: int, shots: Path) -> None:
    """The page never scrolls sideways; wide tables and pictures do so on their own."""
    opened.set_viewport_size({"width": width, "height": 900})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.screenshot(path=str(shots / f"report-{opened.kind}-{width}.png"), full_page=True)


def test_a_screen_reader_finds_its_way(opened: Any) -> None:
    """Landmarks, one title, headings in order, every picture in words, every table named with its headers."""
    for landmark in ("main", "nav[aria-label]", "footer", "html[lang=en]"):
        assert opened.locator(landmark).count() == 1
    levels = opened.evaluate(HEADINGS)
    assert levels[0] == "H1"
    assert levels.count("H1") == 1
    assert opened.evaluate("[...document.images].every(one => one.alt.length > 20)")
    assert opened.evaluate(UNNAMED) == 0
    sections = opened.evaluate("[...document.querySelectorAll('section')].map(one => one.id)")
    assert len(set(sections)) == len(sections)
    assert opened.evaluate(
        "[...document.querySelectorAll('figure')].every(one => one.parentNode.querySelector('table'))"
    )


def test_the_keyboard_reaches_everything(opened: Any) -> None:
    """Tab walks links, pictures and tables; Enter follows a link and opens what is folded."""
    opened.keyboard.press("Tab")
    target = opened.evaluate("document.activeElement.getAttribute('href')")
    assert target.startswith("#")
    opened.keyboard.press("Enter")
    assert opened.evaluate("location.hash") == target
    stops = opened.evaluate("document.querySelectorAll('a[href], [tabindex=\"0\"], summary').length")
    assert stops > 10
    folded = opened.locator("summary").first
    folded.focus()
    opened.keyboard.press("Enter")
    assert folded.evaluate("one => one.parentNode.open")


def test_it_prints_open(opened: Any) -> None:
    """On paper the folded tables are open and the links to sections are gone."""
    opened.emulate_media(media="print")
    folded = opened.locator("details table").first
    assert folded.bounding_box()["height"] > 20
    assert opened.locator("nav").bounding_box() is None
