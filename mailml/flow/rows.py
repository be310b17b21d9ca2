"""Rules made ready to be asked: conditions as functions, traces remembered, one look for all misses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailml.flow.conditions import Ask, Condition
from mailml.flow.making import make_trace
from mailml.flow.questions import compiled, name_of, question_of, recurring, traced
from mailml.flow.reading import MOST_KEPT, Form, Reading
from mailml.flow.sieve import Looked, Sieve, head_of, sieves
from mailml.verdict import RuleTrace, Test


@dataclass(slots=True)
class Row:
    """One rule: `ask` gives its trace on a message.

    Where a sieve can answer its first question, `field` names it, and `missed` gives the trace of a miss from
    what the field shows.
    """

    ask: Callable[[Reading], RuleTrace]
    field: str = ""
    missed: Form[str, RuleTrace] | None = None


class Table:
    """The rows of a flow, in order, with the sieves they share."""

    def __init__(self, rules: Iterable[tuple[str, Condition, str]]) -> None:
        """Of each rule: its name, its condition, and its outcome in words."""
        listed = tuple(rules)
        self._sieves = sieves(head for _, when, _ in listed if (head := head_of(when)))
        self._rows = tuple(_row(name, when, words, self._sieves) for name, when, words in listed)

    def walk(self, reading: Reading, goes_on: tuple[bool, ...]) -> tuple[list[RuleTrace], list[int]]:
        """Ask the rules in order up to the first hit that does not go on: all traces, and which rules hit."""
        traces, hits = list[RuleTrace](), list[int]()
        looked: Form[str, Looked] = Form(lambda field: self._sieves[field](reading))
        for n, row in enumerate(self._rows):
            if row.missed is not None:
                something, shows = looked[row.field]
                if not something:
                    traces.append(row.missed[shows])
                    continue
            trace = row.ask(reading)
            traces.append(trace)
            if trace.hit:
                hits.append(n)
                if not goes_on[n]:
                    break
        return traces, hits


def _row(name: str, when: Condition, words: str, sieved: dict[str, Sieve]) -> Row:
    ask, head = _asker(name, when, words), head_of(when)
    if head is None or name_of(head) not in sieved:
        return Row(ask)
    note = traced(head)

    def miss(shown: str) -> RuleTrace:
        return make_trace(name, (note((False, shown)),), "", hit=False)

    return Row(ask, name_of(head), Form(miss, MOST_KEPT))


def _asker(name: str, when: Condition, words: str) -> Callable[[Reading], RuleTrace]:
    def trace(tests: tuple[Test, ...], *, hit: bool) -> RuleTrace:
        return make_trace(name, tests, words if hit else "", hit=hit)

    if isinstance(when, Ask):  # the common rule: its traces recur with its answers
        note = traced(when)
        return recurring(question_of(when), lambda answer: trace((note(answer),), hit=answer[0]))
    tests_of = compiled(when)

    def ask(reading: Reading) -> RuleTrace:
        tests: list[Test] = []
        hit = tests_of(reading, tests)
        return trace(tuple(tests), hit=hit)

    return ask
