"""The same flow over a whole archive in columns: one bitmap per distinct question, kept and recombined.

The meaning is that of `questions.py`, reached another way: text is folded by the same function (ASCII rows
natively, the others one by one), patterns are searched by RE2 (pyarrow's: the engine of single messages too),
and outcomes are made by the flow itself from the rules that hit. Property tests hold the two equal.

Reordering rules asks nothing again: only a question that was never asked before scans its column.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.compute as pc

from mailml.errors import InputError
from mailml.flow.conditions import All, Ask, Condition, Facts, Not, spec_of
from mailml.flow.flow import Flow
from mailml.flow.folding import fold, fold_expected
from mailml.flow.questions import name_of
from mailml.flow.reading import Reading
from mailml.verdict import Outcome

Bits = npt.NDArray[np.bool_]
LISTS = ("to", "cc", "attachment_name")
SINGLE = ("subject", "text", "text/everything", "from_address", "from_domain", "language", "kind", "mailbox")
_SPACES = "\n\r\t\v\f"


def frame(facts: Iterable[Facts], *, headers: Iterable[str] = ()) -> pl.DataFrame:
    """The columns that a `Batch` reads, from the facts of many messages; each header field is one more.

    Columns bear the fields' names; `text/everything` is the text with its quoted history, `category` and
    `probability` the classifier's answer. A value that a message lacks is null, or an empty list.
    """
    lists = (*LISTS, *(f"header.{name}" for name in headers))
    rows = [_row(one, lists) for one in facts]
    schema: dict[str, Any] = dict.fromkeys((*SINGLE, "category", "received.weekday"), pl.String)
    schema |= dict.fromkeys(lists, pl.List(pl.String))
    schema |= dict.fromkeys(("has_attachment", "is_reply", "authenticated"), pl.Boolean)
    schema |= {"size": pl.Int64, "received.hour": pl.Int64, "probability": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def _row(facts: Facts, lists: Iterable[str]) -> dict[str, object]:
    reading, category = Reading(facts), facts.category()
    row: dict[str, object] = {name: list(reading.values(name)) for name in lists}
    for name in (*SINGLE, "received.weekday"):
        row[name] = next(iter(reading.values(name)), None)
    for name in ("has_attachment", "is_reply", "authenticated"):
        row[name] = reading.flag(name)
    row |= {"size": reading.number("size"), "received.hour": reading.number("received.hour")}
    row["category"] = category.label if category else None
    row["probability"] = category.probability if category else None
    return row


class Batch:
    """A frame of messages and every bitmap that was ever made of it."""

    def __init__(self, messages: pl.DataFrame) -> None:
        """Columns as `frame` makes them; only those that a flow asks for need to be there."""
        self._messages = messages
        self._bitmaps: dict[Ask, Bits] = {}
        self._folded: dict[str, pl.Series] = {}
        self._composed: dict[str, pl.Series] = {}
        self.asked = 0  # questions that had to scan a column

    def __len__(self) -> int:
        return self._messages.height

    def fits(self, condition: Condition) -> Bits:
        """One answer per message."""
        if isinstance(condition, Ask):
            return self._bitmap(condition)
        if isinstance(condition, Not):
            return ~self.fits(condition.of)
        everything = isinstance(condition, All)
        found = np.full(len(self), everything)
        for part in condition.of:
            found = found & self.fits(part) if everything else found | self.fits(part)
        return found

    def run(self, flow: Flow) -> pl.DataFrame:
        """The outcome of every message, in order: a column for each field of `Outcome` but the trace."""
        hits, outcomes = self._walk(flow)
        table = pl.DataFrame([_columns(outcome) for outcome in outcomes], schema=_SCHEMA)
        return table[hits]

    def hits(self, flow: Flow) -> dict[str, Bits]:
        """For each rule by name, which messages its condition fits, whatever stands before it."""
        return {rule.name: self.fits(rule.when) for rule in flow.rules}

    def _walk(self, flow: Flow) -> tuple[npt.NDArray[np.int32], list[Outcome]]:
        """For each message the number of its outcome, which depends on the rules that hit alone."""
        way = np.zeros(len(self), np.int32)
        walking = np.full(len(self), True)
        ways: list[tuple[int, ...]] = [()]
        for n, rule in enumerate(flow.rules):
            hit = walking & self.fits(rule.when)
            before = way[hit]
            renamed = np.zeros(len(ways), np.int32)
            for old in np.flatnonzero(np.bincount(before, minlength=len(ways))):
                renamed[old] = len(ways)
                ways.append((*ways[old], n))
            way[hit] = renamed[before]
            if not rule.continue_:
                walking &= ~hit
        return way, [flow.outcome([flow.rules[n] for n in one]) for one in ways]

    def _bitmap(self, ask: Ask) -> Bits:
        known = self._bitmaps.get(ask)
        if known is None:
            self.asked += 1
            known = self._bitmaps[ask] = self._scan(ask)
        return known

    def _scan(self, ask: Ask) -> Bits:
        spec = spec_of(ask.field)
        kind = spec.type if spec else ""
        if kind == "category" and ask.operator != "exists":
            return self._category(ask)
        if kind in ("flag", "number"):
            return _numbers(self._column(ask.field), ask)
        name = name_of(ask)
        if ask.operator == "exists":
            column = self._column(name)
            there = column.list.len() > 0 if column.dtype == pl.List else column.is_not_null()
            return _bits(there) if ask.expected[0] else ~_bits(there)
        if ask.operator == "matches":
            texts = self._form(name, self._composed, _composed)
            return self._any(name, lambda: _matching(texts, [str(v) for v in ask.expected]))
        texts = self._form(name, self._folded, folded)
        needles = [fold_expected(str(v)) for v in ask.expected]
        return self._any(name, lambda: _bits(_compared(texts, ask.operator, needles)))

    def _category(self, ask: Ask) -> Bits:
        labels = self._column("category")
        if ask.operator != "is":
            return _numbers(self._column("probability"), ask) & _bits(labels.is_not_null())
        wanted = [fold_expected(str(v)) for v in ask.expected]
        return _bits(_compared(folded(labels), "is", wanted))

    def _any(self, name: str, answers: Callable[[], Bits]) -> Bits:
        """The answers per message: those of its one value, or whether one of its values answers yes."""
        column = self._column(name)
        if column.dtype != pl.List:
            return answers()
        owners = np.repeat(np.arange(len(self)), column.list.len().fill_null(0).to_numpy())
        found = np.full(len(self), False)
        found[owners[answers()]] = True
        return found

    def _form(
        self, name: str, kept: dict[str, pl.Series], make: Callable[[pl.Series], pl.Series]
    ) -> pl.Series:
        """The values of a field, lists laid flat, in one of the two forms that questions read."""
        if name not in kept:
            column = self._column(name)
            flat = column.filter(column.list.len() > 0).explode() if column.dtype == pl.List else column
            kept[name] = make(flat)
        return kept[name]

    def _column(self, name: str) -> pl.Series:
        columns: Mapping[str, str] = {column.lower(): column for column in self._messages.columns}
        column = columns.get(name.lower())
        if column is None:
            raise InputError(f"the archive's columns lack {name!r}, which the flow asks for")
        return self._messages[column]


def folded(texts: pl.Series) -> pl.Series:
    """`fold` of every text; null stays null."""
    ascii_ = texts.str.len_bytes() == texts.str.len_chars()
    quick = texts.str.to_lowercase()
    # looking costs a fifth of replacing, and one pattern for all white space stops at every single blank
    for space in _SPACES:
        if quick.str.contains(space, literal=True).any():
            quick = quick.str.replace_all(space, " ", literal=True)
    while quick.str.contains("  ", literal=True).any():
        quick = quick.str.replace_all("  ", " ", literal=True)
    quick = quick.str.strip_chars(" ")
    return _patched(texts, quick, ascii_, fold)


def _composed(texts: pl.Series) -> pl.Series:
    """Every text in NFC."""
    ascii_ = texts.str.len_bytes() == texts.str.len_chars()
    return _patched(texts, texts, ascii_, lambda text: unicodedata.normalize("NFC", text))


def _patched(texts: pl.Series, quick: pl.Series, good: pl.Series, slow: Callable[[str], str]) -> pl.Series:
    """`quick` where it is good, and the slow way where it is not."""
    rest = (~good).fill_null(value=False)
    if not rest.any():
        return quick
    patch = pl.Series([slow(text) for text in texts.filter(rest)], dtype=pl.String)
    return quick.scatter(rest.arg_true(), patch)


def _compared(texts: pl.Series, operator: str, needles: list[str]) -> pl.Series:
    if operator == "is":
        return texts.is_in([needle.strip() for needle in needles])
    if operator == "contains":
        padded = any(needle != needle.strip() for needle in needles)
        hay = " " + texts + " " if padded else texts
        return hay.str.contains_any(needles)
    answers = [_edge(texts, operator, needle) for needle in needles]
    found = answers[0]
    for answer in answers[1:]:
        found = found | answer
    return found


def _edge(texts: pl.Series, operator: str, needle: str) -> pl.Series:
    if operator == "starts_with":
        return (texts + " ").str.starts_with(needle.lstrip())
    return (" " + texts).str.ends_with(needle.rstrip())


def _matching(texts: pl.Series, patterns: list[str]) -> Bits:
    found = np.full(len(texts), False)
    column = texts.to_arrow()
    for pattern in patterns:
        hit = pc.match_substring_regex(column, pattern)
        found |= np.asarray(pc.fill_null(hit, False).to_numpy(zero_copy_only=False), dtype=bool)
    return found


def _numbers(column: pl.Series, ask: Ask) -> Bits:
    first = ask.expected[0]
    if ask.operator == "at_least":
        return _bits(column >= first)
    if ask.operator == "at_most":
        return _bits(column <= first)
    return _bits(column.is_in(list(ask.expected)))


def _bits(answers: pl.Series) -> Bits:
    return answers.fill_null(value=False).to_numpy().astype(bool, copy=False)


_SCHEMA: dict[str, Any] = {
    "queue": pl.String,
    "priority": pl.Int64,
    "tags": pl.List(pl.String),
    "ack": pl.Boolean,
    "ack_template": pl.String,
    "sla": pl.String,
    "file": pl.String,
    "rule": pl.String,
}


def _columns(outcome: Outcome) -> dict[str, object]:
    row = {name: getattr(outcome, name) for name in _SCHEMA}
    return {**row, "tags": list(outcome.tags)}
