"""The workbench in a real browser: keys label, hostile mail runs nothing, nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from mailml.lab.labels import Labels
from mailml.lab.sample.hostile import MARKER

from .jupyter import Lab
from .notebook import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PANEL = ".mailml-label"

# Every way in which the workbench shows a stranger's words, over mail that tries each of them.
HOSTILE_CELLS = (
    """
from mailml import lab
from mailml.lab import panels
archive = lab.sample_archive("hostile/archive", messages=300, hostile=True)
bundle = lab.sample_bundle(archive, "hostile/rules", rules_only=True)
rows = lab.frame(archive)
evil = rows[rows["from_addr"].eq("mallory@evil.test")]
assert len(evil) > 10
""",
    'evil[["from_name", "subject", "own", "to", "defects"]]',
    "for sha in evil['sha256']:\n    display(lab.preview(archive, sha, bundle))",
    """
from mailml.lab.report import drawings, figures
names = list(evil["subject"])
display(figures.bars([(name, 1.0) for name in names], names[0], names[0]))
display(drawings.transfers({(name, "x"): 1 for name in names}, names[0], (names[0], names[1])))
""",
    "history = lab.replay(archive, bundle)\nlab.sla_report(history, bundle)",
    "lab.misrouting(history, bundle)",
    "lab.backtest(bundle, bundle, archive)",
    """
asked = panels.candidates(archive, bundle=bundle, n=10_000)
chosen = [item for item in asked if item.message in set(evil["sha256"])]
panels.label(chosen, "hostile/buttons.jsonl", plain=True)
""",
    'panels.label(chosen, "hostile/keys.jsonl")',
)


def write(path: Path, *sources: str) -> None:
    """A notebook with these cells, for the Python kernel (without one JupyterLab would ask)."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def press(notebook: Notebook, keys: Iterable[str]) -> None:
    """Press keys in the focused panel, one after the other."""
    for key in keys:
        notebook.page.keyboard.press(key)


def wait_for_status(notebook: Notebook, text: str) -> None:
    """Wait until the panel's status line begins with a text."""
    notebook.page.wait_for_function(
        f"(text) => document.querySelector('{PANEL} .status').textContent.startsWith(text)", arg=text
    )


def test_labels_by_keyboard(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """Keys label, skip and undo; labels are on disk; no shortcut of JupyterLab touches the notebook."""
    notebook.open("20-label.ipynb").run_all()
    before = notebook.sources()
    store = Labels(lab.root / "work" / "labels.jsonl")
    notebook.page.locator(PANEL).click()
    press(notebook, "12as3u")
    wait_for_status(notebook, "3 labelled and on disk, 96 left")
    press(notebook, "bddxg")  # insert, delete, cut in JupyterLab; here only g means something
    notebook.page.locator(f"{PANEL} button").last.focus()
    press(notebook, "bddxg")
    notebook.settle()
    notebook.shot(PANEL, shots / "label-panel.png")
    said = [label for label in store.all() if label.source == "panel"]
    assert [label.label for label in said] == ["billing", "technical", "automated", "general", ""]
    assert said[3].message == said[4].message
    assert notebook.sources() == before
    assert notebook.page.locator(f"{PANEL} .warning").is_hidden()
    notebook.assert_nothing_ran()


def test_a_hundred_labels_by_keyboard(notebook: Notebook, lab: Lab) -> None:
    """A hundred keys in a row are a hundred labels on disk, each for another message, in the order shown."""
    cells = """
from mailml import lab
archive = lab.sample_archive("hundred/archive", messages=500)
lab.panels.label(archive, "hundred/labels.jsonl", n=100)
"""
    write(lab.root / "hundred.ipynb", cells)
    notebook.open("hundred.ipynb").run_all()
    notebook.page.locator(PANEL).click()
    keys = "123a" * 25
    press(notebook, keys)
    wait_for_status(notebook, "100 labelled and on disk, 0 left")
    said = Labels(lab.root / "hundred" / "labels.jsonl").all()
    names = {"1": "billing", "2": "technical", "3": "general", "a": "automated"}
    assert [label.label for label in said] == [names[key] for key in keys]
    assert len({label.message for label in said}) == 100


def test_the_trace_is_shown_on_demand(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """Key t shows every rule that was tried for this message, g what the bundle guesses; again hides them."""
    cells = """
from mailml import lab
archive = lab.sample_archive("traced/archive", messages=300, hostile=True)
bundle = lab.sample_bundle(archive, "traced/rules", rules_only=True)
lab.panels.label(archive, "traced/labels.jsonl", bundle=bundle, n=5)
"""
    write(lab.root / "traced.ipynb", cells)
    notebook.open("traced.ipynb").run_all()
    tree = notebook.page.locator(f"{PANEL} .tree")
    notebook.page.locator(PANEL).click()
    assert tree.is_hidden()
    press(notebook, "tg")
    assert "├─ rules" in tree.inner_text()
    notebook.shot(PANEL, shots / "label-panel-trace.png")
    press(notebook, "t")
    assert tree.is_hidden()
    notebook.assert_nothing_ran()


def test_a_kernel_that_is_gone_is_said_and_nothing_is_counted(
    notebook: Notebook, lab: Lab, shots: Path
) -> None:
    """After the kernel has died a key raises the banner, and the status counts only what is on disk."""
    notebook.open("20-label.ipynb").run_all()
    store = Labels(lab.root / "work" / "labels.jsonl")
    notebook.page.locator(PANEL).click()
    press(notebook, "1")
    wait_for_status(notebook, "1 labelled and on disk")
    known = len(store.all())
    notebook.stop_kernel()
    notebook.page.locator(PANEL).focus()
    press(notebook, "22")
    warning = notebook.page.locator(f"{PANEL} .warning")
    warning.wait_for(state="visible", timeout=10_000)
    assert "NOT saved" in warning.inner_text()
    assert len(store.all()) == known
    assert notebook.page.locator(f"{PANEL} .status").inner_text().startswith("1 labelled and on disk")
    notebook.shot(PANEL, shots / "label-panel-dead.png")


def test_the_panel_speaks_to_screen_readers(notebook: Notebook) -> None:
    """The panel has a name, its buttons their keys, its status is announced, its warning is an alert."""
    notebook.open("20-label.ipynb").run_all()
    panel = notebook.page.locator(PANEL)
    assert "a number labels" in (panel.get_attribute("aria-label") or "")
    keys = [button.get_attribute("aria-keyshortcuts") for button in panel.locator("button").all()]
    assert keys == ["1", "2", "3", "a", "s", "u", "g", "t"]
    assert panel.locator(".status").get_attribute("aria-live") == "polite"
    assert panel.locator(".warning").get_attribute("role") == "alert"


def test_hostile_mail_runs_nothing_anywhere(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """Frames, previews, pictures, reports and both panels show mail that attacks its readers, as text."""
    write(lab.root / "hostile.ipynb", *HOSTILE_CELLS)
    notebook.open("hostile.ipynb").run_all()
    notebook.page.locator(PANEL).click()
    press(notebook, "g1s" * 8)
    notebook.settle()
    notebook.page.wait_for_timeout(500)  # an image that fails to load fires its handler a little later
    notebook.shot(PANEL, shots / "hostile-panel.png")
    notebook.assert_nothing_ran()
    shown = notebook.page.locator(".jp-RenderedHTMLCommon").all_text_contents()
    assert sum("onerror=" in text for text in shown) >= 4  # it was there, as text
    assert any("${7*7} {% include 'secret' %} for $9" in text for text in shown)
    assert notebook.page.locator("mjx-container").count() == 0  # money is no formula


def test_the_marker_would_be_seen(notebook: Notebook, lab: Lab) -> None:
    """The checks have teeth: the same words shown as HTML set the marker, and money becomes a formula."""
    evil = f'<img src=x onerror="window.{MARKER}=1"> from $5 to $9'
    write(lab.root / "teeth.ipynb", f"from IPython.display import HTML\nHTML({evil!r})")
    notebook.open("teeth.ipynb").run_all()
    page = notebook.page
    page.locator("mjx-container").wait_for()
    assert page.locator("mjx-container").count() == 1
    assert page.evaluate(f"() => window.{MARKER}") == 1


def test_the_tour_shows_its_pictures(notebook: Notebook, shots: Path) -> None:
    """The tour runs in the browser; its pictures are drawn, with words for those who cannot see them."""
    notebook.open("00-tour.ipynb").run_all()
    pictures = notebook.page.locator("img.picture").all()
    assert len(pictures) >= 2
    for picture in pictures:
        assert picture.get_attribute("alt")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    notebook.shot("img.picture", shots / "tour-picture.png")
    notebook.page.screenshot(path=str(shots / "tour.png"))
    notebook.assert_nothing_ran()


def test_an_exported_report_asks_nobody(chromium: Any, tmp_path: Path, shots: Path) -> None:
    """A report over hostile mail, opened from disk: whole, no script, no request besides itself."""
    from mailml import lab

    archive = lab.sample_archive(tmp_path / "archive", messages=300, hostile=True)
    bundle = lab.sample_bundle(archive, tmp_path / "rules", rules_only=True)
    out = tmp_path / "overview.html"
    lab.report("overview", archive, bundle, baseline=bundle, out=out)
    page, asked = chromium.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(out.as_uri())
    page.wait_for_timeout(500)
    assert page.evaluate(f"() => window.{MARKER}") is None
    assert [url for url in asked if not url.startswith("data:")] == [out.as_uri()]
    broken = "() => Array.from(document.images).filter(i => !i.complete || !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    page.screenshot(path=str(shots / "overview.png"), full_page=True)
    page.close()
