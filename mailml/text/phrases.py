"""The phrases of phrases.toml, as the sets, tuples and patterns that reading needs."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def tables() -> dict[str, dict[str, list[str]]]:
    """Kind of phrase -> language -> phrases, as written in phrases.toml."""
    return tomllib.loads(files("mailml.text").joinpath("phrases.toml").read_text(encoding="utf-8"))


def every(kind: str) -> tuple[str, ...]:
    """All phrases of a kind, each once, in the order of the file."""
    return tuple(dict.fromkeys(phrase for phrases in tables()[kind].values() for phrase in phrases))


def either(kind: str) -> str:
    """A pattern that matches any phrase of a kind; the longest first, so that none hides another."""
    return "(?:" + "|".join(map(re.escape, sorted(every(kind), key=len, reverse=True))) + ")"
