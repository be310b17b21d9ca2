"""The words of the sample: one TOML bank per language, written out by a small grammar.

`[a|b]` is a choice (nested as deep as one likes), `{name}` a slot of the bank or a made-up value. Every
text in the banks is our own writing; people and companies live under .example and .test.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from random import Random
from typing import Any

_GAP = re.compile(r" (?=[.,;]| )")
LANGUAGES = ("en", "de", "fr", "es", "nl")


@dataclass(frozen=True, slots=True)
class Slot:
    """A name to be filled in."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several texts."""

    options: tuple[tuple[str | Slot | Choice, ...], ...]


Node = str | Slot | Choice
Text = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing customers write about: its truth and its sentences."""

    name: str
    category: str
    subject: tuple[str, ...]
    what: tuple[str, ...]
    more: tuple[str, ...]
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything written in one language."""

    language: str
    lines: Mapping[str, tuple[str, ...]]
    slots: Mapping[str, tuple[str, ...]]
    topics: tuple[Topic, ...]

    def of(self, category: str) -> tuple[Topic, ...]:
        """The topics of one category."""
        return tuple(topic for topic in self.topics if topic.category == category)


@cache
def load(language: str) -> Bank:
    """Read the bank of a language (ISO 639-1, one of LANGUAGES)."""
    source = resources.files(__package__).joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(source)
    slots = {name: tuple(values) for name, values in data.pop("slots").items()}
    topics = tuple(_topic(entry) for entry in data.pop("topic"))
    return Bank(language, {name: tuple(values) for name, values in data.items()}, slots, topics)


def _topic(entry: Mapping[str, Any]) -> Topic:
    said = {name: tuple(entry[name]) for name in ("subject", "what", "more", "ask")}
    return Topic(name=entry["name"], category=entry["category"], **said)


@lru_cache(maxsize=8192)
def compile_text(source: str) -> Text:
    """Turn one line of a bank into a tree; a bracket that is not closed closes at the end."""
    text, _, _ = _sequence(source, 0, depth=0)
    return text


def _sequence(source: str, at: int, *, depth: int) -> tuple[Text, int, str]:
    """Read until the choice's next `|` or `]` (or the end); give back where it stopped and at what."""
    nodes: list[Node] = []
    literal: list[str] = []
    while at < len(source):
        char = source[at]
        if depth and char in "|]":
            break
        if char in "[{":
            nodes.append("".join(literal))
            literal.clear()
            node, at = _choice(source, at + 1, depth) if char == "[" else _slot(source, at + 1)
            nodes.append(node)
            continue
        literal.append(char)
        at += 1
    nodes.append("".join(literal))
    return tuple(node for node in nodes if node != ""), at, source[at : at + 1]


def _choice(source: str, at: int, depth: int) -> tuple[Node, int]:
    options: list[Text] = []
    stopped = "|"
    while stopped == "|":
        text, at, stopped = _sequence(source, at, depth=depth + 1)
        options.append(text)
        at += 1
    return Choice(tuple(options)), at


def _slot(source: str, at: int) -> tuple[Node, int]:
    end = source.index("}", at)
    return Slot(source[at:end]), end + 1


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes lines of one bank with one stream of chance and the values of one conversation."""

    bank: Bank
    rng: Random
    values: dict[str, str | Callable[[Random], str]]

    def pick(self, name: str) -> str:
        """One line of the bank, written out."""
        return self.write(self.rng.choice(self.bank.lines[name]))

    def one(self, lines: tuple[str, ...]) -> str:
        """One of these lines, written out."""
        return self.write(self.rng.choice(lines))

    def write(self, source: str) -> str:
        """A line of the grammar, written out."""
        # A choice may be empty: no double blank and no blank before a full stop is left behind.
        return _GAP.sub("", "".join(self._node(node) for node in compile_text(source)))

    def _node(self, node: Node) -> str:
        if isinstance(node, str):
            return node
        if isinstance(node, Slot):
            return self._fill(node.name)
        return "".join(self._node(part) for part in self.rng.choice(node.options))

    def _fill(self, name: str) -> str:
        value = self.values.get(name)
        if callable(value):
            return value(self.rng)
        if value is not None:
            return value
        return self.one(self.bank.slots[name])
