"""What can be proven about conditions without any mail: that one implies another, or that one is never true.

Conservative: True only when it holds for every message; False means "not proven".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

from mailml.flow.conditions import All, AnyOf, Ask, Condition, Not, all_of, spec_of
from mailml.flow.folding import fold_expected

_SINGLE = (
    "from_address",
    "from_domain",
    "kind",
    "category",
    "language",
    "received.weekday",
    "mailbox",
    "subject",
)
_MOST_PARTS = 50  # alternatives that are looked at one by one
_MOST = 2_000  # comparisons of parts; a proof that needs more is given up


def implies(given: Condition, wanted: Condition) -> bool:
    """Whether every message that fits `given` also fits `wanted`."""
    if given == wanted:
        return True
    if isinstance(wanted, All):
        return all(implies(given, part) for part in wanted.of)
    if isinstance(given, AnyOf):
        return all(implies(part, wanted) for part in given.of)
    if isinstance(wanted, AnyOf) and any(implies(given, part) for part in wanted.of):
        return True
    if isinstance(given, All):
        return any(implies(part, wanted) for part in given.of) or never(given)
    if isinstance(given, Not) and isinstance(wanted, Not):
        return implies(wanted.of, given.of)
    if isinstance(given, Ask) and isinstance(wanted, Not) and isinstance(wanted.of, Ask):
        return _exclude(given, wanted.of)
    return isinstance(given, Ask) and isinstance(wanted, Ask) and _ask_implies(given, wanted)


def covered(given: Condition, wanted: Sequence[Condition]) -> list[Condition]:
    """Several of `wanted` that together take every message that fits `given`; none where that is not proven.

    A list of expected values, and `any`, are taken apart: each alternative may be taken by another one.
    """
    found: dict[int, Condition] = {}
    parts = _alternatives(given)
    for part in parts if len(parts) > 1 else ():
        taker = next((n for n, one in enumerate(wanted) if implies(part, one)), None)
        if taker is None:
            return []
        found[taker] = wanted[taker]
    return [found[n] for n in sorted(found)]


def _alternatives(condition: Condition) -> list[Condition]:
    """Conditions of which every fitting message fits one."""
    found: list[Condition] = [condition]
    if isinstance(condition, AnyOf):
        found = [one for part in condition.of for one in _alternatives(part)]
    elif isinstance(condition, Ask) and len(condition.expected) > 1:
        found = [replace(condition, expected=(value,)) for value in condition.expected]
    elif isinstance(condition, All):
        for n, part in enumerate(condition.of):
            several = _alternatives(part)
            if len(several) > 1:
                found = [all_of(*condition.of[:n], one, *condition.of[n + 1 :]) for one in several]
                break
    return found if len(found) <= _MOST_PARTS else [condition]


def never(condition: Condition) -> bool:
    """Whether no message can fit: parts that contradict each other."""
    if isinstance(condition, AnyOf):
        return all(never(part) for part in condition.of)
    if isinstance(condition, Not):
        return implies(All(), condition.of)
    if not isinstance(condition, All):
        return False
    if any(never(part) for part in condition.of):
        return True
    pairs = combinations(condition.of[: int(_MOST**0.5)], 2)
    return any(_contradict(a, b) or _contradict(b, a) for a, b in pairs)


def _contradict(a: Condition, b: Condition) -> bool:
    if isinstance(b, Not):
        return implies(a, b.of)
    return isinstance(a, Ask) and isinstance(b, Ask) and _exclude(a, b)


def _exclude(a: Ask, b: Ask) -> bool:
    """Whether no message can answer yes to both questions."""
    if a.field != b.field or a.scope != b.scope:
        return False
    if "exists" in (a.operator, b.operator):
        absent = any(ask.operator == "exists" and ask.expected == (False,) for ask in (a, b))
        return absent and not (a.operator == b.operator == "exists" and a.expected == b.expected)
    if {a.operator, b.operator} == {"at_least", "at_most"}:
        low, high = (a, b) if a.operator == "at_least" else (b, a)
        return float(low.expected[0]) > float(high.expected[0])
    spec = spec_of(a.field)
    one_value = a.field in _SINGLE or (spec is not None and spec.type in ("number", "flag"))
    return one_value and a.operator == b.operator == "is" and not _folded(a) & _folded(b)


def _ask_implies(given: Ask, wanted: Ask) -> bool:
    if (given.field, given.scope) != (wanted.field, wanted.scope):
        return _domain_of_address(given, wanted)
    pair = (given.operator, wanted.operator)
    if wanted.operator == "exists":
        # every question but "is it absent" needs a value
        return wanted.expected == (True,) and given.operator != "exists"
    if pair in (("at_least", "at_least"), ("is", "at_least")):
        return _numbers(given) is not None and min(_numbers(given) or [0]) >= float(wanted.expected[0])
    if pair in (("at_most", "at_most"), ("is", "at_most")):
        return _numbers(given) is not None and max(_numbers(given) or [0]) <= float(wanted.expected[0])
    if given.operator == "matches" or wanted.operator == "matches":
        return given.operator == wanted.operator and set(given.expected) <= set(wanted.expected)
    if given.operator in ("is", "contains", "starts_with", "ends_with") and wanted.operator in _FITS:
        return all(
            any(_fits(given.operator, g, wanted.operator, w) for w in _folded(wanted)) for g in _folded(given)
        )
    return False


_FITS = ("is", "contains", "starts_with", "ends_with")


def _fits(given: str, g: str, wanted: str, w: str) -> bool:
    """Whether `given g` makes `wanted w` hold; blanks at the edges are not argued about."""
    if g != g.strip(" ") or w != w.strip(" "):
        return (given, g) == (wanted, w)
    if wanted == "is":
        return given == "is" and g == w
    if wanted == "contains":
        return w in g
    if wanted == "starts_with":
        return given in ("is", "starts_with") and g.startswith(w)
    return given in ("is", "ends_with") and g.endswith(w)


def _domain_of_address(given: Ask, wanted: Ask) -> bool:
    """An address implies its domain, and a domain implies the end of the address."""
    if (given.field, wanted.field) == ("from_address", "from_domain") and given.operator == "is":
        domains = tuple(str(value).rpartition("@")[2] for value in given.expected)
        return _ask_implies(Ask("from_domain", "is", domains), wanted)
    if (given.field, wanted.field) == ("from_domain", "from_address") and given.operator == "is":
        ends = tuple(f"@{value}" for value in given.expected)
        return _ask_implies(Ask("from_address", "ends_with", ends), wanted)
    return False


@lru_cache(maxsize=8192)
def _folded(ask: Ask) -> frozenset[str]:
    return frozenset(fold_expected(v) if isinstance(v, str) else repr(v) for v in ask.expected)


def _numbers(ask: Ask) -> list[float] | None:
    numbers = [float(value) for value in ask.expected if isinstance(value, (int, float))]
    return numbers if len(numbers) == len(ask.expected) and numbers else None
