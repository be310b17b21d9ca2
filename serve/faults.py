"""A pydantic error -> faults in the words of serve.toml: place, what is wrong, what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailml.errors import Fault

_WHAT = {
    "missing": "is missing",
    "bool_parsing": "must be true or false, not {input!r}",
    "bool_type": "must be true or false, not {input!r}",
    "int_parsing": "must be a whole number, not {input!r}",
    "int_type": "must be a whole number, not {input!r}",
    "int_from_float": "must be a whole number, not {input!r}",
    "float_parsing": "must be a number, not {input!r}",
    "float_type": "must be a number, not {input!r}",
    "string_type": "must be text, not {input!r}",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "{input!r} is no address",
    "frozen_set_type": "must be a list, not {input!r}",
    "path_type": "must be a path, not {input!r}",
    "dict_type": "must be a table, not {input!r}",
    "mapping_type": "must be a table, not {input!r}",
    "greater_than": "must be above {gt}, not {input!r}",
    "greater_than_equal": "must be at least {ge}, not {input!r}",
    "less_than": "must be below {lt}, not {input!r}",
    "less_than_equal": "must be at most {le}, not {input!r}",
}


def faults_of(error: ValidationError, model: type[BaseModel], where: str) -> Iterator[Fault]:
    """Each error as a fault, in the order of the file."""
    keys = {field.alias or name for name, field in model.model_fields.items()}
    details = error.errors(include_url=False)
    unknown = [str(detail["loc"][0]) for detail in details if detail["type"] == "extra_forbidden"]
    meant_keys = {near for word in unknown for near in difflib.get_close_matches(word, keys, 1)}
    for detail in details:
        key = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "missing" and key in meant_keys:
            continue  # it is there, misspelt: one mistake, one fault
        place = f"{where}, key {key!r}" if key else where
        if detail["type"] == "extra_forbidden":
            yield Fault(place, "is not known", meant(key, keys))
        else:
            yield Fault(place, _what(detail))


def _what(detail: ErrorDetails) -> str:
    words = _WHAT.get(detail["type"])
    if detail["type"] == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    if words is None:
        return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"
    context: dict[str, Any] = detail.get("ctx", {})
    return words.format(input=detail["input"], **{name: _plain(value) for name, value in context.items()})


def _plain(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, float) else value


def meant(word: str, known: Iterable[str]) -> str:
    """A cure for a misspelt word: the nearest one, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}"
