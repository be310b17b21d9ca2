"""One look at a field that answers for all rules at once: nothing that any of them looks for is in it.

Most rules miss most messages. What all rules that begin by asking the same field look for is one RE2
alternation; when it finds nothing, each of them has missed at its first question. When it finds something the
rules are asked one by one, so the sieve may be too wide but never too narrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import re2

from mailml.flow.conditions import All, Ask, Condition, spec_of
from mailml.flow.folding import fold_expected
from mailml.flow.letters import changing
from mailml.flow.questions import name_of, pattern
from mailml.flow.reading import Reading

_FEWEST = 2  # rules on one field: for a single one, its own question is as quick
# what `fold` makes one blank of, and more: a sieve may be too wide
_BLANKS = r"[\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"
Looked = tuple[bool, str]  # whether something is there, and what the field shows in a trace
Sieve = Callable[[Reading], Looked]
Search = Callable[[bytes], object]


def head_of(when: Condition) -> Ask | None:
    """The question a condition asks first and misses by, when it looks for something in a text field."""
    first = when.of[0] if isinstance(when, All) and when.of else when
    if not isinstance(first, Ask) or first.operator == "exists":
        return None
    spec = spec_of(first.field)
    return first if spec is not None and spec.type == "text" else None


def sieves(heads: Iterable[Ask]) -> dict[str, Sieve]:
    """A sieve for each field that several rules begin with, by the field's name."""
    looked_for: dict[str, list[Ask]] = {}
    for ask in heads:
        looked_for.setdefault(name_of(ask), []).append(ask)
    built = {name: _sieve(name, asks) for name, asks in looked_for.items() if len(asks) >= _FEWEST}
    return {name: sieve for name, sieve in built.items() if sieve is not None}


def _sieve(name: str, asks: list[Ask]) -> Sieve | None:
    words = [(ask.operator == "matches", str(value)) for ask in asks for value in ask.expected]
    patterns = [f"(?:{text})" for as_written, text in words if as_written]
    if any(r"\Q" in text for text in patterns):
        return None  # an open quotation would swallow the patterns behind it
    needles = [fold_expected(text).strip(" ") for as_written, text in words if not as_written]
    try:
        unfolded = _search([*map(_unfolded, needles), *patterns, *([changing()] if needles else [])])
        folded, composed = _search(list(map(re2.escape, needles))), _search(patterns)
    except re2.error:
        return None  # thousands of them are too much for one pattern: they are asked one by one

    def something(reading: Reading) -> Looked:
        encoded, shows = reading.encoded[name]
        if not any(map(unfolded, encoded)):
            return False, shows  # most mail, and nothing had to be folded
        if all(map(bytes.isascii, encoded)):
            return True, shows  # no letter is in doubt
        texts = (text.encode("utf-8", "replace") for text in reading.folded[name][0])
        return any(map(composed, encoded)) or any(map(folded, texts)), shows

    return something


def _unfolded(needle: str) -> str:
    """A pattern that fits composed text at least wherever the folded needle is in its folded form.

    For an ASCII needle: its letters in any case, any blank for a blank and ß for s, as long as the text has
    no other letter that folding turns into ASCII (`changing`). For other needles: any letter beyond ASCII.
    """
    if not needle.isascii():
        return r"[^\x00-\x7f]"
    spaced = _BLANKS.join(map(re2.escape, needle.split(" ")))
    return f"(?i:{re.sub('s+', '[sßẞ]+', spaced)})"


def _search(parts: list[str]) -> Search:
    return pattern("|".join(parts)).search if parts else lambda _: None
