"""What a question expects, as written -> its values, checked against the field's type."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import re2

from mailml.flow.conditions import WEEKDAYS, Value
from mailml.flow.faults import Faults
from mailml.flow.folding import fold, fold_expected
from mailml.flow.questions import pattern
from mailml.verdict import Kind

_LONGEST_PATTERN = 2_000
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)\s*", re.IGNORECASE)
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_KINDS = tuple(str(kind.value) for kind in Kind)


def read_expected(
    faults: Faults,
    path: str,
    field: str,
    kind: str,
    operator: str,
    wanted: Any,
    categories: Collection[str] | None,
) -> tuple[Value, ...]:
    """The expected values, () after a fault. Lists are for operators that take one of several."""
    if operator == "exists" or kind == "flag":
        if not isinstance(wanted, bool):
            faults.add(path, f"{wanted!r} is neither true nor false")
            return ()
        return (wanted,)
    if operator in ("at_least", "at_most"):
        values = [wanted]
    else:
        values = wanted if isinstance(wanted, list) else [wanted]
    if not values:
        faults.add(path, "is an empty list, which nothing can fit")
    if kind in ("number", "category") and (kind == "number" or operator != "is"):
        read: list[Value | None] = [_number(faults, path, field, value) for value in values]
    else:
        read = [_word(faults, path, kind, operator, value, categories) for value in values]
    good = [value for value in read if value is not None]
    return tuple(dict.fromkeys(good)) if len(good) == len(read) else ()


def _number(faults: Faults, path: str, field: str, value: Any) -> Value | None:
    if field == "size" and isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return round(float(match[1]) * _BYTES[match[2].upper()])
    whole = field != "category"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        cure = 'Write 5000000 or "5 MB".' if field == "size" else ""
        faults.add(path, f"{value!r} is not a {'whole number' if whole else 'number'}", cure)
        return None
    top = {"received.hour": 23, "category": 1}.get(field, 2**53)
    if not 0 <= value <= top:
        what = "a probability between 0 and 1" if field == "category" else f"between 0 and {top}"
        faults.add(path, f"{value!r} is not {what}")
        return None
    return value if whole else float(value)


def _word(
    faults: Faults, path: str, kind: str, operator: str, value: Any, categories: Collection[str] | None
) -> Value | None:
    if not isinstance(value, str):
        faults.add(path, f"{value!r} is not text", "Put it in quotation marks.")
        return None
    if operator == "matches":
        return _pattern(faults, path, value)
    if not fold_expected(value):
        faults.add(path, "is empty", "To ask whether there is anything, use exists.")
        return None
    if kind == "kind":
        return _one_of(faults, path, "kind", value, _KINDS)
    if kind == "weekday":
        short = value[:3] if re.fullmatch("[a-zA-Z]{2,5}day", value) else value  # "Monday" too
        return _one_of(faults, path, "day of the week", short, WEEKDAYS)
    if kind == "category" and categories is not None:
        return _one_of(faults, path, "category", value, tuple(categories))
    if kind == "language" and not re.fullmatch("[a-z]{2}", value):
        faults.add(path, f'"{value}" is not a language code', 'Write two letters: "de".')
        return None
    return value


def _one_of(faults: Faults, path: str, what: str, value: str, known: tuple[str, ...]) -> str | None:
    for name in known:
        if fold(name) == fold(value):
            return name
    faults.unknown(path, f'"{value}" is not a {what}', value, known)
    return None


def _pattern(faults: Faults, path: str, value: str) -> str | None:
    if len(value) > _LONGEST_PATTERN:
        faults.add(path, f"is a pattern of more than {_LONGEST_PATTERN} characters")
        return None
    try:
        pattern(value)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        why = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        cure = (
            "RE2 knows no look-around and no back-references."
            if "perl operator" in why or "escape" in why
            else ""
        )
        faults.add(path, f"RE2 refuses the pattern {value!r}: {why}", cure)
        return None
    return value
