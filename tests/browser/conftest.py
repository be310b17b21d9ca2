"""One JupyterLab and one Chromium for all browser tests; loopback is all they can reach."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from .jupyter import Lab, jupyterlab
from .notebook import Notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chromium itself resolves no other name, whatever a page asks for
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go, to be looked at."""
    return tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab over copies of the notebooks with a small sample: nothing is written into the project."""
    root = tmp_path_factory.mktemp("root")
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        first = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
        first.source += "\nmessages = 500"
        nbformat.write(notebook, root / path.name)
    with jupyterlab(tmp_path_factory.mktemp("jupyter"), root) as running:
        yield running


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a profile of its own."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("needs Chromium (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")),
            executable_path=CHROMIUM,
            headless=True,
            args=ARGUMENTS,
            viewport={"width": 1280, "height": 1000},
        )
        yield context
        context.close()


@pytest.fixture
def notebook(lab: Lab, chromium: Any) -> Iterator[Notebook]:
    """A fresh tab; when the test is over its kernel is stopped, and nothing may have called out."""
    page = chromium.new_page()
    page.set_default_timeout(30_000)
    opened = Notebook(page, lab)
    yield opened
    with contextlib.suppress(Exception):
        opened.stop_kernel()
    page.close()
    assert not opened.blocked, f"the notebook called out: {opened.blocked}"
