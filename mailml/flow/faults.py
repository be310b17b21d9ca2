"""All that is wrong with a flow, gathered while it is read: each fault with rule, key and what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from mailml.errors import Fault

# what other systems call these fields
_ELSEWHERE = {
    **{"body": "text", "content": "text", "title": "subject", "attachment": "has_attachment"},
    **{"from": "from_address", "sender": "from_address", "domain": "from_domain", "label": "category"},
    **{"equals": "is", "includes": "contains", "regex": "matches", "weekday": "received.weekday"},
}


class Faults:
    """A list of faults, with the rule that is being read."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.rule = ""  # as a fault names it: rule "billing", or rule 3 where it has no name

    def add(self, key: str, what: str, cure: str = "") -> None:
        """Note a fault of the current rule at a key ("" for the rule as a whole)."""
        place = [self.rule] if self.rule else []
        place += [f'key "{key}"'] if key else []
        self.found.append(Fault(", ".join(place), what, cure))

    def unknown(self, key: str, what: str, word: str, known: Iterable[str]) -> None:
        """Note a word that is not one of the known ones, with the nearest of them or the whole list."""
        self.add(key, what, meant(word, known))

    def keys(self, table: Mapping[str, object], known: Iterable[str], what: str, prefix: str = "") -> None:
        """Note every key of a table that is not known."""
        for key in table:
            if key not in known:
                self.unknown(f"{prefix}{key}", f"is not a key of {what}", key, known)


def meant(word: str, known: Iterable[str]) -> str:
    """`Did you mean "subject"?`, or the words there are, when none is near."""
    names = list(known)
    if _ELSEWHERE.get(word.lower()) in names:
        return f'Did you mean "{_ELSEWHERE[word.lower()]}"?'
    folded = {name.lower(): name for name in names}
    close = get_close_matches(word.lower(), list(folded), 1, 0.6)
    if close:
        return f'Did you mean "{folded[close[0]]}"?'
    listed = ", ".join(names[:25])
    return f"There {'is' if len(names) == 1 else 'are'}: {listed}." if names else ""
