"""A flow's file after a change: what was not changed keeps its bytes, comments included.

A file is taken apart into what stands before the rules, one block per `[[rule]]` (with the comment lines
right above it), and what stands after the last. Blocks of unchanged rules are moved as they are; in a changed
one only the keys that differ are written anew, by tomlkit. What comes out is read back before it is returned.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mailml.errors import InputError
from mailml.flow.flow import Flow, Rule
from mailml.flow.source import loads
from mailml.flow.writing import dumps, parts_of

_HEAD = re.compile(r"[ \t]*\[\[[ \t]*rule[ \t]*\]\]")
_COMMENT = re.compile(r"[ \t]*(#.*)?\r?\n?")


@dataclass(frozen=True, slots=True)
class _File:
    before: str
    blocks: tuple[str, ...]
    after: str

    @property
    def whole(self) -> str:
        return "".join((self.before, *self.blocks, self.after))


def rewrite(toml: str, flow: Flow) -> str:
    """The file `toml` as the flow `flow` would have it; every rule that is the same keeps its bytes.

    A rule is known by its name; one that was renamed, by all the rest of it. A file whose rules do not stand
    in `[[rule]]` tables is written anew, without its comments. Raises FlowError where `toml` is no flow,
    InputError where tomlkit is not installed.
    """
    old, file = _known(toml)
    if old == flow:
        return toml
    if file is None:
        return dumps(flow)
    known = {rule.name: (rule, block) for rule, block in zip(old.rules, file.blocks, strict=True)}
    new = {rule.name for rule in flow.rules}
    leftover = {_but_name(rule): known[rule.name] for rule in old.rules if rule.name not in new}
    blocks = []
    for rule in flow.rules:
        was = known.get(rule.name) or leftover.pop(_but_name(rule), None)
        blocks.append(_ended(_changed(*was, rule) if was else _fresh(rule)))
    before = _ended(file.before) if blocks else file.before
    if flow.default != old.default:
        before = _with_keys(before, parts_of(flow))
    made = _File(before, tuple(blocks), file.after).whole
    return made if _reads_as(made, flow) else dumps(flow)


@lru_cache(maxsize=2)
def _known(toml: str) -> tuple[Flow, _File | None]:
    """A file read and taken apart: while somebody types, the saved file is the same at every key."""
    flow = loads(toml)
    return flow, _taken_apart(toml, flow)


def _but_name(rule: Rule) -> Rule:
    return Rule("", rule.when, rule.then, rule.continue_)


def _taken_apart(toml: str, flow: Flow) -> _File | None:
    """The blocks of a file; None where they are not one per rule, each readable by itself."""
    lines = toml.splitlines(keepends=True) if "\r" not in toml.replace("\r\n", "") else [toml]
    heads = [n for n, line in enumerate(lines) if _HEAD.match(line)]
    if len(heads) != len(flow.rules):
        return None
    starts = [_with_comments(lines, head) for head in heads]
    end = len(lines)
    while heads and end > heads[-1] + 1 and _COMMENT.fullmatch(lines[end - 1]):
        end -= 1
    # a comment right under the last rule is still of it
    stops = [*starts[1:], end] if heads else []
    first = starts[0] if starts else len(lines)
    blocks = tuple("".join(lines[a:b]) for a, b in zip(starts, stops, strict=True))
    file = _File("".join(lines[:first]), blocks, "".join(lines[end:] if heads else []))
    single = [_read(block) for block in blocks]
    if file.whole != toml or single != [Flow((rule,), "") for rule in flow.rules]:
        return None
    return file if _read(file.before, "") == Flow((), flow.default) else None


def _with_comments(lines: list[str], head: int) -> int:
    """The line at which a rule's own comments begin: those that stand right above its head."""
    while head and lines[head - 1].lstrip().startswith("#"):
        head -= 1
    return head


def _read(block: str, default: str = 'default = "-"\n') -> Flow | None:
    try:
        read = loads(f"{default}{block}")
    except Exception:  # noqa: BLE001  # whatever it is, it cannot stand alone
        return None
    return Flow(read.rules, "") if default else read


def _reads_as(toml: str, flow: Flow) -> bool:
    try:
        return loads(toml) == flow
    except Exception:  # noqa: BLE001
        return False


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _fresh(rule: Rule) -> str:
    return "\n" + dumps(Flow((rule,), "-")).partition("\n\n")[2]


def _changed(old: Rule, block: str, new: Rule) -> str:
    """The block of a rule with the keys that differ written anew."""
    if old == new:
        return block
    was, now = parts_of(old), parts_of(new)
    made = _with_keys(block, {key: now[key] for key in now if was[key] != now[key]})
    if _read(made) == Flow((new,), ""):
        return made
    comments = block[: len(block) - len(block.lstrip())] + "".join(
        line for line in block.splitlines(keepends=True) if line.lstrip().startswith("#")
    )
    return comments + _fresh(new).lstrip("\n")


def _with_keys(text: str, changes: Mapping[str, str]) -> str:
    """TOML with some values replaced; all the rest is kept by tomlkit."""
    try:
        import tomlkit
    except ImportError as error:
        cure = 'Install the workbench: pip install "mailml[lab]".'
        raise InputError("tomlkit is not installed, which keeps a file's comments", cure=cure) from error
    try:
        document = tomlkit.parse(text)
        table: Any = document["rule"][0] if "rule" in document else document
        for key, value in changes.items():
            table[key] = tomlkit.parse(f"value = {value}")["value"]
        return tomlkit.dumps(document)
    except (tomlkit.exceptions.TOMLKitError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return ""
