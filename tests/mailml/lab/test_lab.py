"""The front door: instant, complete, and with functions that no module of the same name can replace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mailml import lab


def test_importing_the_lab_imports_nothing_heavy() -> None:
    """`from mailml import lab` loads neither pandas nor scikit-learn nor matplotlib nor Jupyter."""
    code = (
        "import sys; from mailml import lab; "
        "heavy = ('pandas', 'sklearn', 'matplotlib', 'polars', 'IPython', 'ipywidgets'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_opens() -> None:
    """Each name the front door lists can be reached, and functions are callable."""
    for name in lab.__all__:
        assert getattr(lab, name) is not None
    assert callable(lab.frame)
    assert callable(lab.report)


def test_a_module_never_replaces_the_function_of_its_name() -> None:
    """Importing mailml.lab.frame beforehand leaves `lab.frame` the function."""
    code = (
        "import mailml.lab.frame, mailml.lab.replay; from mailml import lab; "
        "print(callable(lab.frame), callable(lab.replay))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True"


def test_an_unknown_name_lists_what_there_is() -> None:
    """A typo is answered with the names that exist."""
    with pytest.raises(AttributeError, match="sla_report"):
        _ = lab.fraem  # type: ignore[attr-defined]


def test_nothing_in_the_lab_marks_or_moves_mail() -> None:
    """No module of the lab names a command that changes a mailbox or sends mail."""
    forbidden = (
        "smtplib",
        "transport.smtp",
        ".move(",
        "create_folder(",
        "session.select(",
        "session.append(",
    )
    for path in Path(lab.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in forbidden if word in text], path
