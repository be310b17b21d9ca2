"""The loop key: made once, ours alone, refused when it cannot protect anything."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mailml.errors import InputError
from serve.keys import loop_key
from serve.service_table import Service


def service(folder: Path, **keys: object) -> Service:
    """A [serve] table with its key in a folder."""
    table = {
        "journal": folder / "j",
        "bundle": folder / "b",
        "loop_key_file": folder / "state" / "key",
        **keys,
    }
    return Service.model_validate(table)


def test_it_is_made_on_the_first_run_and_stays(tmp_path: Path) -> None:
    """A fresh random key, readable by us alone, and the same one from then on."""
    key = loop_key(service(tmp_path))
    path = tmp_path / "state" / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(key) == 64
    assert loop_key(service(tmp_path)) == key
    assert loop_key(service(tmp_path / "other")) != key
    assert [one.name for one in path.parent.iterdir()] == ["key"]


def test_it_may_come_from_the_environment(tmp_path: Path) -> None:
    """A named variable holds it, and no file is made; a short or missing one is refused."""
    named = service(tmp_path, loop_key_env="LOOP_KEY")
    assert loop_key(named, {"LOOP_KEY": "k" * 32}) == b"k" * 32
    assert not (tmp_path / "state").exists()
    for value in ({}, {"LOOP_KEY": "short"}):
        with pytest.raises(InputError, match="under 16 characters"):
            loop_key(named, value)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The sentence names the command that cures it."""
    loop_key(service(tmp_path))
    (tmp_path / "state" / "key").chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        loop_key(service(tmp_path))
