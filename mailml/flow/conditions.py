"""The closed set of questions a rule may ask of a message, as data: fields, operators, all, any, not.

**One meaning of text.** `is`, `contains`, `starts_with` and `ends_with` compare *folded* text (`fold`):
NFKC, case-folded, every run of white space one blank. So `STRASSE` is `straße`, a wide digit is a digit, and
words that a mail program wrapped over two lines are found. `matches` searches the text as it was written
(composed, NFC, with its lines) with RE2: linear time on any input, case-sensitive unless the pattern begins
with `(?i)`, `\\d`, `\\w` and `\\b` in their ASCII meaning. Both are defined on the value alone, so that a
whole archive in columns and one live message cannot differ.

A field with several values (to, cc, attachment_name, header.NAME) answers yes when one of them does; a list
of expected values when one of them fits. A message that lacks the field answers no to everything but
`exists = false`. Questions are asked in the order in which they are written, up to the first that decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from mailml.message import Message
from mailml.text import Text
from mailml.verdict import Category, Kind

OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "is": "is equal to one of these",
        "contains": "contains one of these",
        "starts_with": "starts with one of these",
        "ends_with": "ends with one of these",
        "matches": "has a place where one of these RE2 patterns matches",
        "exists": "is there at all (true) or is not (false)",
        "at_least": "is this or more",
        "at_most": "is this or less",
    }
)
_WORDS = ("is", "contains", "starts_with", "ends_with", "matches", "exists")
_NUMBERS = ("is", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class Field:
    """What can be asked of a field: its type, the operators it takes, and what it is, for people."""

    type: str  # text, flag, number, kind, category, language or weekday
    operators: tuple[str, ...]
    what: str


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "subject": Field("text", _WORDS, "the decoded subject; of an automatic answer only its prefix"),
        "text": Field("text", _WORDS, "the customer's own words; scope = everything: the quoted history too"),
        "from_address": Field("text", _WORDS, "the sender's address, lower-case"),
        "from_domain": Field("text", _WORDS, "the domain of it; `is` does not include subdomains"),
        "to": Field("text", _WORDS, "each address of To"),
        "cc": Field("text", _WORDS, "each address of Cc"),
        "header.NAME": Field("text", _WORDS, "each value of that header field, unfolded, not decoded"),
        "has_attachment": Field("flag", ("is",), "whether there is an attachment"),
        "attachment_name": Field("text", _WORDS, "each attachment's file name"),
        "size": Field("number", _NUMBERS, "bytes of the raw message; also written as 5 MB"),
        "language": Field("language", ("is", "exists"), "ISO 639-1 code of the customer's own words"),
        "kind": Field("kind", ("is",), "what kind of mail it is"),
        "category": Field("category", ("is", "exists", "at_least", "at_most"), "the classifier's answer"),
        "is_reply": Field("flag", ("is",), "whether it says that it answers another mail"),
        "mailbox": Field("text", _WORDS, "the mailbox it arrived in"),
        "authenticated": Field("flag", ("is",), "whether our server found the sender's domain to be genuine"),
        "received.hour": Field("number", _NUMBERS, "hour of arrival, 0 to 23, on the desk's clock"),
        "received.weekday": Field("weekday", ("is",), "day of arrival, mon to sun, on the desk's clock"),
    }
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SCOPES = ("own", "everything")
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: a field, an operator and what is expected (one of several values is enough)."""

    field: str
    operator: str
    expected: tuple[Value, ...]
    scope: str = ""  # of `text` only: "everything" reads the quoted history too


@dataclass(frozen=True, slots=True)
class All:
    """Yes when every part says yes, asked in order up to the first no; with no part, always yes."""

    of: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Yes when one part says yes, asked in order up to the first yes; with no part, always no."""

    of: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """Yes when its part says no."""

    of: Condition


Condition = Ask | All | AnyOf | Not
ALWAYS = All()


def _unasked() -> Category | None:
    return None


@dataclass(frozen=True)
class Facts:
    """What a flow may know of a message: a frozen value, no clock and no I/O behind it.

    `category` is called when a rule first wants to know, and at most once per run. `received_local` is the
    arrival on the desk's own clock; without it no rule about the hour or the day fires. With `echoes_subject`
    the subject behind its prefix is our own, and rules read the prefix only.
    """

    message: Message
    text: Text
    kind: Kind = Kind.HUMAN
    category: Callable[[], Category | None] = _unasked
    mailbox: str = ""
    received_local: datetime | None = None
    authenticated: bool = False
    echoes_subject: bool = False


def spec_of(field: str) -> Field | None:
    """The description of a field; `header.X-Any-Name` is described by `header.NAME`."""
    return FIELDS["header.NAME"] if field.startswith("header.") else FIELDS.get(field)


def asks_of(condition: Condition) -> Iterator[Ask]:
    """Every question of a condition, in reading order."""
    if isinstance(condition, Ask):
        yield condition
    elif isinstance(condition, Not):
        yield from asks_of(condition.of)
    else:
        for part in condition.of:
            yield from asks_of(part)


def all_of(*parts: Condition) -> Condition:
    """`All` of the parts in its one form: nested ones are laid flat, a single part stands for itself."""
    flat = [leaf for part in parts for leaf in (part.of if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(*parts: Condition) -> Condition:
    """`AnyOf` of the parts in its one form: nested ones are laid flat, a single part stands for itself."""
    flat = [leaf for part in parts for leaf in (part.of if isinstance(part, AnyOf) else (part,))]
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))
