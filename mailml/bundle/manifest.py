"""The manifest: the format number, every file's size and SHA-256, and where the bundle came from.

`FORMAT` is bumped when a mailml that knows only the old number would read a new bundle wrongly: a file, key
or array that changes meaning or goes away, or a new one that must not be ignored. It is not bumped for keys
that may be ignored. Each bump keeps the reader of the old number, adds a frozen bundle under
tests/bundles/v<N>/, and is named in CHANGELOG.md. Only numbers in `READS` are read; others are refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailml.errors import BundleDamagedError, BundleError, BundleVersionError

FORMAT = 1
READS = frozenset({1})

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
REQUIRED = ("flow.toml", "desk.toml", "golden.json", "card.json")
OPTIONAL = ("card.html", "model.json", "model.npz", "autoreply.json", "autoreply.npz")
_LARGEST_MANIFEST = 1024 * 1024
_LARGEST_ARRAYS = 600 * 1024 * 1024
_LARGEST_TEXT = 16 * 1024 * 1024
_CURE = "Take the bundle from where it was made, or export it again"


def make(files: Mapping[str, bytes], about: Mapping[str, Any]) -> bytes:
    """The manifest over files' bytes; `about` says what else is known (versions, training, created, by)."""
    listed = {name: {"sha256": _sha(data), "size": len(data)} for name, data in files.items()}
    return to_json({**about, "format": FORMAT, "files": listed})


def to_json(value: object) -> bytes:
    """JSON as it stands in a bundle: sorted, indented, UTF-8, one line break at the end."""
    return (json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def bundle_id(manifest: bytes) -> str:
    """A bundle's name: the first 12 hex digits of its manifest's SHA-256."""
    return _sha(manifest)[:12]


def read(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """The manifest's bytes and values.

    Raises BundleError for a folder that is no bundle, BundleVersionError for a format this version does not
    read, BundleDamagedError for one that is not readable.
    """
    if not folder.is_dir():
        raise BundleError("there is no bundle here", where=str(folder), cure="Give a bundle's folder")
    if not (folder / MANIFEST).exists():
        cure = "A bundle is a folder that `mailml export` wrote"
        raise BundleError(f"the folder holds no {MANIFEST}", where=str(folder), cure=cure)
    data = _bytes(folder / MANIFEST, _LARGEST_MANIFEST)
    values = parse_json(data, folder / MANIFEST)
    number = values.get("format")
    if number not in READS or type(number) is not int:
        raise _version(number, folder)
    return data, values


def read_files(folder: Path, listed: Any, *, verify: bool) -> dict[str, bytes]:
    """The bytes of every file of the manifest, each read once and checked for presence, size and hash."""
    allowed = {*REQUIRED, *OPTIONAL}
    if not isinstance(listed, dict) or not set(REQUIRED) <= set(listed) <= allowed:
        odd = sorted(set(listed) - allowed | set(REQUIRED) - set(listed)) if isinstance(listed, dict) else []
        raise damaged(f"the manifest lists other files than a bundle has ({', '.join(odd)[:80]})", folder)
    present = {entry.name for entry in folder.iterdir()}
    missing = sorted(set(listed) - present)
    if missing:
        raise damaged(f"{', '.join(missing)} of the manifest is missing", folder)
    extra = sorted(present - set(listed) - {MANIFEST, SIGNATURE})
    if extra:
        raise damaged(f"holds a file the manifest does not list: {', '.join(extra)[:80]}", folder)
    return {name: _checked(folder / name, listed[name], verify=verify) for name in listed}


def parse_json(data: bytes, where: Path) -> dict[str, Any]:
    """A JSON object; raises BundleDamagedError for anything else."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(f"is not readable JSON ({error!s:.80})", where) from error
    if not isinstance(values, dict):
        raise damaged("is not a JSON object", where)
    return values


def damaged(what: str, where: Path) -> BundleDamagedError:
    """The error for something that does not match."""
    return BundleDamagedError(what, where=str(where), cure=_CURE)


def _checked(path: Path, entry: Any, *, verify: bool) -> bytes:
    size = entry.get("size") if isinstance(entry, dict) else None
    if type(size) is not int or not isinstance(entry.get("sha256"), str):
        raise damaged("the manifest gives no size and hash for it", path)
    data = _bytes(path, _LARGEST_ARRAYS if path.suffix == ".npz" else _LARGEST_TEXT)
    if not verify:
        return data
    if len(data) != size:
        raise damaged(f"has {len(data):,} bytes, the manifest says {size:,}", path)
    if _sha(data) != entry["sha256"]:
        raise damaged("does not have the SHA-256 of the manifest: it was changed or damaged", path)
    return data


def _bytes(path: Path, most: int) -> bytes:
    """A regular file's bytes; a link, a pipe or a giant is refused before it is read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise damaged(f"cannot be opened ({error.strerror})", path) from error
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            raise damaged(f"is no ordinary file of at most {most:,} bytes", path)
        return file.read(most + 1)


def _version(number: Any, folder: Path) -> BundleVersionError:
    known = ", ".join(str(n) for n in sorted(READS))
    what = f"the bundle has format {number!r:.40}, this version of mailml reads {known}"
    newer = type(number) is int and number > max(READS)
    cure = "Upgrade mailml" if newer else "Export the bundle again"
    return BundleVersionError(what, where=str(folder), cure=cure)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
