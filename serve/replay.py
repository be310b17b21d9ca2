"""A stored decision, made again: same bytes + same bundle + same context must be the same bytes."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.verdict import Context

from .config import Config
from .journal import Tx, decisions
from .keys import loop_key


def same_again(tx: Tx, row: dict[str, Any], config: Config) -> bool | None:
    """Whether the decision comes out the same; None when its bundle or its bytes are not at hand."""
    bundle = _bundle(config.service.bundle.resolve())
    raw = decisions.raw(tx, row["id"])
    if raw is None or bundle.id != row["bundle"]:
        return None
    context = Context.from_plain(json.loads(row["context"]), loop_key=loop_key(config.service))
    return bool(decide(raw, bundle, context).to_json() == row["decision"])


@lru_cache(maxsize=4)
def _bundle(path: Path) -> Bundle:
    return Bundle.load(path)
