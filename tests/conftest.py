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


# Files that take minutes go first: with two workers the last file of the run would otherwise be one of them.
_LONG = (
    "test_demo.py",
    "test_same_decisions.py",
    "test_notebooks_on_ones_own.py",
    "test_soak.py",
    "test_notebooks.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, the order within a file untouched."""
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))
