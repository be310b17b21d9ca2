"""A rule as a form fills it in, and back: rows of field, operator and values, or its condition as text.

A draft is JSON: {name, join ("all" or "any"), asks: [{field, operator, values, scope, negated}], text (the
condition as TOML, "" where rows can say it), then: {queue, file, priority, tags, ack, sla, continue}}.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from mailml.errors import Fault
from mailml.flow import AnyOf, Ask, Flow, Not, Rule, source
from mailml.flow.conditions import FIELDS, OPERATORS, WEEKDAYS, All, Condition, spec_of
from mailml.verdict import Kind

Draft = dict[str, Any]
_WHEN = "when = "


def draft_of(rule: Rule) -> Draft:
    """The form of a rule; what rows cannot say (groups within groups) becomes text."""
    join, asks = _rows(rule.when)
    then = rule.then
    return {
        "name": rule.name,
        "join": join,
        "asks": asks if asks is not None else [],
        "text": "" if asks is not None else when_text(rule.when),
        "then": {
            "queue": then.queue,
            "file": then.file,
            "priority": then.priority,
            "tags": list(then.tags),
            "ack": then.ack_template or then.ack,
            "sla": then.sla,
            "continue": rule.continue_,
        },
    }


def mapping_of(draft: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """The table of a draft as a flow file would hold it; text that is no TOML is noted among the faults."""
    name = str(draft.get("name", ""))
    return {"name": name, "when": _when(draft, name, faults), "then": _then(draft.get("then") or {})}


def blank(queue: str, names: Iterable[str]) -> Draft:
    """A new rule under a name that is free; it asks nothing yet."""
    taken = set(names)
    numbers = (f"rule {n}" for n in range(len(taken) + 1, 2 * len(taken) + 2))
    name = next(name for name in numbers if name not in taken)
    ask = {"field": "subject", "operator": "contains", "values": [], "scope": "", "negated": False}
    empty: Draft = {"file": "", "priority": None, "tags": [], "ack": None, "sla": "", "continue": False}
    return {"name": name, "join": "all", "asks": [ask], "text": "", "then": {"queue": queue, **empty}}


def when_text(condition: Condition) -> str:
    """A condition as the TOML that a flow file would hold."""
    lines = source.dumps(Flow((Rule("x", condition),), "x")).split("\n")
    return next(line.removeprefix(_WHEN) for line in lines if line.startswith(_WHEN))


def form_of_fields(categories: Iterable[str]) -> list[dict[str, Any]]:
    """What the form offers: each field with its type, operators, meaning and, where closed, its values."""
    closed = {
        "kind": [kind.value for kind in Kind],
        "category": list(categories),
        "weekday": list(WEEKDAYS),
        "flag": ["true", "false"],
    }
    return [
        {
            "name": name,
            "type": spec.type,
            "operators": list(spec.operators),
            "what": spec.what,
            "values": closed.get(spec.type, []),
        }
        for name, spec in FIELDS.items()
    ]


def form_of_operators() -> dict[str, str]:
    """Each operator in words."""
    return dict(OPERATORS)


def _rows(when: Condition) -> tuple[str, list[dict[str, Any]] | None]:
    parts: tuple[Condition, ...] = when.of if isinstance(when, All | AnyOf) else (when,)
    join = "any" if isinstance(when, AnyOf) else "all"
    rows = [_row(part) for part in parts]
    # an empty `any` never holds and an empty `all` always does: rows can only say the second
    if any(row is None for row in rows) or (join == "any" and not rows):
        return "all", None
    return join, [row for row in rows if row is not None]


def _row(part: Condition) -> dict[str, Any] | None:
    negated = isinstance(part, Not)
    ask = part.of if isinstance(part, Not) else part
    if not isinstance(ask, Ask):
        return None
    values = [str(value).lower() if isinstance(value, bool) else str(value) for value in ask.expected]
    return {
        "field": ask.field,
        "operator": ask.operator,
        "values": values,
        "scope": ask.scope,
        "negated": negated,
    }


def _when(draft: Mapping[str, Any], name: str, faults: list[Fault]) -> Any:
    if draft.get("text"):
        try:
            return tomllib.loads(f"{_WHEN}{draft['text']}")["when"]
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            faults.append(Fault(f'rule "{name}", key "when"', f"is not TOML: {error}"))
            return {}
    asks = [_asked(ask) for ask in draft.get("asks") or []]
    if not asks:
        return {}
    return {"any" if draft.get("join") == "any" else "all": asks}


def _asked(ask: Mapping[str, Any]) -> dict[str, Any]:
    field, operator = str(ask.get("field", "")), str(ask.get("operator", ""))
    wanted = [_value(field, operator, str(value)) for value in ask.get("values") or []]
    table: Any = {operator: wanted[0] if len(wanted) == 1 else wanted}
    if ask.get("scope"):
        table["scope"] = ask["scope"]
    return {"not": {field: table}} if ask.get("negated") else {field: table}


def _value(field: str, operator: str, text: str) -> Any:
    """What was typed as the value that the field takes; what does not fit stays for the reader to refuse."""
    spec = spec_of(field)
    kind = spec.type if spec else ""
    if (kind == "flag" or operator == "exists") and text in ("true", "false"):
        return text == "true"
    if kind == "number" or operator in ("at_least", "at_most"):
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    return text


def _then(then: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is said: an empty field of the form leaves a key out."""
    made = {name: then[name] for name in ("queue", "file", "sla") if then.get(name)}
    made |= {name: then[name] for name in ("priority", "ack") if then.get(name) not in (None, "")}
    if then.get("tags"):
        made["tags"] = list(then["tags"])
    if then.get("continue"):
        made["continue"] = True
    return made
