"""Panels for tuning, errors and pulling in a real browser: keys, mouse, a reloaded tab, hostile mail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailml.lab.labels import Labels

from .jupyter import Lab
from .notebook import Notebook
from .test_workbench import press, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PANEL = ".mailml-panel"

# Trained by the first notebook that needs it, read again by the others.
TRAINED = """
from pathlib import Path
from mailml import lab
from mailml.flow import ready
from mailml.lab import panels, saved
from mailml.lab.queues import folder_categories
archive = lab.sample_archive("panels/archive", messages=500, hostile=True)
rows = lab.frame(archive)
mapping = folder_categories(list(rows["folder"].unique()), ready.load("default"))
labels = {label.message: label.label for label in lab.labels.from_folders(rows, mapping)}
model = Path("panels/model")
if not model.exists():
    saved.save(lab.train(rows, labels, word_limit=2000, char_limit=3000), model)
trained = saved.load(model, rows)
"""


def told(notebook: Notebook) -> str:
    """The sentence and the table of the threshold panel."""
    return str(notebook.page.locator(f"{PANEL} .mailml-told").first.inner_text())


def changed(notebook: Notebook, before: str) -> str:
    """What the panel tells once it is another thing than before."""
    selector = f"{PANEL} .mailml-told"
    notebook.page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).innerText !== before",
        arg=[selector, before],
    )
    return told(notebook)


def test_costs_and_thresholds_by_keyboard(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """Arrows move a slider, a number is typed, thresholds are solved: no key of it reaches JupyterLab."""
    write(lab.root / "tune.ipynb", TRAINED, "panel = panels.tune(trained)\npanel", "panel.tuning.minutes")
    notebook.open("tune.ipynb").run_all()
    page, before, cells = notebook.page, told(notebook), notebook.sources()
    assert "minutes in 100 messages" in before
    page.locator(f"{PANEL} .noUi-handle").first.focus()
    press(notebook, ("ArrowRight",) * 4)
    box = page.locator(f"{PANEL} input[type=number]").first
    page.wait_for_function(
        "(selector) => document.querySelector(selector).value === '10'", arg=f"{PANEL} input[type=number]"
    )
    notebook.settle()
    moved = told(notebook)
    assert moved != before
    press(notebook, "ddxb")  # delete, delete, cut and insert in JupyterLab
    box.fill("40")
    box.press("Tab")
    changed(notebook, moved)
    page.locator(f"{PANEL} button", has_text="Solve").focus()
    press(notebook, ("d", "d", "Enter"))
    notebook.settle()
    notebook.shot(PANEL, shots / "threshold-panel.png")
    assert notebook.sources() == cells
    notebook.assert_nothing_ran()


def test_from_a_number_to_a_corrected_label(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """A number opens its messages, arrows read them, and a wrong label is corrected on disk, by keyboard."""
    write(
        lab.root / "errors.ipynb",
        TRAINED,
        'bundle = lab.sample_bundle(archive, "panels/rules", rules_only=True)\n'
        'panel = panels.errors(trained, archive, "panels/corrected.jsonl", bundle)\npanel',
    )
    notebook.open("errors.ipynb").run_all()
    page, cells = notebook.page, notebook.sources()
    wrong = page.locator(f"{PANEL} button.mod-warning").first
    wrong.focus()
    press(notebook, ("d", "d", "Enter"))
    notebook.settle()
    page.locator(f"{PANEL} .mailml-text").nth(1).wait_for()
    why = page.locator(f"{PANEL} .mailml-text").nth(1).inner_text()
    assert why.startswith("labelled ")
    assert "rules" in why
    notebook.shot(PANEL, shots / "error-panel.png")
    page.locator(f"{PANEL} button", has_text="The label is wrong").focus()
    press(notebook, ("Enter",))
    notebook.settle()
    said = Labels(lab.root / "panels" / "corrected.jsonl").all()
    assert [(label.source, label.note) for label in said] == [("panel", "corrected while looking at errors")]
    assert notebook.sources() == cells
    notebook.assert_nothing_ran()


def test_hostile_errors_run_nothing(notebook: Notebook, lab: Lab) -> None:
    """Every mail of the attacker, taken for an error, is read in the panel: nothing runs."""
    write(
        lab.root / "hostile-errors.ipynb",
        TRAINED,
        """
from dataclasses import replace
evil = rows[rows["from_addr"].eq("mallory@evil.test")]
texts = [f"{s}\\n{o}" for s, o in zip(evil["subject"], evil["own"])]
given = list(trained.examples.texts)
given[:len(texts)] = texts
names = dict(zip(trained.classes, trained.classes))
panel = panels.errors(replace(trained, examples=replace(trained.examples, texts=given)))
panel
""",
        """
shown = 0
for truth in trained.classes:
    for said in panel.mistakes.actions:
        panel._show(truth, said)
        for at in range(len(panel._shown)):
            panel._list.index = at
            shown += panel._shown[at].row < len(texts)
assert shown == len(texts) > 10
""",
    )
    notebook.open("hostile-errors.ipynb").run_all()
    notebook.assert_nothing_ran()


PULLING = """
from mailml import lab
from mailml.demo.running import running
sample = running("--seed", "7", "--messages", "400")
server = sample.__enter__()
"""


def test_a_reloaded_tab_finds_its_pull_again(notebook: Notebook, lab: Lab) -> None:
    """A pull goes on while the tab is reloaded; the same cell attaches to it, and all is there once."""
    start = 'job = lab.pull_job(server.desk(), "pulled-by-job")\njob'
    write(lab.root / "job.ipynb", PULLING, start)
    notebook.open("job.ipynb").run_all()
    notebook.page.reload()
    notebook.wait_until_idle()
    assert (
        evaluate(notebook, f"was = job.running\n{start}\nprint(job is not None, job.wait(120))")
        == "True True\n"
    )
    assert evaluate(notebook, "print(job.error, job.archive.status().pulling)") == "None None\n"
    keys = 'job.archive.table(["folder", "uid"]).to_pylist()'
    counted = evaluate(notebook, f"keys = {keys}\nprint(len(keys), len({{tuple(k.values()) for k in keys}}))")
    count, different = counted.split()
    assert count == different
    assert int(count) >= 400
    evaluate(notebook, "sample.__exit__(None, None, None)")
    notebook.assert_nothing_ran()


def evaluate(notebook: Notebook, code: str) -> str:
    """Run code in the notebook's kernel and return what it printed."""
    printed: Any = notebook.page.evaluate(
        """async (code) => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const future = kernel.requestExecute({ code });
          let out = '';
          future.onIOPub = (m) => {
            if (m.header.msg_type === 'stream') out += m.content.text;
            if (m.header.msg_type === 'error') out += m.content.ename + ': ' + m.content.evalue;
          };
          await future.done;
          return out;
        }""",
        code,
    )
    return str(printed)
