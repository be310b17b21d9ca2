"""The facts of one message as a flow asks for them: each field read, folded and encoded at most once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeVar

from mailml.flow.conditions import WEEKDAYS, Facts
from mailml.flow.folding import fold
from mailml.message import Address
from mailml.text import detect_language
from mailml.verdict import Category

CUT = 120  # characters of a found value that a trace keeps
Values = tuple[str, ...]
MOST_KEPT = 64  # answers a rule remembers; most recur, and a frozen value costs more to make than to look up
Key = TypeVar("Key")
Made = TypeVar("Made")
_COLON = re.compile("[:：]")


class Form(dict[Key, Made]):
    """Values by key, each made when it is first asked for; a dict that looks up at C speed.

    With `most` it forgets all when it holds that many.
    """

    __slots__ = ("_make", "_most")

    def __init__(self, make: Callable[[Key], Made], most: int = 0) -> None:
        self._make, self._most = make, most  # a dict is whole before its __init__

    def __missing__(self, key: Key) -> Made:
        if self._most and len(self) >= self._most:
            self.clear()
        made = self[key] = self._make(key)
        return made


class Reading:
    """One run's view of the facts, forgotten with the run.

    `folded["subject"]` are the values of a field as `fold` sees them, `encoded["subject"]` as RE2 reads them
    (NFC, UTF-8), each with what a trace shows of them. `text/everything` is a field too.
    """

    __slots__ = ("_answers", "encoded", "facts", "folded")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.folded: Form[str, tuple[Values, str]] = Form(self._folded)
        self.encoded: Form[str, tuple[tuple[bytes, ...], str]] = Form(self._encoded)
        self._answers: list[Category | None] = []

    def values(self, field: str) -> Values:
        """The values of a field as written; none when the message lacks it."""
        read = _READERS.get(field)
        return read(self.facts) if read else self.facts.message.all(field.removeprefix("header."))

    def _folded(self, field: str) -> tuple[Values, str]:
        values = self.values(field)
        return tuple(map(fold, values)), shown(field, values)

    def _encoded(self, field: str) -> tuple[tuple[bytes, ...], str]:
        values = self.values(field)
        if len(values) == 1:
            return (composed(values[0]),), shown(field, values)
        return tuple(map(composed, values)), shown(field, values)

    @property
    def category(self) -> Category | None:
        """The classifier's answer, asked for now if nobody did before."""
        if not self._answers:
            self._answers.append(self.facts.category())
        return self._answers[0]

    def number(self, field: str) -> int | None:
        """The value of `size` or `received.hour`; None when it is not known."""
        if field == "size":
            return self.facts.message.size
        local = self.facts.received_local
        return local.hour if local else None

    def flag(self, field: str) -> bool:
        """The value of `has_attachment`, `is_reply` or `authenticated`."""
        if field == "has_attachment":
            return bool(self.facts.message.attachments)
        return self.facts.message.is_reply if field == "is_reply" else self.facts.authenticated


def composed(text: str) -> bytes:
    """The text as patterns search it: NFC, UTF-8."""
    if text.isascii():
        return text.encode()
    return unicodedata.normalize("NFC", text).encode("utf-8", "replace")


def shown(field: str, values: Values) -> str:
    """The values for a trace: cut to 120 characters, and nothing of the customer's text."""
    if not values:
        return "(none)"
    if field.startswith("text"):
        return ""  # a trace must not store every mail a second time, once for each rule that did not fit
    return cut(values[0] if len(values) == 1 else ", ".join(values))


def cut(text: str) -> str:
    """The text on one line, at most 120 characters of it."""
    if len(text) <= CUT and text.isprintable() and "  " not in text:
        return text
    flat = " ".join(text[: CUT * 4].split())
    return flat if len(flat) <= CUT else flat[: CUT - 1] + "…"


def _one(value: str) -> Values:
    return (value,) if value and not value.isspace() else ()


def _subject(facts: Facts) -> Values:
    subject = facts.message.subject
    if facts.echoes_subject:
        # behind "Automatic reply:" stands our own subject, which says nothing of this mail
        subject = _COLON.split(subject, 1)[0]
    return (subject,) if subject and not subject.isspace() else ()


def _sender(facts: Facts) -> Address:
    return facts.message.from_ or Address("", "")


def _weekday(facts: Facts) -> Values:
    return (WEEKDAYS[facts.received_local.weekday()],) if facts.received_local else ()


_READERS: Mapping[str, Callable[[Facts], Values]] = {
    "subject": _subject,
    "text": lambda facts: (own,) if (own := facts.text.own) and not own.isspace() else (),
    "text/everything": lambda facts: _one(facts.text.everything),
    "from_address": lambda facts: _one(_sender(facts).addr),
    "from_domain": lambda facts: _one(_sender(facts).domain),
    "to": lambda facts: tuple([address.addr for address in facts.message.to]),
    "cc": lambda facts: tuple([address.addr for address in facts.message.cc]),
    "attachment_name": lambda facts: tuple(p.filename for p in facts.message.attachments if p.filename),
    "language": lambda facts: _one(detect_language(facts.text.own)),
    "kind": lambda facts: (str(facts.kind.value),),
    "mailbox": lambda facts: _one(facts.mailbox),
    "received.weekday": _weekday,
}
