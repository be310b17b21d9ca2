"""The fields of one header block, worked on when somebody asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mailml.message.lazy import lazy
from mailml.message.params import parse_value

Content = tuple[str, Mapping[str, str]]  # a type in lower case and its parameters


class Header(NamedTuple):
    """One header field: the name as written, the value unfolded and not yet RFC 2047-decoded."""

    name: str
    value: str


class Fields:
    """Names and values of a header block; values are unfolded when they are read, which most never are."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self.pairs = pairs

    @lazy
    def headers(self) -> tuple[Header, ...]:
        """All fields in order."""
        return tuple([Header(name, unfolded(value)) for name, value in self.pairs])

    @lazy
    def _index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for name, value in self.pairs:
            key = name.lower()
            if key in index:
                index[key].append(value)
            else:
                index[key] = [value]
        return index

    @lazy
    def names(self) -> frozenset[str]:
        """The names of all fields, in lower case."""
        return frozenset(self._index)

    def first(self, name: str) -> str | None:
        """The first value of a field, the name in lower case; None where there is none."""
        values = self._index.get(name)
        return unfolded(values[0]) if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a field in order, the name in lower case."""
        values = self._index.get(name)
        return tuple([unfolded(value) for value in values]) if values else ()

    @lazy
    def content(self) -> Content | None:
        """Type and parameters of Content-Type, None where it is absent or empty."""
        value = self.first("content-type")
        return parse_value(value) if value else None

    @lazy
    def disposition(self) -> Content:
        """Kind and parameters of Content-Disposition."""
        return parse_value(self.first("content-disposition") or "")

    @lazy
    def encoding(self) -> str:
        """Content-Transfer-Encoding, "" where there is none."""
        return self.first("content-transfer-encoding") or ""


def unfolded(value: str) -> str:
    """Continuation lines joined, the white space kept (RFC 5322 section 2.2.3)."""
    return value.replace("\n", "").strip() if "\n" in value else value.strip()


def sound_type(content: Content | None, default: str) -> Content:
    """The type, the default where there is none, text/plain where it cannot be read."""
    if content is None:
        return parse_value(default)
    # RFC 2045 section 5.2.
    kind, params = content
    return content if kind.count("/") == 1 and " " not in kind else ("text/plain", params)
