"""The key that signs our Message-IDs: made once, readable by nobody else, never in a log."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from mailml.bundle.writing import sync_folder
from mailml.errors import InputError

from .service_table import Service

_SHORTEST = 16  # characters


def loop_key(service: Service, environment: Mapping[str, str] | None = None) -> bytes:
    """The key of this service, made on the first run. Raises InputError for one that cannot be used.

    Whoever loses it no longer recognises the mail sent before: it belongs into the backup of the journal.
    """
    if service.loop_key_env:
        value = (os.environ if environment is None else environment).get(service.loop_key_env, "")
        return _checked(value, f"environment variable {service.loop_key_env}")
    path = service.loop_key_file
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise InputError("others may read the loop key", where=str(path), cure=f"chmod 600 {path}")
        return _checked(path.read_text("ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(f"the loop key cannot be read ({why})", where=str(path)) from error


def _make(path: Path) -> None:
    """Write a fresh key so that it is there whole or not at all, whenever the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, secrets.token_hex(32).encode() + b"\n")
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(draft, path)
    sync_folder(path.parent)


def _checked(text: str, where: str) -> bytes:
    key = text.strip()
    if len(key) < _SHORTEST:
        raise InputError(
            f"the loop key has under {_SHORTEST} characters",
            where=where,
            cure="Use a long random text, e.g. from: openssl rand -hex 32",
        )
    return key.encode()
