"""`--fail-if 'misroute_rate > baseline + 0.5%'`: a condition on a back-test, read and judged.

    condition := comparison (("and" | "or") comparison)*      "and" binds before "or"
    comparison := MEASURE ("<" | "<=" | ">" | ">=" | "==" | "!=") sum
    sum := product (("+" | "-") product)*
    product := atom ("*" atom)*
    atom := NUMBER ["%"] | "baseline" | "baseline."MEASURE | MEASURE

`baseline` alone is the baseline's value of the measure on the left; `0.5%` is 0.005.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mailml.errors import InputError, NotEnoughData

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?%?)|([A-Za-z_][\w.]*)|(<=|>=|==|!=|<|>)|([+*-]))")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer: whether the condition to fail on holds, and the numbers in words."""

    condition: str
    fails: bool
    why: str

    def __str__(self) -> str:
        return f"{'FAILED' if self.fails else 'passed'}: {self.condition}  ({self.why})"


def judge_gate(condition: str, candidate: Mapping[str, float], baseline: Mapping[str, float]) -> Gate:
    """Judge a condition over the measures of both sides.

    Raises InputError where the condition cannot be read, with the measures there are, and NotEnoughData where
    a measure it names could not be taken (no truth, no baseline): a check that cannot be made never passes.
    """
    reader = _Reader(condition, candidate, baseline)
    fails = reader.condition()
    return Gate(condition, fails, ", ".join(reader.seen))


class _Reader:
    """Reads the condition from left to right and computes as it goes."""

    def __init__(self, text: str, candidate: Mapping[str, float], baseline: Mapping[str, float]) -> None:
        self.text, self.candidate, self.baseline = text, candidate, baseline
        self.tokens, self.at, self.left = self._split(text), 0, ""
        self.seen: list[str] = []

    def condition(self) -> bool:
        result = self._all()
        while self._take("or"):
            result = self._all() or result
        if self.at < len(self.tokens):
            raise self._fault(f"{self.tokens[self.at]!r} stands where nothing more is expected")
        return result

    def _all(self) -> bool:
        result = self._comparison()
        while self._take("and"):
            result = self._comparison() and result
        return result

    def _comparison(self) -> bool:
        self.left = self._next("a measure")
        value = self._measure(self.left, self.candidate, self.left)
        sign = self._next("a comparison such as >")
        if sign not in _COMPARE:
            raise self._fault(f"{sign!r} is no comparison", "Use one of " + " ".join(_COMPARE))
        return _COMPARE[sign](value, self._sum())

    def _sum(self) -> float:
        value = self._product()
        while self._peek() in ("+", "-"):
            sign = self._next("")
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def _product(self) -> float:
        value = self._atom()
        while self._take("*"):
            value *= self._atom()
        return value

    def _atom(self) -> float:
        word = self._next("a number or a measure")
        if word[0].isdigit():
            return float(word.rstrip("%")) / (100 if word.endswith("%") else 1)
        if word == "baseline":
            return self._measure(self.left, self.baseline, f"baseline.{self.left}")
        if word.startswith("baseline."):
            return self._measure(word.removeprefix("baseline."), self.baseline, word)
        return self._measure(word, self.candidate, word)

    def _measure(self, name: str, values: Mapping[str, float], shown: str) -> float:
        if name not in self.candidate:
            near = difflib.get_close_matches(name, self.candidate, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise self._fault(f"{name!r} is no measure", f"{hint}There are: {', '.join(self.candidate)}")
        value = values.get(name, math.nan)
        if math.isnan(value):
            cure = "Give a baseline, or pull the queue folders so that there is a truth"
            raise NotEnoughData(f"{shown} could not be measured", where=f"condition {self.text!r}", cure=cure)
        self.seen.append(f"{shown} = {value:.4g}")
        return value

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self, word: str) -> bool:
        found = self._peek() == word
        self.at += found
        return found

    def _next(self, wanted: str) -> str:
        if self.at >= len(self.tokens):
            raise self._fault(f"it ends where {wanted} is expected")
        self.at += 1
        return self.tokens[self.at - 1]

    def _split(self, text: str) -> list[str]:
        if len(text) > _LONGEST:
            raise InputError(f"a condition of {len(text)} characters is too long", where="--fail-if")
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._fault(f"{text[at:].strip()[:10]!r} cannot be read")
            tokens.append(match.group().strip())
            at = match.end()
        return tokens

    def _fault(self, what: str, cure: str = "") -> InputError:
        cure = cure or "Write it like 'misroute_rate > baseline + 0.5%'"
        return InputError(what, where=f"condition {self.text!r}", cure=cure)
