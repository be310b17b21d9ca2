"""The trace's values, made four times as fast as their frozen `__init__` makes them.

A frozen dataclass sets each field through `object.__setattr__`, and a message makes dozens of these; writing
to the slots directly gives the very same value. `Test` and `RuleTrace` stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable

from mailml.verdict import Outcome, RuleTrace, Test

_new = object.__new__
_field, _operator, _expected, _found, _hit = (
    getattr(Test, name).__set__ for name in ("field", "operator", "expected", "found", "hit")
)
_rule, _rule_hit, _tests, _then = (
    getattr(RuleTrace, name).__set__ for name in ("rule", "hit", "tests", "then")
)


_outcome = [getattr(Outcome, name).__set__ for name in Outcome.__slots__]


def make_outcome(*values: object) -> Outcome:
    """`Outcome(*values)`, every field given."""
    outcome = _new(Outcome)
    for set_, value in zip(_outcome, values, strict=True):
        set_(outcome, value)
    return outcome


def make_test(field: str, operator: str, expected: str, found: str, *, hit: bool) -> Test:
    """`Test(field, operator, expected, found, hit)`."""
    test = _new(Test)
    _field(test, field)
    _operator(test, operator)
    _expected(test, expected)
    _found(test, found)
    _hit(test, hit)
    return test


def make_trace(rule: str, tests: tuple[Test, ...], then: str, *, hit: bool) -> RuleTrace:
    """`RuleTrace(rule, hit, tests, then)`."""
    trace = _new(RuleTrace)
    _rule(trace, rule)
    _rule_hit(trace, hit)
    _tests(trace, tests)
    _then(trace, then)
    return trace


def miss_maker(rule: str, field: str, operator: str, expected: str) -> Callable[[str], RuleTrace]:
    """A function that gives the trace of a miss by its first question, from what the field shows.

    Subjects never recur, so every rule that asks for one makes such a trace for every message: the setters
    are called here rather than through `make_test`, which would take as long again.
    """

    def miss(shown: str) -> RuleTrace:
        test, trace = _new(Test), _new(RuleTrace)
        _field(test, field)
        _operator(test, operator)
        _expected(test, expected)
        _found(test, shown)
        _hit(test, False)
        _rule(trace, rule)
        _rule_hit(trace, False)
        _tests(trace, (test,))
        _then(trace, "")
        return trace

    return miss
