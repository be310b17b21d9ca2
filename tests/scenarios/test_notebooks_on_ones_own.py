"""The course works on the reader's own mailbox: the same notebooks, with an account named in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from mailml.bundle import toml
from mailml.demo.running import fill
from mailml.lab import sample
from mailml.transport.imap import connect
from tests.servers.dovecot import User
from tests.test_notebooks import CELL_SECONDS, NOTEBOOKS, OTHER, code_cells

pytestmark = [pytest.mark.scenario, pytest.mark.notebook, pytest.mark.timeout(900)]
# Training sees few messages here: small models are as good and quick.
CHANGED: dict[str, Any] = {"account": "desk", "messages": 500}


@pytest.fixture(scope="module")
def desk_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole course, as a reader would have."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture
def kernel(desk_folder: Path) -> Iterator[KernelManager]:
    """One kernel for the whole course, emptied before each; fresh ones are for tests/test_notebooks.py."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(desk_folder))
    yield manager
    manager.shutdown_kernel(now=True)


def test_the_course_runs_on_an_account(dovecot: User, desk_folder: Path, kernel: KernelManager) -> None:
    """Every notebook pulls the account's mail from a real server and runs to its end, without the sample."""
    with connect(dovecot.account()) as session:
        fill(session, list(sample.generate(seed=3, messages=500)))
    (desk_folder / "mailml.toml").write_text(toml.dumps({"account": {"desk": dovecot.mapping()}}))
    for path in NOTEBOOKS:
        said = run(path, kernel)
        assert "Next:" in said or "From here:" in said, path.stem
    assert (desk_folder / "work" / "desk" / "archive.json").exists()
    assert not (desk_folder / "work" / "archive").exists()


def run(path: Path, kernel: KernelManager) -> str:
    """Execute one notebook with its account set; returns what its last cell printed."""
    notebook = nbformat.read(path, as_version=4)
    first = code_cells(notebook)[0]
    assert "\naccount = " in f"\n{first.source}", f"{path.stem} has no account line"
    parameters = {**CHANGED, **OTHER.get(path.stem, {})}
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(notebook.cells.index(first) + 1, nbformat.v4.new_code_cell(source))
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    NotebookClient(notebook, km=kernel, timeout=CELL_SECONDS).execute()
    return "".join(output.get("text", "") for output in code_cells(notebook)[-1].outputs)
