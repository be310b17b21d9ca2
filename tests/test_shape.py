"""The shape of the house: layers, sizes, names, and a production install without the workbench."""

from __future__ import annotations

import ast
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = sorted([*ROOT.glob("mailml/**/*.py"), *ROOT.glob("serve/**/*.py")])
TESTS = sorted(ROOT.glob("tests/**/test_*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 60
SAYS_NOTHING = {"utils", "util", "helpers", "common", "misc", "manager"}
WORKBENCH = (
    "pandas",
    "polars",
    "sklearn",
    "scipy",
    "matplotlib",
    "IPython",
    "ipywidgets",
    "jupyterlab",
    "pyarrow",
)

DECIDES_WITHOUT_THE_WORKBENCH = f"""
import importlib.util, sys
from datetime import UTC, datetime
present = [name for name in {WORKBENCH!r} if importlib.util.find_spec(name)]
assert not present, f"the base install brings {{present}}"
import serve.__main__, serve.supervisor
from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.verdict import Context
when = datetime(2026, 3, 2, 10, tzinfo=UTC)
raw = b"From: a@customer.example\\r\\nSubject: [URGENT] down\\r\\n\\r\\nHelp!\\r\\n"
decision = decide(raw, Bundle.load(sys.argv[1]), Context(received_at=when, now=when))
assert decision.queue == "Priority Support", decision.queue
print("decided:", decision.queue, decision.priority)
"""


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function defined in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def named(path: Path) -> str:
    """The path as a test id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_module_can_be_read_at_one_sitting(path: Path) -> None:
    """No module is over 300 lines and no function over 60."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 > LONGEST_FUNCTION]
    assert not long, f"split {long}"


def test_every_module_has_a_name_that_says_something() -> None:
    """No utils, helpers, common, misc or manager."""
    assert not [named(path) for path in SOURCES if path.stem in SAYS_NOTHING]


@pytest.mark.parametrize("path", TESTS, ids=named)
def test_every_test_says_what_must_hold(path: Path) -> None:
    """Each test function has a docstring."""
    mute = [f.name for f in functions(path) if f.name.startswith("test_") and not ast.get_docstring(f)]
    assert not mute, f"{named(path)}: no docstring on {mute}"


def test_layers_hold() -> None:
    """The import contracts of tests/importlinter.ini are kept."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", "tests/importlinter.ini"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_importing_mailml_is_light() -> None:
    """`import mailml` loads nothing of the workbench, the transport or the models."""
    heavy = (*WORKBENCH, "numpy", "imapclient", "msal", "sqlalchemy")
    probe = f"import sys, mailml; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_base_install_serves_without_the_workbench(tmp_path: Path) -> None:
    """In an empty environment with the base lock alone, serve imports and a bundle decides."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = str(home / "bin" / "python")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    locked = ["--no-compile", "--no-deps", "--require-hashes", "-r", "requirements/base.txt"]
    subprocess.run([*pip, *locked], cwd=ROOT, check=True)
    bundle = next(ROOT.glob("tests/bundles/v1*"))
    done = subprocess.run(
        [python, "-c", DECIDES_WITHOUT_THE_WORKBENCH, str(bundle)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "decided: Priority Support 10" in done.stdout
