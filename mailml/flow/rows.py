"""Rules made ready to be asked: conditions as functions, traces remembered, one look for most misses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailml.flow.conditions import Ask, Condition
from mailml.flow.making import make_trace, miss_maker
from mailml.flow.questions import asked_words, compiled, name_of, question_of, recurring, traced
from mailml.flow.reading import CUT, MOST_KEPT, Form, Reading, Values
from mailml.flow.sieve import Looked, Sieve, head_of, sieves
from mailml.verdict import RuleTrace, Test

Asking = Callable[[Reading], RuleTrace]


# One rule: its number, and a function that gives its trace on a message. Where a sieve can answer its first
# question, the field that it looks at, and the trace of a miss by what the field shows.
Row = tuple[int, Asking, str, Callable[[str], RuleTrace] | None]
_UNIQUE = ("subject", "from_address")  # what they show hardly ever recurs


class Table:
    """The rows of a flow, in order, with the sieves they share."""

    def __init__(self, rules: Iterable[tuple[str, Condition, str]]) -> None:
        """Of each rule: its name, its condition, and its outcome in words."""
        listed = tuple(rules)
        heads = ((n, head) for n, (_, when, _) in enumerate(listed) if (head := head_of(when)))
        self._sieves = sieves(heads)
        self._rows = tuple(_row(n, *rule, self._sieves) for n, rule in enumerate(listed))

    def walk(self, reading: Reading, goes_on: tuple[bool, ...]) -> tuple[list[RuleTrace], list[int]]:
        """Ask the rules in order up to the first hit that does not go on: all traces, and which rules hit."""
        traces: list[RuleTrace] = []  # `list[RuleTrace]()` takes 2 us
        hits: list[int] = []
        looked: dict[str, Looked] = {}
        note = traces.append
        for n, ask, field, missed in self._rows:
            if missed is not None:
                if field not in looked:
                    looked[field] = self._sieves[field](reading)
                near, shows = looked[field]
                if n not in near:
                    note(missed(shows))
                    continue
            trace = ask(reading)
            note(trace)
            if trace.hit:
                hits.append(n)
                if not goes_on[n]:
                    break
        return traces, hits


def _row(n: int, name: str, when: Condition, words: str, sieved: dict[str, Sieve]) -> Row:
    ask, head = _asker(name, when, words), head_of(when)
    if head is None or name_of(head) not in sieved:
        return n, ask, "", None
    miss = miss_maker(name, *asked_words(head))
    return n, ask, name_of(head), miss if head.field in _UNIQUE else Form(miss, MOST_KEPT).__getitem__


def _asker(name: str, when: Condition, words: str) -> Asking:
    def trace(tests: tuple[Test, ...], *, hit: bool) -> RuleTrace:
        return make_trace(name, tests, words if hit else "", hit=hit)

    if isinstance(when, Ask):  # the common rule
        question, note = question_of(when), traced(when)
        if when.field in _UNIQUE:
            miss = miss_maker(name, *asked_words(when))

            def once(reading: Reading) -> RuleTrace:
                hit, found = question(reading)
                return trace((note((hit, found)),), hit=True) if hit else miss(found)

            return once
        # its traces recur with its answers
        asked = recurring(question, lambda answer: trace((note(answer),), hit=answer[0]))
        return _by_value(name_of(when), asked) if head_of(when) is not None else asked
    tests_of = compiled(when)

    def ask(reading: Reading) -> RuleTrace:
        tests: list[Test] = []
        hit = tests_of(reading, tests)
        return trace(tuple(tests), hit=hit)

    return ask


def _by_value(name: str, asked: Asking) -> Asking:
    """The same, looked up by what the field holds: the same recipient or program need not be folded again.

    Long values are not kept: a hostile header must not stay in memory, and text never recurs.
    """
    if name.startswith("text"):
        return asked
    known: dict[Values, RuleTrace] = {}

    def ask(reading: Reading) -> RuleTrace:
        values = reading.values(name)
        trace = known.get(values)
        if trace is None:
            trace = asked(reading)
            if not values or (len(values) == 1 and len(values[0]) <= CUT):
                if len(known) >= MOST_KEPT:
                    known.clear()
                known[values] = trace
        return trace

    return ask
