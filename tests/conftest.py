"""What every test may ask for: the shared mail and tickets, and real servers started from a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["tests.servers.fixtures"]

ROOT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path:
    """Where real mail and tickets are kept, beside the checkout unless MAILML_SHARED says otherwise."""
    return Path(os.environ.get("MAILML_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real mail and tickets; skips where it is absent."""
    folder = shared_folder()
    if not (folder / "mail" / "manifest.jsonl").exists():
        pytest.skip("needs the shared mail and tickets (set MAILML_SHARED); continuous integration has them")
    return folder


# Files that take a minute or more go first (make test hands files out in this order): the last one of the
# run would otherwise be one of them, with the other worker idle.
_LONG = (
    "browser/test_panels.py",
    "browser/test_workbench.py",
    "browser/test_rules.py",
    "browser/test_first_hour.py",
    "browser/test_digest.py",
    "browser/test_reports.py",
    "scenarios/test_demo.py",
    "scenarios/test_moves.py",
    "scenarios/test_same_decisions.py",
    "scenarios/test_soak.py",
    "test_notebooks.py",
    "scenarios/test_notebooks_on_ones_own.py",
    "test_shape.py",
    "scenarios/test_serve_edges.py",
    "scenarios/test_serve_faults.py",
    "scenarios/test_serve_shared.py",
    "scenarios/test_real_mail.py",
)
# What these do a hundred times over is covered by other tests once: coverage would only slow them.
_NOT_MEASURED = ("laws/", "scenarios/test_same_decisions.py")


class _Files(LoadFileScheduling):
    """A file is run by one worker, and so are all browser tests: they share JupyterLab and Chromium."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "tests/browser" if file.startswith("tests/browser/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """`--dist loadfile` as above."""
    return _Files(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, the order within a file untouched; no coverage of the laws."""
    place = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(_name(item), len(_LONG)))
    for item in items:
        if _name(item).startswith(_NOT_MEASURED):
            item.add_marker("no_cover")


def _name(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").as_posix()
