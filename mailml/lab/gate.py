"""`--fail-if 'misroute_rate > baseline + 0.5%'`: conditions on a back-test, read and judged.

    condition  := all ("or" all)*            all := one ("and" one)*
    one        := "not" one | "(" condition ")" | sum COMPARE sum
    sum        := product (("+" | "-") product)*
    product    := atom (("*" | "/") atom)*
    atom       := NUMBER ["%"] | measure | "baseline" ["." measure] | "-" atom | "(" sum ")"
    measure    := NAME ["[" STRING "]"]      misroute_rate["Billing"] is that of one queue

`baseline` alone is the baseline's value of the one measure on the left; `0.5%` is 0.005. Nothing is ever
evaluated but this: a condition is a small tree of values.
"""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailml.errors import ConfigError, Fault, NotEnoughData
from mailml.lab.conditions import Both, Compared, Flipped, Measure, Node, Number, Pair, Sum, parse_condition

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
_SUM: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer: whether the condition to fail on holds, and the numbers in words."""

    condition: str
    fails: bool
    why: str

    def __str__(self) -> str:
        return f"{'FAILED' if self.fails else 'passed'}: {self.condition}  ({self.why})"


def judge_gate(condition: str, candidate: Mapping[str, float], baseline: Mapping[str, float]) -> Gate:
    """Judge one condition over the measures of both sides; see `judge_gates`."""
    return judge_gates([condition], candidate, baseline)[0]


def judge_gates(
    conditions: Sequence[str], candidate: Mapping[str, float], baseline: Mapping[str, float]
) -> tuple[Gate, ...]:
    """Judge conditions over the measures of both sides; a measure of one queue is named `measure[queue]`.

    Raises ConfigError with the faults of all conditions, each with what was probably meant, and NotEnoughData
    where a measure could not be taken (no truth, no baseline): a check that cannot be made never passes.
    """
    faults, read = list[Fault](), list[tuple[str, Node]]()
    for text in conditions:
        tree, found = parse_condition(text)
        faults += found
        if tree is not None:
            faults += _unknown(text, tree, candidate)
            read.append((text, tree))
    if faults:
        raise ConfigError(faults, where="the condition to fail on")
    return tuple(_Judging(text, candidate, baseline).gate(tree) for text, tree in read)


def _unknown(text: str, tree: Node, known: Mapping[str, float]) -> Iterable[Fault]:
    """A fault for each measure and each queue that there is not."""
    for measure in _measures(tree):
        if measure.key in known:
            continue
        of = [key[len(measure.name) + 1 : -1] for key in known if key.startswith(f"{measure.name}[")]
        plain = [key for key in known if not key.endswith("]")]
        if measure.name not in plain:
            yield _fault(text, f"{measure.name!r} is no measure", measure.name, plain)
        elif not of:
            yield Fault(f"condition {text!r}", f"{measure.name!r} is not counted per queue")
        else:
            yield _fault(text, f"{measure.queue!r} is no queue", measure.queue, of)


def _fault(text: str, what: str, word: str, known: Sequence[str]) -> Fault:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return Fault(f"condition {text!r}", what, f"{hint}There are: {', '.join(known)}")


def _measures(node: Node) -> Iterable[Measure]:
    if isinstance(node, Measure):
        yield node
    elif isinstance(node, Flipped):
        yield from _measures(node.of)
    elif isinstance(node, Pair):
        yield from _measures(node.left)
        yield from _measures(node.right)


class _Judging:
    """One condition worked out, with every value that was looked at."""

    def __init__(self, text: str, candidate: Mapping[str, float], baseline: Mapping[str, float]) -> None:
        self._text, self._candidate, self._baseline = text, candidate, baseline
        self._seen: dict[str, float] = {}

    def gate(self, tree: Node) -> Gate:
        fails = self._holds(tree)
        return Gate(
            self._text, fails, ", ".join(f"{name} = {value:.4g}" for name, value in self._seen.items())
        )

    def _holds(self, node: Node) -> bool:
        if isinstance(node, Flipped):
            return not self._holds(node.of)
        if isinstance(node, Both):
            # both are worked out: a measure that cannot be taken must not hide behind the other half
            left, right = self._holds(node.left), self._holds(node.right)
            return left and right if node.sign == "and" else left or right
        if isinstance(node, Compared):
            return _COMPARE[node.sign](self._value(node.left), self._value(node.right))
        raise TypeError(f"{node!r} is neither true nor false")

    def _value(self, node: Node) -> float:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Measure):
            return self._taken(node)
        if isinstance(node, Sum):
            left, right = self._value(node.left), self._value(node.right)
            if node.sign == "/" and not right:
                raise NotEnoughData("it divides by zero", where=f"condition {self._text!r}")
            return _SUM[node.sign](left, right)
        raise TypeError(f"{node!r} is no number")

    def _taken(self, measure: Measure) -> float:
        values = self._baseline if measure.baseline else self._candidate
        shown = f"baseline.{measure.key}" if measure.baseline else measure.key
        value = values.get(measure.key, math.nan)
        if math.isnan(value):
            cure = "Give a baseline, or pull the queue folders so that there is a truth"
            where = f"condition {self._text!r}"
            raise NotEnoughData(f"{shown} could not be measured", where=where, cure=cure)
        self._seen[shown] = value
        return value
