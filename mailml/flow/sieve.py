"""One look at a field that tells which rules may hit: for all others it already has missed.

Most rules miss most messages. What all rules that begin by asking the same field look for is one set of RE2
patterns, searched in one pass over the text as it was written; a rule of which nothing is found has missed at
its first question. The others are asked one by one, so a sieve may be too wide but never too narrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

import re2

from mailml.flow.conditions import All, Ask, Condition, spec_of
from mailml.flow.folding import fold_expected
from mailml.flow.letters import changing
from mailml.flow.questions import name_of
from mailml.flow.reading import Reading

_FEWEST = 2  # rules on one field: for a single one, its own question is as quick
_MOST = 200  # patterns in one set; larger ones need more memory than RE2 grants itself
# what `fold` makes one blank of, and more: a sieve may be too wide
_BLANKS = r"[\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"
Looked = tuple[Collection[int], str]  # the rules that may hit, and what the field shows in a trace
Sieve = Callable[[Reading], Looked]
Search = Callable[[bytes], list[int]]


def head_of(when: Condition) -> Ask | None:
    """The question a condition asks first and misses by, when it looks for something in a text field."""
    first = when.of[0] if isinstance(when, All) and when.of else when
    if not isinstance(first, Ask) or first.operator == "exists":
        return None
    spec = spec_of(first.field)
    return first if spec is not None and spec.type == "text" else None


def sieves(heads: Iterable[tuple[int, Ask]]) -> dict[str, Sieve]:
    """A sieve for each field that several rules begin with, by the field's name; each rule has its number."""
    looked_for: dict[str, list[tuple[int, Ask]]] = {}
    for number, ask in heads:
        looked_for.setdefault(name_of(ask), []).append((number, ask))
    built = {name: _sieve(name, asks) for name, asks in looked_for.items() if len(asks) >= _FEWEST}
    return {name: sieve for name, sieve in built.items() if sieve is not None}


def _sieve(name: str, asks: list[tuple[int, Ask]]) -> Sieve | None:
    wanted = [(number, text) for number, ask in asks for text in _patterns(ask)]
    words = frozenset(number for number, ask in asks if ask.operator != "matches")
    if words:
        wanted.append((-1, changing()))
    parts = [wanted[at : at + _MOST] for at in range(0, len(wanted), _MOST)]
    try:
        searches = [_searching([text for _, text in part]) for part in parts]
    except re2.error:
        return None  # too much for RE2: they are asked one by one
    sets = [(one, [number for number, _ in part]) for one, part in zip(searches, parts, strict=True) if one]
    if len(sets) < len(parts):
        return None

    def look(reading: Reading) -> Looked:
        encoded, shows = reading.encoded[name]
        found: set[int] = set()
        for value in encoded:
            for search, numbers in sets:
                if hits := search(value):
                    found.update([numbers[hit] for hit in hits])
        if not found:  # most mail
            return (), shows
        if -1 in found:  # a letter that folding turns into ASCII: only folded text can tell
            found |= words
        return found, shows

    return look


def _searching(texts: list[str]) -> Search | None:
    """A function that gives the numbers of those patterns that match; None where RE2 lacks the memory.

    Whether it does is settled when a set is built: an automaton that can begin can go on, forgetting states.
    So a set with one more pattern, which matches the empty text, is tried once.
    """
    probe, search = (_built([*texts, *more]) for more in ([r"\z"], []))
    return search if len(texts) in probe(b"") else None


def _built(texts: list[str]) -> Search:
    options = re2.Options()
    options.log_errors = False
    made = re2.Set.SearchSet(options)
    for text in texts:
        made.Add(text.encode("utf-8", "replace"))
    made.Compile()
    search: Search = made.Match
    return search


def _patterns(ask: Ask) -> list[str]:
    """Patterns of composed text of which one matches wherever a question is answered with yes."""
    if ask.operator == "matches":
        return [str(value) for value in ask.expected]
    return [_unfolded(fold_expected(str(value)).strip(" ")) for value in ask.expected]


def _unfolded(needle: str) -> str:
    """A pattern that fits composed text at least wherever the folded needle is in its folded form.

    For an ASCII needle: its letters in any case, any blank for a blank and ß for s, as long as the text has
    no other letter that folding turns into ASCII (`changing`). For other needles: any letter beyond ASCII.
    """
    if not needle.isascii():
        return r"[^\x00-\x7f]"
    spaced = _BLANKS.join(map(re2.escape, needle.split(" ")))
    return f"(?i:{re.sub('s+', '[sßẞ]+', spaced)})"
