"""One look at a field that answers for all rules at once: nothing that any of them looks for is in it.

Most rules miss most messages. The needles and patterns of all rules that begin by asking the same field are
one RE2 alternation; when it finds nothing, each of those rules has missed at its first question. When it
finds something the rules are asked one by one, so the sieve may be too wide but never too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import re2

from mailml.flow.conditions import All, Ask, Condition, spec_of
from mailml.flow.folding import fold_expected
from mailml.flow.questions import name_of, pattern
from mailml.flow.reading import Reading

_FEWEST = 2  # rules on one field: for a single one, its own question is as quick
Key = tuple[str, bool]  # the field's name, and whether its values are read as patterns read them
Looked = tuple[bool, str]  # whether something is there, and what the field shows in a trace
Sieve = Callable[[Reading], Looked]


def head_of(when: Condition) -> Ask | None:
    """The question a condition asks first and misses by, when it looks for something in a text field."""
    first = when.of[0] if isinstance(when, All) and when.of else when
    if not isinstance(first, Ask) or first.operator == "exists":
        return None
    spec = spec_of(first.field)
    return first if spec is not None and spec.type == "text" else None


def key_of(ask: Ask) -> Key:
    """What a sieve would read for a question."""
    return name_of(ask), ask.operator == "matches"


def sieves(heads: Iterable[Ask]) -> dict[Key, Sieve]:
    """A sieve for each field that several rules begin with."""
    looked_for: dict[Key, list[Ask]] = {}
    for ask in heads:
        looked_for.setdefault(key_of(ask), []).append(ask)
    built = {key: _sieve(key, asks) for key, asks in looked_for.items() if len(asks) >= _FEWEST}
    return {key: sieve for key, sieve in built.items() if sieve is not None}


def _sieve(key: Key, asks: list[Ask]) -> Sieve | None:
    name, as_written = key
    expected = [str(value) for ask in asks for value in ask.expected]
    if as_written:
        if any(r"\Q" in text for text in expected):
            return None  # an open quotation would swallow the patterns behind it
        parts = [f"(?:{text})" for text in expected]
    else:
        parts = [re2.escape(fold_expected(text).strip(" ")) for text in expected]
    try:
        search = pattern("|".join(parts)).search
    except re2.error:
        return None  # thousands of them are too much for one pattern: they are asked one by one

    def something(reading: Reading) -> Looked:
        if as_written:
            encoded, shows = reading.encoded[name]
            return any(map(search, encoded)), shows
        folded, shows = reading.folded[name]
        return any(search(value.encode("utf-8", "replace")) for value in folded), shows

    return something
