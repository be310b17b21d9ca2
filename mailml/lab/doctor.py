"""`lab.doctor()`: what the workbench needs, what is there, and the command that cures what is not."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mailml.lab.escape import esc

_INSTALL = 'pip install "mailml[lab]"'
# The least version of each, and what it is for; JupyterLab before 4.6 has CVE-2026-42557.
_NEEDS = (
    ("jupyterlab", "4.6.4", "the notebooks"),
    ("ipykernel", "6", "running Python in a notebook"),
    ("ipywidgets", "8.1", "panels"),
    ("anywidget", "0.9.20", "the keyboard label panel"),
    ("pandas", "3", "the frames"),
    ("pyarrow", "20", "the archive"),
    ("polars", "1.30", "flows over a whole archive"),
    ("scikit-learn", "1.8", "training"),
    ("matplotlib", "3.10", "pictures"),
    ("jinja2", "3.1", "reports"),
)
_LEAST_FREE = 1 << 30  # bytes; a year of a busy mailbox fits


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its name, whether it is well, what was found, and the cure if it is not."""

    name: str
    ok: bool
    found: str
    cure: str = ""

    def __str__(self) -> str:
        mark = "ok  " if self.ok else "BAD "
        return f"{mark} {self.name:<22} {self.found}" + (f"\n     -> {self.cure}" if self.cure else "")


@dataclass(frozen=True, slots=True)
class Health:
    """All checks; prints as a list, and as a table in a notebook."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(check.ok for check in self.checks)

    def __str__(self) -> str:
        last = "The workbench is well." if self.ok else "Do what the arrows say, then run this again."
        return "\n".join([*map(str, self.checks), last])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'✓' if c.ok else '✗'}</td><th style='text-align:left'>{esc(c.name)}</th>"
            f"<td style='text-align:left'>{esc(c.found)}</td>"
            f"<td style='text-align:left'>{esc(c.cure)}</td></tr>"
            for c in self.checks
        )
        return f"<table>{rows}</table>"


def doctor(folder: str | Path = ".") -> Health:
    """Look at the interpreter, the packages, the notebook kernel, the widgets and the disk.

    `folder` is where archives and labels will be written. Nothing is changed and no network is asked.
    """
    return Health(
        (_python(), *_packages(), _kernel(), _extension("@jupyter-widgets/jupyterlab-manager"), _disk(folder))
    )


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return Check("Python", ok, f"{found} in {sys.prefix}", "" if ok else "Install Python 3.11 or later")


def _packages() -> Iterator[Check]:
    for name, least, purpose in _NEEDS:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Check(name, False, f"missing: needed for {purpose}", _INSTALL)
            continue
        ok = _numbers(found) >= _numbers(least)
        cure = "" if ok else f'pip install "{name}>={least}"'
        yield Check(name, ok, found if ok else f"{found}, older than {least}", cure)


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; what follows them (rc1, .post2) is not compared."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+]", version, maxsplit=1)[0]))


def _kernel() -> Check:
    """The kernel named python3 must be this interpreter, else notebooks run without mailml."""
    cure = f"{sys.executable} -m ipykernel install --sys-prefix --name python3"
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return Check("notebook kernel", False, "Jupyter is not installed", _INSTALL)
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Check("notebook kernel", False, "no kernel named python3", cure)
    ours = {sys.executable, "python", "python3", Path(sys.executable).name}
    same = command in ours or Path(command).resolve() == Path(sys.executable).resolve()
    return Check("notebook kernel", same, command, "" if same else cure)


def _extension(name: str) -> Check:
    """The half of ipywidgets that lives in the page; without it panels show as text."""
    for folder in _labextension_folders():
        manifest = folder / name / "package.json"
        if manifest.is_file():
            version = json.loads(manifest.read_text(encoding="utf-8")).get("version", "?")
            return Check("widgets in the page", True, f"{name} {version}")
    return Check("widgets in the page", False, f"{name} is not there", "pip install jupyterlab-widgets")


def _labextension_folders() -> list[Path]:
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        return []
    return [Path(item) for item in jupyter_path("labextensions")]


def _disk(folder: str | Path) -> Check:
    place = Path(folder).resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    ok = free >= _LEAST_FREE
    return Check("free disk", ok, f"{free / 1e9:.1f} GB at {place}", "" if ok else "Free at least 1 GB")
