"""Address lists, read in one pass: groups, comments, quoted local parts, encoded words, missing brackets.

RFC 5322 section 3.4 where a header follows it, and the nearest sensible reading where it does not. Time is
linear in the header's length: every character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from mailml.message.words import decode_words, one_line

_LONGEST = 1_000  # characters of one address; SMTP allows 256
_SHORT = 200  # characters of a value that is remembered
_TOKEN = re.compile(
    r"(?P<word>=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*+\?=)"
    r"|(?P<atom>[^\s\"(),:;<=\[\]]++|=)"
    r"|(?P<space>\s++)"
    r"|(?P<literal>\[[^\[\]\s]*+\])"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ANGLE = re.compile(r'<((?:"(?:[^"\\<>]|\\.)*+"|[^<>"]|")*+)>', re.DOTALL)
_SPEC = r"[\w.+=-]++@[\w-]++(?:\.[\w-]++)*+"
_SIMPLE = re.compile(rf"\s*+(?:\"([\w .,&@-]*+)\"\s*+|(\w[\w .&-]*+))?<({_SPEC})>\s*+|({_SPEC})", re.ASCII)
_COMMENT = re.compile(r"\([^()]*+\)")
_SPACED = re.compile(r" (\.) |\s*+(@)\s*+")
_COMMENT_MARK = re.compile(r"[()\\]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A display name (decoded, "" if none) and an address in lower case."""

    name: str
    addr: str

    @property
    def local(self) -> str:
        """What stands before the last @."""
        return self.addr.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands behind the last @."""
        return self.addr.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.name} <{self.addr}>" if self.name else self.addr


@dataclass(slots=True)
class _Mailbox:
    """What has been read of one mailbox so far."""

    pieces: list[str] = field(default_factory=list)  # as written, quotes kept for a quoted local part
    names: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    before: str = ""  # the name before a bracket that never closes
    quotes: bool = True  # False behind a quote that never closes: looking again would be quadratic


def parse_addresses(value: str) -> tuple[Address, ...]:
    """Every address of a header value, in order; entries without an @ are left out."""
    return _remembered(value) if len(value) < _SHORT else _parsed(value)


# The same few addresses stand in To and Cc of most mails of a mailbox.
@lru_cache(maxsize=4096)
def _remembered(value: str) -> tuple[Address, ...]:
    # Nine of ten values are one address in its plain form.
    simple = _SIMPLE.fullmatch(value)
    if simple is None:
        return _parsed(value)
    name = " ".join((simple[1] or simple[2] or "").split())
    spec = (simple[3] or simple[4]).lower()
    return (Address("" if name.lower() == spec else name, spec),)


def _parsed(value: str) -> tuple[Address, ...]:
    return tuple(address for box in _mailboxes(value) if (address := _address(box)) is not None)


def _mailboxes(value: str) -> Iterator[_Mailbox]:
    box, at, size = _Mailbox(), 0, len(value)
    while at < size:
        match = _TOKEN.match(value, at)
        if match is None:  # cannot be: the last branch takes anything
            break
        text, at = match[0], match.end()
        if match.lastgroup != "mark":
            _take(box, text)
        elif text in ",;":
            yield box
            box = _Mailbox(quotes=box.quotes)
        elif text == ":":  # "Group name:" or "mailto:"
            box = _Mailbox(angle=box.angle, quotes=box.quotes)
        elif text == '"' and box.quotes:
            at = _quoted(box, value, at - 1)
        elif text == "(":
            at = _comment(box, value, at)
        elif text == "<":
            at = _angle(box, value, at - 1)
    yield box


def _take(box: _Mailbox, text: str) -> None:
    text = text if not text.isspace() else " "
    box.pieces.append(text)
    box.names.append(text)


def _quoted(box: _Mailbox, value: str, at: int) -> int:
    match = _QUOTED.match(value, at)
    if match is None:  # a lone quote is a character like any other
        box.quotes = False
        return at + 1
    box.pieces.append(match[0])
    box.names.append(_ESCAPED.sub(r"\1", match[1]) if "\\" in match[1] else match[1])
    return match.end()


def _comment(box: _Mailbox, value: str, at: int) -> int:
    """Past a comment that opened before `at`, nested ones included; an open one ends with the value."""
    depth, start, size = 1, at, len(value)
    while depth:
        match = _COMMENT_MARK.search(value, at)
        if match is None:
            at = size + 1
            break
        at = match.end() + (match[0] == "\\")
        depth += {"(": 1, ")": -1}.get(match[0], 0)
    box.comments.append(_ESCAPED.sub(r"\1", value[start : at - 1]))
    return at


def _angle(box: _Mailbox, value: str, at: int) -> int:
    match = _ANGLE.match(value, at)
    if match is not None:
        # In "<a@b> <c@d>" the first is the address, and the rest says nothing.
        box.angle = match[1] if not box.angle else box.angle
        return match.end()
    # "Name <a@b.com, c@d.com": what stands before the bracket is the name all the same.
    box.before = box.before or "".join(box.names)
    box.pieces.clear()
    return at + 1


def _address(box: _Mailbox) -> Address | None:
    if box.angle is not None and "@" in box.angle:
        name, spec = "".join(box.names), box.angle
        if spec.startswith("@"):  # an obsolete route: <@a,@b:c@d>
            spec = spec.rpartition(":")[2]
    else:
        name, spec = _bare("".join(box.pieces))
        # "a@b <not an address>" and "a@b (Name)"
        name = box.before.strip() or name
    return _checked(name or " ".join(box.comments[:3]), spec)


def _bare(text: str) -> tuple[str, str]:
    """Name and address of an entry without brackets: the last word with an @ is the address."""
    if "@" not in text:
        return "", ""
    text = (
        _SPACED.sub(lambda match: match[0].strip(), text)
        if " @" in text or "@ " in text or " . " in text
        else text
    )
    if text.lstrip().startswith('"'):  # a quoted local part may hold spaces
        match = re.match(r'\s*+("(?:[^"\\]|\\.)*+"@\S++)', text)
        if match:
            return "", match[1]
    words = text.split()
    spec = next(word for word in reversed(words) if "@" in word)
    name = " ".join(word for word in words if word != spec)
    return name.strip("\"' "), spec


def _checked(name: str, spec: str) -> Address | None:
    spec = _COMMENT.sub("", spec) if "(" in spec else spec
    if spec[:1] == spec[-1:] == '"':  # an address in quotes, not a quoted local part
        spec = spec[1:-1]
    spec = "".join(one_line(spec).split()) if '"' not in spec else one_line(spec)
    spec = spec.strip("<>'. ,;").lower() if '"' not in spec else spec.strip("<> ").lower()
    spec = spec.removeprefix("mailto:")
    local, at, domain = spec.rpartition("@")
    if not (at and local and domain) or len(spec) > _LONGEST:
        return None
    name = one_line(decode_words(name)).strip("'\" ")
    return Address("" if name.lower() == spec else name, spec)
