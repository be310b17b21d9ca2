"""Files that are whole or not there: temporary name, fsync, rename, fsync of the folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mailml.errors import BundleError
from mailml.files import writing


def write_file(path: Path, data: bytes) -> None:
    """Write one file so that a crash leaves the old one or the new one; an OSError names the file."""
    with writing(path):
        _write(path, data)


def _write(path: Path, data: bytes) -> None:
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_folder(path: Path, files: Mapping[str, bytes], *, replace: bool = False) -> None:
    """Write a folder that appears under its name only when every file is on disk.

    Raises BundleError when something stands there already and `replace` is not given. With `replace` the old
    folder is moved aside first and removed last: a crash in between leaves it beside, as `.NAME.old`.
    """
    if path.exists() and not replace:
        cure = "Choose another path, or allow it to be replaced"
        raise BundleError("something is there already", where=str(path), cure=cure)
    with writing(path):
        _write_folder(path, files)


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        for name, data in files.items():
            with open(made / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        made.chmod(0o755)
        sync_folder(made)
        _put(made, path)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a folder's entries durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _put(made: Path, path: Path) -> None:
    if not path.exists():
        os.rename(made, path)
        return
    aside = path.parent / f".{path.name}.old"
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(path, aside)
    os.rename(made, path)
    shutil.rmtree(aside, ignore_errors=True)
