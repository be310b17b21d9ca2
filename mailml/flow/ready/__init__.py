"""Flows that come with mailml: `default`, and `guide` with the guide's three suppression rules, literally."""

from __future__ import annotations

from importlib.resources import files

from mailml.errors import InputError
from mailml.flow import source
from mailml.flow.flow import Flow

_HERE = files(__package__)


def names() -> tuple[str, ...]:
    """The names of the ready flows."""
    found = (entry.name for entry in _HERE.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def text(name: str) -> str:
    """The TOML of a ready flow, with its comments; raises `InputError` for a name there is none of."""
    if name not in names():
        raise InputError(f"there is no ready flow {name!r}", cure=f"There are: {', '.join(names())}.")
    return (_HERE / f"{name}.toml").read_text(encoding="utf-8")


def load(name: str = "default") -> Flow:
    """A ready flow by name."""
    return source.loads(text(name), where=f"{name}.toml")
