"""What every test may ask for: the shared mail and tickets, and real servers started from a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
    "scenarios/test_demo.py",
    "scenarios/test_moves.py",
    "scenarios/test_same_decisions.py",
    "browser/test_panels.py",
    "browser/test_workbench.py",
    "browser/test_rules.py",
    "browser/test_first_hour.py",
    "browser/test_digest.py",
    "browser/test_reports.py",
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, the order within a file untouched; no coverage of the laws."""
    place = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(_name(item), len(_LONG)))
    for item in items:
        if _name(item).startswith(_NOT_MEASURED):
            item.add_marker("no_cover")


def _name(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").as_posix()
