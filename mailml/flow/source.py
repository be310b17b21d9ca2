"""TOML <-> Flow. A bad file reports all its faults at once, each with rule, key and what was meant."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mailml.errors import Fault, FlowError
from mailml.files import SETTINGS, read_bytes
from mailml.flow.conditions import ALWAYS
from mailml.flow.faults import Faults
from mailml.flow.flow import Flow, Rule
from mailml.flow.then import KEYS as THEN_KEYS
from mailml.flow.then import ThenReader
from mailml.flow.when import WhenReader
from mailml.flow.writing import dumps

__all__ = ["dumps", "load", "loads"]

_TOP, _RULE = ("default", "rule"), ("name", "when", "then")
_LARGEST = 4_000_000  # bytes; ten thousand long rules


def load(
    path: Path | str, *, queues: Collection[str] | None = None, categories: Collection[str] | None = None
) -> Flow:
    """The flow in a file; raises `FlowError` with all its faults, `InputError` where there is no file."""
    raw = read_bytes(path, SETTINGS)
    try:
        toml = raw.decode()
    except UnicodeDecodeError as error:
        fault = Fault(f"byte {error.start}", "is not UTF-8", "Save the file as UTF-8.")
        raise FlowError([fault], where=str(path)) from error
    return loads(toml, where=str(path), queues=queues, categories=categories)


def loads(
    toml: str,
    *,
    where: str = "flow.toml",
    queues: Collection[str] | None = None,
    categories: Collection[str] | None = None,
) -> Flow:
    """The flow that a text describes; raises `FlowError` with all its faults.

    With `queues` or `categories` (the desk's), names that are not among them are faults too.
    """
    try:
        if len(toml) > _LARGEST:
            raise FlowError([Fault("", f"is longer than {_LARGEST} characters")], where=where)
        table = tomllib.loads(toml)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        what = "is nested too deep" if isinstance(error, RecursionError) else f"is not TOML: {error}"
        raise FlowError([Fault("", what)], where=where) from error
    return from_mapping(table, where=where, queues=queues, categories=categories)


def from_mapping(
    table: Mapping[str, Any],
    *,
    where: str = "flow.toml",
    queues: Collection[str] | None = None,
    categories: Collection[str] | None = None,
) -> Flow:
    """The flow of a table that was read already (a section of a larger file, a panel's state)."""
    faults = Faults()
    faults.keys(table, _TOP, "a flow")
    reader = _Reader(faults, queues, categories)
    default = reader.default(table)
    rules = reader.rules(table.get("rule", []))
    if faults.found:
        raise FlowError(faults.found, where=where)
    return Flow(rules, default)


class _Reader:
    """Reads the rules of one flow."""

    def __init__(
        self, faults: Faults, queues: Collection[str] | None, categories: Collection[str] | None
    ) -> None:
        self._faults = faults
        self._when, self._then = WhenReader(faults, categories), ThenReader(faults, queues)
        self._names: set[str] = set()

    def default(self, table: Mapping[str, Any]) -> str:
        if "default" not in table:
            self._faults.add(
                "default", "is missing", 'Name the queue of all other mail: default = "General Support".'
            )
            return ""
        return self._then.queue("default", table["default"])

    def rules(self, value: Any) -> tuple[Rule, ...]:
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self._faults.add("rule", "is not a list of tables", "Begin each rule with [[rule]].")
            return ()
        rules = tuple(self._rule(number, one) for number, one in enumerate(value, 1))
        self._faults.rule = ""
        return rules

    def _rule(self, number: int, table: Mapping[str, Any]) -> Rule:
        name = self._name(number, table)
        for key in table:
            if key in THEN_KEYS:
                self._faults.add(key, "belongs into then", f"Write then = {{ {key} = … }}.")
            elif key == "scope":
                self._faults.add(
                    key, "belongs into the text condition", 'Write text = { …, scope = "everything" }.'
                )
            elif key not in _RULE:
                self._faults.unknown(key, "is not a key of a rule", key, _RULE)
        if "when" not in table:
            self._faults.add("when", "is missing", "Write when = {} for a rule that fits every message.")
        when = self._when.read(table["when"]) if "when" in table else ALWAYS
        if "then" not in table:
            self._faults.add("then", "is missing", 'Write then = { queue = "Billing" }.')
            return Rule(name, when)
        then, go_on = self._then.read(table["then"])
        return Rule(name, when, then, go_on)

    def _name(self, number: int, table: Mapping[str, Any]) -> str:
        name = table.get("name")
        named = isinstance(name, str) and bool(name.strip())
        self._faults.rule = f'rule "{name}"' if named else f"rule {number}"
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            self._faults.add("name", "is missing" if name is None else f"{name!r} is not a name")
        elif name == "default":
            self._faults.add("name", '"default" is what mail that no rule places is said to be placed by')
        elif name in self._names:
            self._faults.add("name", "is the name of an earlier rule too", "Names must differ.")
        self._names.add(str(name))
        return str(name)
