"""A stored decision, made again: same bytes + same bundle + same context must be the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.verdict import Context

from . import releases
from .config import Config
from .journal import Tx, decisions
from .keys import loop_key


class Replay:
    """Makes decisions again with whichever bundle made them, as far as it is at hand."""

    def __init__(self, config: Config, more: Mapping[str, Path] | None = None) -> None:
        """`more` are bundles by id that lie elsewhere."""
        self.key = loop_key(config.service)
        self.bundles = {**releases.known(config), **(more or {})}

    def again(self, tx: Tx, row: Mapping[str, Any]) -> tuple[bool | None, str]:
        """Whether a row's decision comes out the same, and in words why not or why nobody can tell."""
        if not row["decision"]:
            return None, "no decision is kept"
        raw = decisions.raw(tx, row["id"])
        if raw is None:
            return None, "its bytes are no longer kept"
        path = self.bundles.get(row["bundle"])
        if path is None:
            return None, f"bundle {row['bundle']} is not at hand"
        context = Context.from_plain(json.loads(row["context"]), loop_key=self.key)
        made = decide(raw, _bundle(path), context).to_json()
        return (True, "") if made == row["decision"] else (False, _first_difference(row["decision"], made))


def _first_difference(stored: str, made: str) -> str:
    old, new = json.loads(stored), json.loads(made)
    names = sorted({*old, *new})
    return f"differs in {', '.join(name for name in names if old.get(name) != new.get(name))}"


@lru_cache(maxsize=4)
def _bundle(path: Path) -> Bundle:
    return Bundle.load(path)
