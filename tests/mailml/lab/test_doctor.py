"""The doctor names what is missing, with the command that cures it."""

from __future__ import annotations

from importlib import metadata

import pytest

from mailml.lab import doctor as front
from mailml.lab.doctor import _numbers, doctor


def test_this_environment_is_well() -> None:
    """Where the tests run everything is installed, and the doctor finds it."""
    health = doctor()
    assert health.ok, str(health)
    assert "The workbench is well." in str(health)
    assert callable(front)


def test_a_missing_package_has_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anywidget the check fails, says what it is for, and names the command."""
    real = metadata.version

    def version(name: str) -> str:
        if name == "anywidget":
            raise metadata.PackageNotFoundError(name)
        return "4.5.9" if name == "jupyterlab" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    health = doctor()
    bad = {check.name: check for check in health.checks if not check.ok}
    assert set(bad) == {"anywidget", "jupyterlab"}
    assert 'pip install "mailml[lab]"' in bad["anywidget"].cure
    assert "older than 4.6.4" in bad["jupyterlab"].found
    assert not health.ok


def test_versions_compare_as_numbers() -> None:
    """4.10 is later than 4.9, and a release candidate counts as its numbers."""
    assert _numbers("4.10") > _numbers("4.9.5")
    assert _numbers("9.0.0rc1") == (9, 0, 0)
