"""Values of a trace that are made another way are the very values that their classes make."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from mailml.flow.making import make_outcome, make_test, make_trace, miss_maker
from mailml.verdict import Outcome, RuleTrace, Test, canonical_json

ASKED = Test("subject", "contains", '"x"', "hello", True)
TRACED = RuleTrace("urgent", True, (ASKED,), 'queue "Q"')
DECIDED = Outcome("Q", 10, ("a",), True, "short", "4 hours", "", "urgent", (TRACED,))
PAIRS = [
    (make_test("subject", "contains", '"x"', "hello", hit=True), ASKED),
    (make_trace("urgent", (ASKED,), 'queue "Q"', hit=True), TRACED),
    (make_outcome("Q", 10, ("a",), True, "short", "4 hours", "", "urgent", (TRACED,)), DECIDED),
    (
        miss_maker("urgent", "subject", "contains", '"x"')("hello"),
        RuleTrace("urgent", False, (replace(ASKED, hit=False),), ""),
    ),
]


@pytest.mark.parametrize(("made", "expected"), PAIRS)
def test_they_are_the_same_values(made: object, expected: object) -> None:
    """Type, equality, hash, text, JSON and every single field are those of a value made by its class."""
    assert type(made) is type(expected)
    assert (made, hash(made), repr(made)) == (expected, hash(expected), repr(expected))
    assert canonical_json(made) == canonical_json(expected)
    for field in fields(expected):  # type: ignore[arg-type]
        assert getattr(made, field.name) == getattr(expected, field.name)


@pytest.mark.parametrize(("made", "expected"), PAIRS)
def test_they_are_frozen_and_can_be_copied(made: Test, expected: object) -> None:
    """Nobody can change one, and a copy is equal, made with `replace` or as other processes are sent one."""
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(made)[0].name, "x")
    assert replace(made) == expected
    assert copy.deepcopy(made) == expected
