"""A condition as data -> a function that asks it of a message and writes down what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import re2

from mailml.flow.conditions import AnyOf, Ask, Condition, Not, Value, spec_of
from mailml.flow.folding import fold_expected
from mailml.flow.making import make_test
from mailml.flow.reading import MOST_KEPT, Form, Reading, cut, shown
from mailml.verdict import Test

Answer = tuple[bool, str]  # hit, and what was found
Question = Callable[[Reading], Answer]
Asker = Callable[[Reading, list[Test]], bool]
_AROUND = 50  # characters of text shown before what was found
Made = TypeVar("Made")


def compiled(condition: Condition, *, negated: bool = False) -> Asker:
    """A function that answers the condition and appends a `Test` for every question it had to ask.

    Under `not` the tests are turned round one by one (De Morgan), so that a trace reads
    "subject not contains …: hit", and questions are still asked only up to the first that decides.
    """
    if isinstance(condition, Ask):
        return _leaf(condition, negated=negated)
    if isinstance(condition, Not):
        return compiled(condition.of, negated=not negated)
    parts = tuple(compiled(part, negated=negated) for part in condition.of)
    decisive = isinstance(condition, AnyOf) != negated  # the answer of a part that settles the whole

    def group(reading: Reading, tests: list[Test]) -> bool:
        for part in parts:
            if part(reading, tests) is decisive:
                return decisive
        return not decisive

    return parts[0] if len(parts) == 1 else group


def _leaf(ask: Ask, *, negated: bool) -> Asker:
    asked = recurring(question_of(ask), traced(ask, negated=negated))

    def leaf(reading: Reading, tests: list[Test]) -> bool:
        test = asked(reading)
        tests.append(test)
        return test.hit

    return leaf


def traced(ask: Ask, *, negated: bool = False) -> Callable[[Answer], Test]:
    """A function that writes an answer to one question down."""
    field, operator, expected = asked_words(ask, negated=negated)
    return lambda answer: make_test(field, operator, expected, answer[1], hit=answer[0] is not negated)


def asked_words(ask: Ask, *, negated: bool = False) -> tuple[str, str, str]:
    """How a trace writes a question: field, operator and what is expected."""
    field = f"{ask.field} ({ask.scope})" if ask.scope else ask.field
    return field, f"not {ask.operator}" if negated else ask.operator, cut(in_words(ask))


def recurring(question: Question, make: Callable[[Answer], Made]) -> Callable[[Reading], Made]:
    """`make(question(reading))`, looked up where the answer was met before.

    A frozen value costs three times as much to make as to look up, and most answers recur: `(none)`, the
    same recipient, text without the word.
    """
    known: Form[Answer, Made] = Form(make, MOST_KEPT)
    return lambda reading: known[question(reading)]


def in_words(ask: Ask) -> str:
    """What a question expects, for people: `"billing" or "refund"`."""
    return " or ".join(f'"{v}"' if isinstance(v, str) else str(v).lower() for v in ask.expected)


def question_of(ask: Ask) -> Question:
    """The function behind one question."""
    spec = spec_of(ask.field)
    kind = spec.type if spec else ""
    if kind == "flag":
        return _flag(ask)
    if kind == "number":
        return _number(ask)
    if kind == "category":
        return _category(ask)
    name = name_of(ask)
    if ask.operator == "exists":
        return _exists(name, expected=bool(ask.expected[0]))
    if ask.operator == "matches":
        return _matches(name, [str(v) for v in ask.expected])
    return _compares(name, ask.operator, [str(v) for v in ask.expected])


def name_of(ask: Ask) -> str:
    """Under which name a `Reading` keeps what a question asks for."""
    return f"{ask.field}/{ask.scope}" if ask.scope else ask.field


def pattern(text: str) -> re2._Regexp:
    """A compiled RE2 pattern over UTF-8; raises `re2.error` for one that RE2 refuses."""
    options = re2.Options()
    options.log_errors = False  # it is reported as a fault of the flow, not on stderr
    return re2.compile(text.encode(), options)


def _flag(ask: Ask) -> Question:
    field, expected = ask.field, bool(ask.expected[0])

    def flag(reading: Reading) -> Answer:
        value = reading.flag(field)
        return value is expected, "true" if value else "false"

    return flag


def _number(ask: Ask) -> Question:
    field, test = ask.field, _within(ask.operator, ask.expected)

    def number(reading: Reading) -> Answer:
        value = reading.number(field)
        return value is not None and test(value), "(unknown)" if value is None else str(value)

    return number


def _within(operator: str, expected: tuple[Value, ...]) -> Callable[[float], bool]:
    numbers = [float(v) for v in expected]
    if operator == "at_least":
        return lambda value: value >= numbers[0]
    if operator == "at_most":
        return lambda value: value <= numbers[0]
    return lambda value: value in numbers


def _category(ask: Ask) -> Question:
    labels = {fold_expected(str(v)) for v in ask.expected}
    test = _within(ask.operator, ask.expected) if ask.operator in ("at_least", "at_most") else None
    exists = bool(ask.expected[0])

    def category(reading: Reading) -> Answer:
        answer = reading.category
        if answer is None or answer.label is None:
            why = answer.reason if answer is not None and answer.reason else "no classifier was asked"
            return ask.operator == "exists" and not exists, f"abstained: {cut(why)}"[:120]
        found = f"{answer.label} {answer.probability:.3f}"
        if test is not None:
            return test(answer.probability), found
        return (exists if ask.operator == "exists" else fold_expected(answer.label) in labels), found

    return category


def _exists(name: str, *, expected: bool) -> Question:
    def exists(reading: Reading) -> Answer:
        values = reading.values(name)
        return bool(values) is expected, shown(name, values)

    return exists


def _matches(name: str, expected: list[str]) -> Question:
    searches = [pattern(text).search for text in expected]
    long = name.startswith("text")

    def matches(reading: Reading) -> Answer:
        values, shows = reading.encoded[name]
        for value in values:
            for search in searches:
                if match := search(value):
                    return True, _around(value, *match.span()) if long else shows
        return False, shows

    return matches


def _around(value: bytes, start: int, end: int) -> str:
    """The place of a match with a little of what stands before it."""
    begin = max(0, start - _AROUND)
    return cut(value[begin : max(end, begin + 4 * _AROUND)][: 8 * _AROUND].decode(errors="ignore"))


def _compares(name: str, operator: str, expected: list[str]) -> Question:
    needles = tuple(fold_expected(text) for text in expected)
    if operator == "contains":
        return _contains(name, needles)
    if operator == "is":
        wanted = frozenset(needle.strip(" ") for needle in needles)
        return _whole(name, wanted.__contains__)
    if operator == "starts_with":
        heads = tuple(needle.lstrip(" ") for needle in needles)
        return _whole(name, lambda value: f"{value} ".startswith(heads))
    tails = tuple(needle.rstrip(" ") for needle in needles)
    return _whole(name, lambda value: f" {value}".endswith(tails))


def _whole(name: str, test: Callable[[str], bool]) -> Question:
    def whole(reading: Reading) -> Answer:
        values, shows = reading.folded[name]
        for value in values:
            if test(value):
                return True, shows
        return False, shows

    return whole


def _contains(name: str, needles: tuple[str, ...]) -> Question:
    long = name.startswith("text")
    padded = any(
        needle != needle.strip(" ") for needle in needles
    )  # a blank at an edge also fits the text's end

    def contains(reading: Reading) -> Answer:
        values, shows = reading.folded[name]
        for value in values:
            hay = f" {value} " if padded else value
            for needle in needles:
                if needle in hay:
                    return True, _beside(hay, needle) if long else shows
        return False, shows

    return contains


def _beside(hay: str, needle: str) -> str:
    """The place where it stands with a little of what stands before it."""
    at = max(0, hay.index(needle) - _AROUND)
    return cut(hay[at : at + 4 * _AROUND])
