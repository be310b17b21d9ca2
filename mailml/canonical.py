"""Values as JSON, one value always the same bytes: what a stored decision is compared by."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_PLAIN = frozenset({str, bool, int, float})


def canonical_json(value: object) -> str:
    """Any value of a decision as canonical JSON (sorted keys, no spaces, non-ASCII kept)."""
    return _CANONICAL.encode(value)


@functools.cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    return tuple(one.name for one in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


def plain(value: object) -> Any:
    """The value as dicts, lists, strings and numbers; times become ISO 8601 in UTC, bytes are left out."""
    if value is None or type(value) in _PLAIN:  # nine tenths of a decision
        return value
    kind: Any = type(value)
    if (names := _field_names(kind)) is not None:
        pairs = ((name, getattr(value, name)) for name in names)
        return {name: plain(item) for name, item in pairs if not isinstance(item, bytes)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(plain(item) for item in value)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _step(value: object) -> Any:
    """What the encoder cannot write, one step nearer to what it can: it walks faster than `plain`."""
    kind: Any = type(value)
    if (names := _field_names(kind)) is not None:
        pairs = ((name, getattr(value, name)) for name in names)
        return {name: item for name, item in pairs if not isinstance(item, bytes)}
    found = plain(value)
    if found is value:
        raise TypeError(f"{kind.__name__} is nothing that JSON can say")
    return found


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_step)
