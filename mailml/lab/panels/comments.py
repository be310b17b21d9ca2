"""A flow written back into its file: what did not change stays as it was written, comments and spelling too.

The file is taken apart into blocks, one per rule, each with the comments above it. A rule that did not change
keeps its block to the letter, wherever it moves; of one that changed the changed keys are set anew. Whatever
this makes is read again, and where it is not the very flow, the flow is written from scratch.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mailml.errors import FlowError
from mailml.flow import Flow, Rule, source

_BLOCK = re.compile(r"^[ \t]*\[\[\s*rule\s*\]\]", re.MULTILINE)
_KEYS = ("name", "when", "then")


def rewritten(saved: str, flow: Flow) -> str:
    """The saved text with the flow in it; reads back as the flow."""
    try:
        text = _patched(saved, flow)
        if source.loads(text) == flow:
            return text
    except (FlowError, TOMLKitError, tomllib.TOMLDecodeError, ValueError, KeyError, TypeError, IndexError):
        pass  # a file of another shape than ours: it is written from scratch
    return source.dumps(flow)


def _patched(saved: str, flow: Flow) -> str:
    head, blocks = _taken_apart(saved)
    begin = tomlkit.parse(head)
    if begin.get("default") != flow.default:
        begin["default"] = flow.default
    left = [(block, _rule_of(block)) for block in blocks]
    parts = [tomlkit.dumps(begin)]
    for rule in flow.rules:
        at = _block_for(rule, left)
        parts.append(_set(left.pop(at)[0], rule) if at is not None else _fresh(rule))
    return "\n".join(part.strip("\n") + "\n" for part in parts if part.strip("\n"))


def _taken_apart(saved: str) -> tuple[str, list[str]]:
    """What stands before the first rule, and the rules, each with the comment lines right above it."""
    starts = [_above(saved, found.start()) for found in _BLOCK.finditer(saved)]
    ends = [*starts[1:], len(saved)]
    blocks = [saved[begin:end] for begin, end in zip(starts, ends, strict=True)]
    return saved[: starts[0]] if starts else saved, blocks


def _above(saved: str, at: int) -> int:
    """Where the comment lines right above a place begin."""
    while at:
        line = saved.rfind("\n", 0, at - 1) + 1
        if not saved[line:at].lstrip().startswith("#"):
            break
        at = line
    return at


def _rule_of(block: str) -> Rule:
    return source.loads(f'default = "x"\n{block}').rules[0]


def _block_for(rule: Rule, left: list[tuple[str, Rule]]) -> int | None:
    """The block of the same name, or else of a rule that was only renamed."""
    same = [at for at, (_, old) in enumerate(left) if old.name == rule.name]
    renamed = [at for at, (_, old) in enumerate(left) if (old.when, old.then) == (rule.when, rule.then)]
    return next(iter([*same, *renamed]), None)


def _set(block: str, rule: Rule) -> str:
    """The block with the keys of the rule that are not as they were."""
    if _rule_of(block) == rule:
        return block
    old, new = tomllib.loads(block)["rule"][0], tomllib.loads(_fresh(rule))["rule"][0]
    document: Any = tomlkit.parse(block)
    table, fresh = document["rule"][0], tomlkit.parse(_fresh(rule))["rule"][0]
    before = _rule_of(block)
    changed = {"name": before.name != rule.name, "when": before.when != rule.when}
    changed["then"] = (before.then, before.continue_) != (rule.then, rule.continue_)
    for key in _KEYS:
        if changed[key] and old.get(key) != new[key]:
            table[key] = fresh[key]
    return tomlkit.dumps(document)


def _fresh(rule: Rule) -> str:
    text = source.dumps(Flow((rule,), "x"))
    return text[text.index("[[rule]]") :]
