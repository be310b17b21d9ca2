"""Every notebook is clean in git, a story over the library, and runs from the top on the sample mailbox."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# A mailbox in which every notebook has something to say, and training takes seconds.
SMALL: dict[str, Any] = {"messages": 500}
OTHER: dict[str, dict[str, Any]] = {"30-classifier": {"words": 2000, "characters": 3000}}
CELL_SECONDS = 240

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    """The notebook as nbformat reads it."""
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    """Its code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_all_notebooks_are_found() -> None:
    """The eight notebooks of the course are there: none can drop out of these tests unseen."""
    assert len(NOTEBOOKS) >= 8
    assert [path.stem[:2] for path in NOTEBOOKS][:8] == ["00", "10", "20", "30", "40", "50", "60", "70"]


@each
def test_is_stripped(path: Path) -> None:
    """No output, no execution count and no widget state: they hold customers' mail."""
    notebook = read(path)
    assert not any(cell.outputs or cell.execution_count for cell in code_cells(notebook)), "clear outputs"
    assert "widgets" not in notebook.metadata, "clear the widget state: it holds what the panel showed"


@each
def test_holds_no_logic(path: Path) -> None:
    """No function, no class, short cells: what is worth a function belongs in mailml.lab, with a test."""
    for cell in code_cells(read(path)):
        tree = ast.parse(cell.source)
        named = [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)
        ]
        assert not named, f"move {named} into mailml.lab"
        assert cell.source.count("\n") < 25


@each
def test_names_no_place_and_no_secret(path: Path) -> None:
    """No absolute path and no password: the notebook runs anywhere, and may be read by anyone."""
    source = "\n".join(cell.source for cell in read(path).cells)
    assert not re.search(r"""["'](/|~|[A-Z]:\\)[\w.]""", source)
    assert not re.search(r"""(password|token|secret)\s*=\s*["'][^"']""", source)


@each
def test_begins_with_parameters_and_ends_with_what_was_made(path: Path) -> None:
    """The first code cell is tagged `parameters`; the last one prints what was produced, and where."""
    cells = code_cells(read(path))
    assert "parameters" in cells[0].metadata.get("tags", [])
    assert not [node for node in ast.parse(cells[0].source).body if not isinstance(node, ast.Assign)]
    assert "print(" in cells[-1].source
    assert "folder" in cells[-1].source or "bundle" in cells[-1].source or "path" in cells[-1].source


@each
def test_has_a_story_and_a_picture(path: Path) -> None:
    """Every notebook explains itself and shows at least one picture or page."""
    notebook = read(path)
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert text[0].startswith("# ")
    assert len(text) >= 4
    source = "\n".join(cell.source for cell in code_cells(notebook))
    pictures = ("figures.", "drawings.", "displays.", "lab.report(")
    assert any(picture in source for picture in pictures)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all notebooks: what one leaves (archive, bundle) the next one finds, as for a reader."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.mark.notebook
@pytest.mark.timeout(600)
@each
def test_runs_from_the_top(path: Path, place: Path) -> None:
    """Each runs without an error on a small sample, and its last cell says what was made."""
    notebook = read(path)
    parameters = {**SMALL, **OTHER.get(path.stem, {})}
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    at = notebook.cells.index(code_cells(notebook)[0])
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(source))
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    )
    client.execute()
    said = "".join(output.get("text", "") for output in code_cells(notebook)[-1].outputs)
    assert "Next:" in said or "From here:" in said
    _shows_no_markup_of_strangers(notebook)


def _shows_no_markup_of_strangers(notebook: Any) -> None:
    """The hostile mails of the sample appear as text in every output."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            for hostile in ("<script", "<img src=x", "<svg", "<iframe", "<a href"):
                assert hostile not in html.lower().replace('<a href="#', "")
