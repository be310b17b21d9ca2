"""Flow -> TOML: one spelling for one flow, which reads back as the same value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from mailml.flow.conditions import All, AnyOf, Ask, Condition, Not, Value, spec_of
from mailml.flow.flow import Flow, Rule, Then

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(flow: Flow) -> str:
    """The flow as TOML, deterministic: the same flow gives the same bytes, and `loads` gives it back."""
    return "\n".join([f"default = {_text(flow.default)}\n", *map(_rule, flow.rules)])


def parts_of(of: Rule | Flow) -> dict[str, str]:
    """The values of a rule's keys (name, when, then), or of a flow's own (default), as TOML."""
    if isinstance(of, Flow):
        return {"default": _text(of.default)}
    return {"name": _text(of.name), "when": _table(of.when), "then": _then(of.then, go_on=of.continue_)}


def _rule(rule: Rule) -> str:
    lines = ("[[rule]]", f"name = {_text(rule.name)}", f"when = {_table(rule.when)}")
    return "\n".join([*lines, f"then = {_then(rule.then, go_on=rule.continue_)}", ""])


def _then(then: Then, *, go_on: bool) -> str:
    entries = []
    if then.queue:
        entries.append(f"queue = {_text(then.queue)}")
    if then.file:
        entries.append(f"file = {_text(then.file)}")
    if then.priority is not None:
        entries.append(f"priority = {then.priority}")
    if then.tags:
        entries.append(f"tags = [{', '.join(map(_text, then.tags))}]")
    if then.ack is not None:
        entries.append(f"ack = {_text(then.ack_template) if then.ack_template else _value(then.ack)}")
    if then.sla:
        entries.append(f"sla = {_text(then.sla)}")
    if go_on:
        entries.append("continue = true")
    return _braces(entries)


def _table(condition: Condition) -> str:
    """A condition as an inline table that reads back as it."""
    parts: Sequence[Condition] = condition.of if isinstance(condition, All) else (condition,)
    groups = _grouped(parts)
    if _fits_one_table(groups):
        return _braces(_entry(group) for group in groups)
    return _braces([f"all = [{', '.join(_table(part) for part in parts)}]"])


def _grouped(parts: Sequence[Condition]) -> list[list[Condition]]:
    """Neighbours that ask the same field with different operators share a table."""
    groups: list[list[Condition]] = []
    for part in parts:
        if groups and _joins(groups[-1], part):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _joins(group: list[Condition], part: Condition) -> bool:
    first = group[0]
    if not isinstance(first, Ask) or not isinstance(part, Ask):
        return False
    same = (first.field, first.scope) == (part.field, part.scope)
    return same and part.operator not in {one.operator for one in group if isinstance(one, Ask)}


def _fits_one_table(groups: list[list[Condition]]) -> bool:
    """Whether every key occurs once, and the keys that TOML nests (header.A, header.B) stand together."""
    keys = [_key(group[0]) for group in groups]
    heads = [key.partition(".")[0] for key in keys]
    return len(set(keys)) == len(keys) and len(set(heads)) == len(list(groupby(heads)))


def _key(condition: Condition) -> str:
    if isinstance(condition, Ask):
        return condition.field
    return {AnyOf: "any", Not: "not", All: "all"}[type(condition)]


def _entry(group: list[Condition]) -> str:
    first = group[0]
    if isinstance(first, Ask):
        asks = [one for one in group if isinstance(one, Ask)]
        return f"{_field(first.field)} = {_asks(asks)}"
    if isinstance(first, Not):
        return f"not = {_table(first.of)}"
    return f"{_key(first)} = [{', '.join(_table(part) for part in first.of)}]"


def _asks(asks: list[Ask]) -> str:
    spec = spec_of(asks[0].field)
    if spec is not None and spec.type == "flag":
        return _value(asks[0].expected[0])
    entries = [f"{ask.operator} = {_values(ask.expected)}" for ask in asks]
    return _braces([*entries, *([f'scope = "{asks[0].scope}"'] if asks[0].scope else [])])


def _field(field: str) -> str:
    head, dot, rest = field.partition(".")
    return head + (f".{rest}" if dot and _BARE.fullmatch(rest) else f".{_text(rest)}" if dot else "")


def _braces(entries: Iterable[str]) -> str:
    inner = ", ".join(entries)
    return f"{{ {inner} }}" if inner else "{}"


def _values(values: tuple[Value, ...]) -> str:
    return _value(values[0]) if len(values) == 1 else f"[{', '.join(map(_value, values))}]"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    # a JSON string is a TOML basic string, but for DEL
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
