"""The rule panel in a real browser: written, ordered and saved by keyboard alone, over mail that attacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailml.flow import source

from .jupyter import Lab
from .notebook import Notebook
from .test_workbench import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PANEL = ".mailml-rules"
CELL = """
from mailml import lab
from mailml.lab import panels
archive = lab.sample_archive("rules/archive", messages=300, hostile=True)
bundle = lab.sample_bundle(archive, "rules/bundle", rules_only=True)
panel = panels.rules(bundle, archive, "rules/{name}.toml")
panel
"""


@pytest.fixture
def panel(notebook: Notebook, lab: Lab) -> Callable[[str], Any]:
    """Open a notebook with the panel over a flow file of its own; the panel's element when it is ready."""

    def open_(name: str) -> Any:
        write(lab.root / f"{name}.ipynb", CELL.format(name=name))
        notebook.open(f"{name}.ipynb").run_all()
        box = notebook.page.locator(PANEL)
        box.locator(".count").get_by_text("messages fit").wait_for()
        return box

    return open_


def names(box: Any) -> list[str]:
    """The rules of the list, in order, without where they go."""
    return [text.split("→")[0] for text in box.locator(".names li").all_text_contents()]


def told(notebook: Notebook, text: str, part: str = ".count") -> None:
    """Wait until a part of the panel holds a text."""
    notebook.page.wait_for_function(
        "([part, text]) => document.querySelector(part)?.textContent.includes(text)",
        arg=[f"{PANEL} {part}", text],
    )


def test_a_rule_is_written_ordered_and_saved_by_keyboard(
    notebook: Notebook, lab: Lab, shots: Path, panel: Callable[[str], Any]
) -> None:
    """Insert, name, field, operator, words, queue, order, save: no mouse, and no key reaches the notebook."""
    box, page = panel("keys"), notebook.page
    before = notebook.sources()
    box.locator(".names").focus()
    page.keyboard.press("ArrowDown")
    told(notebook, "2. enterprise", ".names [aria-selected=true]")
    page.keyboard.press("Insert")  # before the second rule; its name is chosen, ready to be typed
    page.keyboard.type("money bddx")  # b, dd and x are commands of JupyterLab elsewhere
    told(notebook, "2. money bddx", ".names [aria-selected=true]")
    told(notebook, "not tried", ".count")  # a condition without values is a fault, and said so
    page.keyboard.press("Tab")  # the join
    page.keyboard.press("Tab")  # add condition
    page.keyboard.press("Tab")  # the field
    page.keyboard.type("text")
    page.keyboard.press("Tab")  # the operator
    page.keyboard.press("Tab")  # the values
    page.keyboard.type("invoice")
    page.keyboard.press("Enter")
    page.keyboard.type("Rechnung")
    told(notebook, "messages fit")
    told(notebook, "agents left them in", ".places")
    box.get_by_label("Queue or folder").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Billing")
    told(notebook, '+then = { queue = "Billing" }', ".diff")
    box.get_by_label("Queue of all other mail").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Tech Support")
    told(notebook, '+default = "Tech Support"', ".diff")
    box.get_by_label("Values, one a line; one is enough").first.focus()
    notebook.shot(PANEL, shots / "rules-written.png")
    page.keyboard.press("Escape")  # back to the list
    page.keyboard.press("Alt+ArrowUp")
    told(notebook, "1. money bddx", ".names [aria-selected=true]")
    page.keyboard.press("Control+s")
    told(notebook, "saved in", ".state")
    saved = source.load(lab.root / "rules" / "keys.toml")
    assert [rule.name for rule in saved.rules][:2] == ["money bddx", "urgent"]
    assert saved.rules[0].asks()[0].expected == ("invoice", "Rechnung")
    assert saved.rules[0].then.queue == "Billing"
    assert saved.default == "Tech Support"
    told(notebook, "nothing changes", ".diff")
    for key in "bddxam":  # commands of the notebook, on a button and in the list
        page.keyboard.press(key)
    box.get_by_role("button", name="Save").focus()
    for key in "bddxam":
        page.keyboard.press(key)
    notebook.settle()
    assert notebook.sources() == before
    notebook.assert_nothing_ran()


def test_rules_are_taken_out_brought_back_and_dragged(
    notebook: Notebook, panel: Callable[[str], Any]
) -> None:
    """Delete takes a rule out, Take back returns it to its place, the mouse drags it to another."""
    box, page = panel("order"), notebook.page
    first = names(box)
    box.locator(".names").focus()
    page.keyboard.press("Delete")
    assert len(names(box)) == len(first) - 1
    told(notebook, '-name = "urgent"', ".diff")
    box.get_by_role("button", name="Take back").click()
    assert names(box) == first
    told(notebook, "nothing changes", ".diff")
    items = box.locator(".names li")
    items.nth(0).drag_to(items.nth(2))
    told(notebook, "3. urgent", ".names [aria-selected=true]")
    told(notebook, "urgent", ".diff")
    notebook.assert_nothing_ran()


def test_hostile_mail_is_text_and_faults_are_told(
    notebook: Notebook, shots: Path, panel: Callable[[str], Any]
) -> None:
    """Subjects that are scripts stand in the sample as text; a bad pattern is a fault in words."""
    box, page = panel("evil"), notebook.page
    box.get_by_label("Values, one a line; one is enough").first.fill("<")
    told(notebook, "onerror=", ".sample")
    notebook.shot(PANEL, shots / "rules-hostile.png")
    box.get_by_label("Operator").first.select_option("matches")
    box.get_by_label("Values, one a line; one is enough").first.fill("(unclosed")
    told(notebook, "urgent", ".faults")
    told(notebook, "not tried")
    page.keyboard.press("Control+s")
    told(notebook, "NOT saved", ".state")
    notebook.shot(PANEL, shots / "rules-faults.png")
    page.wait_for_timeout(300)
    notebook.assert_nothing_ran()


def test_a_kernel_that_is_gone_is_said(notebook: Notebook, panel: Callable[[str], Any]) -> None:
    """After the kernel has died a change raises the banner: nothing pretends to be saved."""
    box, page = panel("gone"), notebook.page
    notebook.stop_kernel()
    box.locator(".names").focus()
    page.keyboard.press("Alt+ArrowDown")
    box.locator(".warning").wait_for(state="visible", timeout=20_000)
    assert "does not answer" in box.locator(".warning").inner_text()
    page.keyboard.press("Control+s")
    page.wait_for_timeout(300)
    assert "saved" not in box.locator(".state").inner_text()


def test_code_and_form_do_not_undo_each_other(notebook: Notebook, lab: Lab) -> None:
    """Cells that run on while the panel waits change the rules: the form follows, and nothing is lost."""
    busy = """
import time
draft = panel.book.add()
draft["name"], draft["asks"] = "from code", []
time.sleep(10)
panel.book.try_rule(0)
"""
    write(lab.root / "code.ipynb", CELL.format(name="code"), busy)
    notebook.open("code.ipynb").run_all()
    told(notebook, "from code", ".names")
    told(notebook, "messages fit")
    box = notebook.page.locator(PANEL)
    box.locator(".warning").wait_for(state="hidden", timeout=20_000)
    box.locator(".names").focus()
    notebook.page.keyboard.press("Alt+ArrowDown")
    told(notebook, "2. urgent", ".names [aria-selected=true]")
    notebook.page.keyboard.press("Control+s")
    told(notebook, "saved in", ".state")
    saved = source.load(lab.root / "rules" / "code.toml")
    assert [rule.name for rule in saved.rules][-1] == "from code"
    assert saved.rules[1].name == "urgent"
    notebook.assert_nothing_ran()


def test_hostile_mail_in_a_back_test_is_text(notebook: Notebook, lab: Lab, shots: Path) -> None:
    """Every attack of the sample, opened in the page and one by one: nothing runs, rows open by keyboard."""
    cells = (
        """
from mailml import lab
archive = lab.sample_archive("rules/archive", messages=300, hostile=True)
bundle = lab.sample_bundle(archive, "rules/bundle", rules_only=True)
rows = lab.frame(archive, text=False)
evil = list(rows[rows["from_addr"].eq("mallory@evil.test")]["sha256"])
only = archive.path.parent / "evil"
held = lab.Archive.open(only, create=True)
""",
        """
from mailml.archive import Arrival
when = rows["internaldate"].max().to_pydatetime()
held.append(Arrival("a", "INBOX", 1, n, archive.raw(sha), when) for n, sha in enumerate(evil, 1))
test = lab.backtest('default = "Billing"\\n', bundle, held)
test
""",
        "for change in test.opened():\n    display(change)",
        "for sha in evil:\n    display(lab.trace(archive, sha, bundle))",
    )
    write(lab.root / "opened.ipynb", *cells)
    notebook.open("opened.ipynb").run_all()
    page = notebook.page
    first = page.locator("details.entry:not([open]) summary").first
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)  # an image that fails to load fires its handler a little later
    notebook.shot("details.entry[open]", shots / "hostile-opened.png")
    opened = page.locator("details.entry[open]").all_text_contents()
    assert len(opened) > 5
    assert any("onerror=" in text for text in opened)
    notebook.assert_nothing_ran()
