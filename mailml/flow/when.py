"""A `when` table of the file -> a condition; every fault is noted and the reading goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mailml.flow.conditions import (
    ALWAYS,
    FIELDS,
    OPERATORS,
    SCOPES,
    Ask,
    Condition,
    Not,
    all_of,
    any_of,
    spec_of,
)
from mailml.flow.expected import read_expected
from mailml.flow.faults import Faults

_DEEPEST = 20  # nesting; a person cannot read ten
GROUPS = ("all", "any", "not")
_NESTED = ("header", "received")  # header.X-Foo = … is a table within a table in TOML
_WORDS = (*GROUPS, *FIELDS)


class WhenReader:
    """Reads conditions for one flow; knows the desk's categories when there are any."""

    def __init__(self, faults: Faults, categories: Collection[str] | None) -> None:
        self._faults, self._categories = faults, categories

    def read(self, table: object, path: str = "when", depth: int = 0) -> Condition:
        """The condition of a table: all of its entries, in order."""
        if not isinstance(table, Mapping):
            self._faults.add(path, "is not a table", 'Write { subject = { contains = "invoice" } }.')
            return ALWAYS
        if depth > _DEEPEST:
            self._faults.add(path, f"is nested more than {_DEEPEST} deep")
            return ALWAYS
        return all_of(*(self._entry(key, value, f"{path}.{key}", depth) for key, value in table.items()))

    def _entry(self, key: str, value: Any, path: str, depth: int) -> Condition:
        if key == "not":
            return Not(self.read(value, path, depth + 1))
        if key in GROUPS:
            return self._group(key, value, path, depth)
        if key in _NESTED and isinstance(value, Mapping):
            return all_of(
                *(self._field(f"{key}.{name}", inner, f"{path}.{name}") for name, inner in value.items())
            )
        return self._field(key, value, path)

    def _group(self, key: str, value: Any, path: str, depth: int) -> Condition:
        if not isinstance(value, list) or not value:
            self._faults.add(path, "is not a list of conditions", f'Write {key} = [{{ kind = "human" }}, …].')
            return ALWAYS
        parts = [self.read(part, f"{path}[{n}]", depth + 1) for n, part in enumerate(value, 1)]
        return all_of(*parts) if key == "all" else any_of(*parts)

    def _field(self, field: str, value: Any, path: str) -> Condition:
        spec = spec_of(field)
        if spec is None and field in ("tag", "tags"):
            cure = "Rules read the mail and never each other's tags, so that nothing can go in a circle."
            self._faults.add(path, f'"{field}" is not a field', cure)
            return ALWAYS
        if spec is None:
            self._faults.unknown(path, f'"{field}" is not a field', field, _WORDS)
            return ALWAYS
        if field.startswith("header.") and not _is_header_name(field[7:]):
            self._faults.add(
                path, f"{field[7:]!r} cannot be the name of a header field", "Write header.Auto-Submitted."
            )
        table = value if isinstance(value, Mapping) else {"is": value}
        scope = self._scope(field, table, path)
        asks = [
            self._ask(field, operator, wanted, path, scope)
            for operator, wanted in table.items()
            if operator != "scope"
        ]
        if not asks:
            self._faults.add(path, "asks nothing", f"Give it one of {', '.join(spec.operators)}.")
        return all_of(*(ask for ask in asks if ask is not None))

    def _scope(self, field: str, table: Mapping[str, Any], path: str) -> str:
        scope = table.get("scope", "own")
        if field != "text" and "scope" in table:
            self._faults.add(f"{path}.scope", "belongs to text conditions only")
        elif scope not in SCOPES:
            self._faults.unknown(f"{path}.scope", f"{scope!r} is not a scope", str(scope), SCOPES)
        elif scope == "everything":
            return "everything"
        return ""

    def _ask(self, field: str, operator: str, wanted: Any, path: str, scope: str) -> Ask | None:
        spec = spec_of(field)
        allowed = spec.operators if spec else ()
        if operator not in OPERATORS:
            self._faults.unknown(path, f'"{operator}" is not an operator', operator, allowed)
            return None
        if operator not in allowed:
            cure = f"It takes {', '.join(allowed)}."
            self._faults.add(path, f'"{operator}" cannot be asked of {field}', cure)
            return None
        kind = spec.type if spec else ""
        expected = read_expected(
            self._faults, f"{path}.{operator}", field, kind, operator, wanted, self._categories
        )
        return Ask(field, operator, expected, scope) if expected else None


def _is_header_name(name: str) -> bool:
    # RFC 5322 section 2.2: printable ASCII but the colon
    return bool(name) and all("!" <= letter <= "~" and letter != ":" for letter in name)
