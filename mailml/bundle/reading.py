"""A table of a configuration file -> values, noting every fault with what was probably meant."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mailml.errors import ConfigError, Fault, MailmlError

_ADDRESS = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,255}")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,62}))(?:\.[\w-]{1,63})*")


def meant(word: str, known: Iterable[str]) -> str:
    """ "Did you mean …?", or the list of what is known."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(names)}"


class Section:
    """One table of the file: asked key by key; wrong values give a fault and the default."""

    def __init__(self, name: str, table: Any, faults: list[Fault], keys: Iterable[str]) -> None:
        self.name, self.faults = name, faults
        self._table: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
        if not isinstance(table, Mapping):
            self.fault("", f"is not a table but {kind(table)}", f"Write [{name}] and its keys below")
        for key in self._table:
            if key not in set(keys):
                self.fault(key, "is not a key of this table", meant(key, keys))

    def fault(self, key: str, what: str, cure: str = "") -> None:
        """Note one fault of a key."""
        where = f"[{self.name}]" + (f", key {key!r}" if key else "")
        self.faults.append(Fault(where, what, cure))

    def has(self, key: str) -> bool:
        """Whether the key is given."""
        return key in self._table

    def text(self, key: str, default: str) -> str:
        """A string."""
        value = self._table.get(key, default)
        if isinstance(value, str):
            return value
        self.fault(key, f"is not a text but {kind(value)}", f"Write {key} = {default or '…'!r}")
        return default

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A number between two bounds, both allowed."""
        value = self._table.get(key, default)
        if is_number(value) and low <= value <= high:
            return float(value)
        self.fault(key, f"is {value!r:.60}, not a number from {low:g} to {high:g}")
        return default

    def first(self, key: str) -> str:
        """The first of a list of texts that was read already ("" where there is none)."""
        value = self._table.get(key)
        return next((item for item in value if isinstance(item, str)), "") if isinstance(value, list) else ""

    def texts(self, key: str, default: Iterable[str] = ()) -> tuple[str, ...]:
        """A list of different strings, in order."""
        value = self._table.get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self.fault(key, "is not a list of texts", f'Write {key} = ["…", "…"]')
            return tuple(default)
        twice = sorted({item for item in value if value.count(item) > 1})
        if twice:
            self.fault(key, f"names {twice[0]!r} twice")
        return tuple(dict.fromkeys(value))

    def table(self, key: str) -> Mapping[str, Any]:
        """A table inside this one."""
        value = self._table.get(key, {})
        if isinstance(value, Mapping):
            return value
        self.fault(key, f"is not a table but {kind(value)}")
        return {}

    def addresses(self, key: str) -> frozenset[str]:
        """Mail addresses, lower-case."""
        return self._matching(key, _ADDRESS, "a mail address", 'Write "name@example.com"')

    def domains(self, key: str) -> frozenset[str]:
        """Domain names, lower-case."""
        return self._matching(key, _DOMAIN, "a domain", 'Write "example.com", without @')

    def parsed(self, key: str, parse: Callable[[], Any], default: Any) -> Any:
        """What another room reads of this table; its faults join ours under this table's name."""
        try:
            return parse()
        except ConfigError as error:
            for fault in error.faults:
                place = fault.where.removeprefix(f"{self.name}.")
                shown = place if not place or place.startswith("key") else f"key {place!r}"
                where = ", ".join(filter(None, [f"[{self.name}]", shown]))
                self.faults.append(Fault(where, fault.what, fault.cure))
        except MailmlError as error:
            self.fault(key, error.what, error.cure)
        return default

    def _matching(self, key: str, pattern: re.Pattern[str], name: str, cure: str) -> frozenset[str]:
        values = self.texts(key)
        for value in values:
            if not pattern.fullmatch(value.strip()):
                self.fault(key, f"{value!r:.80} is not {name}", cure)
        return frozenset(value.strip().lower() for value in values if pattern.fullmatch(value.strip()))


def is_number(value: Any) -> bool:
    """A finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def kind(value: Any) -> str:
    """What a value is, in words."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return next((name for type_, name in names.items() if type(value) is type_), "a value of another kind")
