"""The trace's values, made five times as fast as their frozen `__init__` makes them.

A frozen dataclass sets each field through `object.__setattr__`, and a message makes dozens of these. So each
is made as a *blank*, a class of the very same slots that may be written to, and then becomes what it is.
`Test`, `RuleTrace` and `Outcome` stay as they are; Python refuses the step when the slots are not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailml.verdict import Outcome, RuleTrace, Test


class _Test:
    __slots__ = Test.__slots__


class _RuleTrace:
    __slots__ = RuleTrace.__slots__


class _Outcome:
    __slots__ = Outcome.__slots__


def make_test(field: str, operator: str, expected: str, found: str, *, hit: bool) -> Test:
    """`Test(field, operator, expected, found, hit)`."""
    blank: Any = _Test()
    blank.field, blank.operator, blank.expected = field, operator, expected
    blank.found, blank.hit = found, hit
    blank.__class__ = Test
    made: Test = blank
    return made


def make_trace(rule: str, tests: tuple[Test, ...], then: str, *, hit: bool) -> RuleTrace:
    """`RuleTrace(rule, hit, tests, then)`."""
    blank: Any = _RuleTrace()
    blank.rule, blank.tests, blank.then, blank.hit = rule, tests, then, hit
    blank.__class__ = RuleTrace
    made: RuleTrace = blank
    return made


def make_outcome(
    queue: str,
    priority: int,
    tags: tuple[str, ...],
    ack: bool | None,
    ack_template: str,
    sla: str,
    file: str,
    rule: str,
    trace: tuple[RuleTrace, ...],
) -> Outcome:
    """`Outcome(queue, …, trace)`, every field given."""
    blank: Any = _Outcome()
    blank.queue, blank.priority, blank.tags, blank.ack = queue, priority, tags, ack
    blank.ack_template, blank.sla, blank.file, blank.rule, blank.trace = ack_template, sla, file, rule, trace
    blank.__class__ = Outcome
    made: Outcome = blank
    return made


def miss_maker(rule: str, field: str, operator: str, expected: str) -> Callable[[str], RuleTrace]:
    """A function that gives the trace of a miss by its first question, from what the field shows.

    Subjects never recur, so every rule that asks for one makes such a trace for every message: nothing is
    called here, and no tuple is made only to be taken apart.
    """

    def miss(shown: str) -> RuleTrace:
        test: Any = _Test()
        test.field = field
        test.operator = operator
        test.expected = expected
        test.found = shown
        test.hit = False
        test.__class__ = Test
        blank: Any = _RuleTrace()
        blank.rule = rule
        blank.tests = (test,)
        blank.then = ""
        blank.hit = False
        blank.__class__ = RuleTrace
        made: RuleTrace = blank
        return made

    return miss
