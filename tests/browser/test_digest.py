"""The digest of filed mail in a real browser: a click is on disk, and hostile subjects stay text."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailml.lab.labels import Labels
from serve.undoing import requests

from .jupyter import Lab
from .notebook import Notebook
from .test_workbench import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

MAKE = """
from mailml import lab
hostile = "<img src=x onerror=\\"document.title='owned'\\">\\u202e"
row = {"at": "2026-03-05 09:00", "sender": "a@x.example", "kind": "bounce", "folder": "Automated/Bounces"}
row |= {"evidence": "Return-Path: <script>document.title='owned'</script>"}
subjects = [hostile, "Why $5 instead of $9?", *(f"mail {n}" for n in range(2, 12))]
mails = [{**row, "message": f"{n:064x}", "subject": subject} for n, subject in enumerate(subjects)]
"""
OPEN = "panel = lab.panels.digest(mails, undo='digest/undo.jsonl', labels='digest/labels.jsonl')\npanel"


def test_a_click_asks_to_undo_and_a_second_one_takes_it_back(
    notebook: Notebook, lab: Lab, shots: Path
) -> None:
    """The request and the label are on disk after the click; the page runs nothing of a stranger's."""
    write(lab.root / "digest.ipynb", MAKE, OPEN)
    notebook.open("digest.ipynb").run_all()
    page = notebook.page
    buttons = page.locator(".jp-OutputArea button", has_text="a person wrote it")
    assert buttons.count() == 8
    buttons.first.click()
    page.locator(".jp-OutputArea button", has_text="take back").wait_for()
    notebook.settle()
    folder = lab.root / "digest"
    assert [one.message for one in requests(folder / "undo.jsonl")] == ["0" * 64]
    assert Labels(folder / "labels.jsonl").latest()["0" * 64].label == "human"
    notebook.shot(".mailml-panel", shots / "digest.png")
    assert page.title() != "owned"
    assert page.locator(".jp-OutputArea img[src=x]").count() == 0
    shown = page.locator(".jp-OutputArea").last.inner_text()
    assert "<img src=x" in shown
    assert "Why $5 instead of $9?" in shown  # and no formula
    assert page.locator(".jp-OutputArea mjx-container").count() == 0
    page.locator(".jp-OutputArea button", has_text="later").click()
    page.locator(".jp-OutputArea", has_text="2 of 2").wait_for()
    page.locator(".jp-OutputArea button", has_text="earlier").click()
    page.locator(".jp-OutputArea button", has_text="take back").click()
    page.locator(".jp-OutputArea", has_text="Nothing to put back yet").wait_for()
    notebook.settle()
    assert requests(folder / "undo.jsonl") == []
    assert "0" * 64 not in Labels(folder / "labels.jsonl").latest()


def test_a_kernel_that_does_not_answer_is_said_and_its_return_too(
    notebook: Notebook, lab: Lab, shots: Path
) -> None:
    """While another cell works a click raises the banner until the answer comes; so does a new kernel."""
    opened = OPEN.replace("digest/", "gone/")
    write(lab.root / "gone.ipynb", MAKE, opened)
    notebook.open("gone.ipynb").run_all()
    page = notebook.page
    banner, button = page.locator(".mailml-gone"), page.locator(".mailml-panel button", has_text="later")
    assert banner.is_hidden()
    page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({ code: 'import time; time.sleep(6)' }) }"
    )
    button.click()
    banner.wait_for(state="visible", timeout=15_000)
    assert "NOT saved until it answers again" in banner.inner_text()
    notebook.shot(".mailml-panel", shots / "digest-gone.png")
    banner.wait_for(state="hidden", timeout=30_000)
    page.locator(".jp-OutputArea", has_text="2 of 2").wait_for()  # what was clicked in between was heard late
    notebook.restart_kernel()
    page.locator(".mailml-panel button", has_text="earlier").click()
    banner.wait_for(state="visible", timeout=15_000)
    notebook.run_all()
    assert page.locator(".mailml-gone").is_hidden()
    page.locator(".mailml-panel button", has_text="later").click()
    page.locator(".jp-OutputArea", has_text="2 of 2").wait_for()
    assert page.locator(".mailml-gone").is_hidden()
