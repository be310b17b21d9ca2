"""The first hour of an analyst, step by step in one notebook, and of a support lead with one HTML file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mailml.lab.labels import Labels

from .jupyter import Lab
from .notebook import Notebook
from .test_panels import evaluate
from .test_workbench import PANEL, press, wait_for_status, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

STEPS = (
    "from mailml import lab\nlab.doctor()",
    """
from mailml.demo.running import running
from mailml.transport.account import Account
sample = running("--seed", "7", "--messages", "500")
server = sample.__enter__()
told = {"host": server.host, "port": server.imap, "security": "none", "user": server.user, "auth": "password"}
wrong = lab.pull_job(Account.from_mapping({**told, "password": "correct-horse"}, name="desk"), "hour/archive")
wrong.wait()
wrong
""",
    'job = lab.pull_job(server.desk(), "hour/archive")\njob.stop()\njob',
    'job = lab.pull_job(server.desk(), "hour/archive")\njob',
)
LABELS = 'archive = lab.Archive.open("hour/archive")\nlab.panels.label(archive, "hour/labels.jsonl", n=40)'


def test_the_analysts_first_hour(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """Doctor, a wrong password, a cut pull, a reload, keys, a new kernel, too few labels, report, bundle."""
    name = "hour.ipynb"
    write(lab.root / name, *STEPS, "job.wait(120)", LABELS)
    notebook.open(name).run_all()
    page = notebook.page
    said = page.locator(".jp-Notebook").inner_text()
    assert "the workbench is well" in said.lower() or "do what the arrows say" in said.lower() or "✓" in said
    assert "correct-horse" not in said.replace('"password": "correct-horse"', "")
    failed = evaluate(notebook, "print(str(wrong))")
    assert failed.count("\n") == 1, failed
    assert "Check user and password" in failed
    page.reload()
    notebook.wait_until_idle()
    counted = evaluate(
        notebook, 'print(job.error, len(lab.Archive.open("hour/archive")), archive.status().pulling)'
    )
    assert counted.split()[0] == "None"
    assert int(counted.split()[1]) >= 500
    assert counted.split()[2] == "None"
    # labels by keys survive a restarted kernel
    notebook.run_all()
    page.locator(PANEL).click()
    press(notebook, "1212")
    wait_for_status(notebook, "4 labelled and on disk")
    restart(notebook)
    notebook.run_all()
    page.locator(PANEL).click()
    press(notebook, "3")
    wait_for_status(notebook, "1 labelled and on disk")
    store = Labels(lab.root / "hour" / "labels.jsonl")
    assert len(store.latest()) == 5
    assert "left" in page.locator(f"{PANEL} .status").inner_text()
    # five labels are not enough to train, and that is said in one sentence
    few = evaluate(notebook, 'lab.train(lab.frame(archive), lab.labels.Labels("hour/labels.jsonl"))')
    assert few.startswith("NotEnoughData: ")
    # where agents left the mail teaches more: threshold, report, export
    done = evaluate(
        notebook,
        """
from mailml.flow import ready
from mailml.lab.queues import folder_categories
rows = lab.frame(archive)
mapping = folder_categories(list(rows["folder"].unique()), ready.load("default"))
known = {one.message: one.label for one in lab.labels.from_folders(rows, mapping)}
trained = lab.train(rows, known, word_limit=2000, char_limit=3000)
tuned = lab.panels.Tuning(trained).best().use()
bundle = lab.export(tuned, ready.load("default"), lab.first_desk(archive), "hour/bundle")
page = lab.report("overview", archive, bundle, out="hour/overview.html")
print(bundle.id, lab.Bundle.load("hour/bundle").id)
sample.__exit__(None, None, None)
""",
    )
    first, again = done.split()[-2:]
    assert first == again
    notebook.shot(PANEL, shots / "first-hour.png")
    saved_without_outputs(notebook, lab.root / name)
    notebook.assert_nothing_ran()
    lead_opens(notebook, lab.root / "hour" / "overview.html", shots)


def restart(notebook: Notebook) -> None:
    """Restart the kernel as the menu does, without its question."""
    notebook.page.evaluate(
        "async () => { const s = window.jupyterapp.shell.currentWidget.sessionContext;"
        " await s.session.kernel.restart() }"
    )
    notebook.wait_until_idle()


def saved_without_outputs(notebook: Notebook, path: Path) -> None:
    """What is committed after nbstripout holds no output and no widget state: no customer's words."""
    notebook.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.save() }")
    before = nbformat.read(path, as_version=4)
    assert any(cell.get("outputs") for cell in before.cells)
    subprocess.run([sys.executable, "-m", "nbstripout", "--drop-empty-cells", str(path)], check=True)
    after = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in after.cells)
    assert "widgets" not in after.metadata


def lead_opens(notebook: Notebook, path: Path, shots: Path) -> None:
    """One file, no network: it has headings, pictures with words beside them, and fits a phone."""
    page = notebook.page
    page.goto(path.resolve().as_uri())
    assert page.locator("h1").count() == 1
    assert page.locator("h2").count() >= 3
    pictures = page.locator("img.picture")
    assert pictures.count() >= 2
    assert all(pictures.nth(n).get_attribute("alt") for n in range(pictures.count()))
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.screenshot(path=str(shots / "lead-390.png"), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 1000})
    assert wide <= 1, f"{wide} px too wide for a phone"
