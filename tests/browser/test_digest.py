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
mails = [{**row, "message": f"{n:064x}", "subject": hostile if n == 0 else f"mail {n}"} for n in range(12)]
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
    page.screenshot(path=str(shots / "digest.png"))
    assert page.title() != "owned"
    assert page.locator(".jp-OutputArea img[src=x]").count() == 0
    assert "<img src=x" in page.locator(".jp-OutputArea").last.inner_text()
    page.locator(".jp-OutputArea button", has_text="later").click()
    page.locator(".jp-OutputArea", has_text="2 of 2").wait_for()
    page.locator(".jp-OutputArea button", has_text="earlier").click()
    page.locator(".jp-OutputArea button", has_text="take back").click()
    page.locator(".jp-OutputArea", has_text="Nothing to put back yet").wait_for()
    notebook.settle()
    assert requests(folder / "undo.jsonl") == []
    assert "0" * 64 not in Labels(folder / "labels.jsonl").latest()
