"""The conditions of `--fail-if` as text -> a small tree of values, or what is wrong with the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailml.errors import Fault

_TOKEN = re.compile(
    r"""\s*(?:(\d+(?:\.\d+)?%?)|([A-Za-z_][\w.]*)|("[^"]*"|'[^']*')|(<=|>=|==|!=|<|>)|([-+*/()\[\]]))"""
)
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_LONGEST, _DEEPEST = 500, 30
_CURE = "Write it like 'misroute_rate > baseline + 0.5%'"


@dataclass(frozen=True, slots=True)
class Number:
    """A number; percent are hundredths."""

    value: float


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the candidate or the baseline, of everything or of one queue."""

    name: str
    queue: str = ""
    baseline: bool = False

    @property
    def key(self) -> str:
        """Its name among the measures."""
        return f"{self.name}[{self.queue}]" if self.queue else self.name


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes and what stands between them."""

    left: Node
    sign: str
    right: Node


class Sum(Pair):
    """Two values and + - * or / between them."""

    __slots__ = ()


class Compared(Pair):
    """Two values compared."""

    __slots__ = ()


class Both(Pair):
    """Two conditions joined by `and` or `or`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Flipped:
    """`not` a condition."""

    of: Node


Node = Number | Measure | Sum | Compared | Both | Flipped


def parse_condition(text: str) -> tuple[Node | None, list[Fault]]:
    """The tree of a condition and no fault, or no tree and what is wrong, with its place."""
    try:
        return _Reader(text).read(), []
    except _FaultyError as error:
        return None, [error.fault]


class _FaultyError(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


class _Reader:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self._left: list[Measure] = []  # the measures left of the comparison: what `baseline` alone means
        self._tokens = self._split()

    def read(self) -> Node:
        tree = self._any()
        if self._at < len(self._tokens):
            raise self._fault(f"{self._peek()!r} stands where nothing more is expected")
        return tree

    def _any(self) -> Node:
        tree = self._all()
        while self._take("or"):
            tree = Both(tree, "or", self._all())
        return tree

    def _all(self) -> Node:
        tree = self._one()
        while self._take("and"):
            tree = Both(tree, "and", self._one())
        return tree

    def _one(self) -> Node:
        self._deeper()
        if self._take("not"):
            tree: Node = Flipped(self._one())
        elif self._peek() == "(" and self._holds_comparison():
            self._next("")
            tree = self._any()
            self._closed(")")
        else:
            tree = self._comparison()
        self._depth -= 1
        return tree

    def _comparison(self) -> Node:
        self._left = []
        left = self._sum(before=True)
        sign = self._next("a comparison such as >")
        if sign not in COMPARISONS:
            raise self._fault(f"{sign!r} is no comparison", "Use one of " + " ".join(COMPARISONS))
        return Compared(left, sign, self._sum())

    def _sum(self, *, before: bool = False) -> Node:
        value = self._product(before=before)
        while self._peek() in ("+", "-"):
            sign = self._next("")
            value = Sum(value, sign, self._product(before=before))
        return value

    def _product(self, *, before: bool) -> Node:
        value = self._atom(before=before)
        while self._peek() in ("*", "/"):
            sign = self._next("")
            value = Sum(value, sign, self._atom(before=before))
        return value

    def _atom(self, *, before: bool) -> Node:
        word = self._next("a number or a measure")
        if word[0].isdigit():
            return Number(float(word.rstrip("%")) / (100 if word.endswith("%") else 1))
        if word == "-":
            self._deeper()
            value: Node = Sum(Number(0.0), "-", self._atom(before=before))
            self._depth -= 1
            return value
        if word == "(":
            self._deeper()
            value = self._sum(before=before)
            self._closed(")")
            self._depth -= 1
            return value
        if not (word[0].isalpha() or word[0] == "_"):
            raise self._fault(f"{word!r} stands where a number or a measure is expected")
        measure = self._measure(word)
        if before:
            self._left.append(measure)
        return measure

    def _measure(self, word: str) -> Measure:
        if word == "baseline":
            if len(self._left) != 1:
                what = "'baseline' alone needs exactly one measure on the left"
                raise self._fault(what, "Write baseline.misroute_rate")
            return Measure(self._left[0].name, self._left[0].queue, baseline=True)
        name, queue = word.removeprefix("baseline."), ""
        if self._take("["):
            queue = self._next("the name of a queue")
            if queue[0] not in "\"'":
                raise self._fault(f"{queue!r} is no name of a queue", f'Write {name}["Billing"]')
            queue = queue[1:-1]
            self._closed("]")
        return Measure(name, queue, baseline=word.startswith("baseline."))

    def _holds_comparison(self) -> bool:
        """Whether the bracket that opens here encloses a condition, not a sum."""
        depth = 0
        for piece in self._tokens[self._at :]:
            depth += (piece == "(") - (piece == ")")
            if not depth:
                return False
            if piece in COMPARISONS:
                return True
        return False

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._fault(f"is nested more than {_DEEPEST} deep")

    def _closed(self, bracket: str) -> None:
        if self._next(f"{bracket!r}") != bracket:
            self._at -= 1
            raise self._fault(f"{self._peek()!r} stands where {bracket!r} is expected")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, word: str) -> bool:
        found = self._peek() == word
        self._at += found
        return found

    def _next(self, wanted: str) -> str:
        if self._at >= len(self._tokens):
            raise self._fault(f"it ends where {wanted} is expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _split(self) -> list[str]:
        if len(self._text) > _LONGEST:
            raise _FaultyError(Fault("condition", f"of {len(self._text)} characters is too long"))
        tokens, at = [], 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._fault(f"{self._text[at:].strip()[:10]!r} cannot be read")
            tokens.append(match.group().strip())
            at = match.end()
        return tokens

    def _fault(self, what: str, cure: str = "") -> _FaultyError:
        return _FaultyError(Fault(f"condition {self._text!r}", what, cure or _CURE))
