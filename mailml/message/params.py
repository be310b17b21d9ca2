"""Structured header values: `text/plain; charset=…`, with RFC 2231 continuations and percent encoding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from mailml.message.charset import decode
from mailml.message.words import decode_words

_LONG = 300  # characters; longer values are not remembered
_NONE: Mapping[str, str] = MappingProxyType({})
# Possessive quantifiers: no backtracking, so a 256 KB value of quotes or semicolons stays linear.
_PARAM = re.compile(r";\s*+([^\s=;]++)\s*+=\s*+(\"(?:[^\"\\]|\\.)*+\"?|[^;]*+)")
# Only \" and \\ are escapes in practice: mailers write C:\TEMP\x.png as it is.
_ESCAPED = re.compile(r"\\([\"\\])")
_SECTION = re.compile(r"([^*]+)\*(?:(\d{1,4})(\*)?)?")


def parse_value(value: str) -> tuple[str, Mapping[str, str]]:
    """The lower-cased main value and its parameters by lower-cased name; the first of a name wins."""
    return _remembered(value) if len(value) < _LONG else _parsed(value)


# A mailbox has a few dozen different values of Content-Type and Content-Disposition.
@lru_cache(maxsize=512)
def _remembered(value: str) -> tuple[str, Mapping[str, str]]:
    return _parsed(value)


def _parsed(value: str) -> tuple[str, Mapping[str, str]]:
    main, semicolon, _ = value.partition(";")
    head = main.partition("(")[0].strip().lower()
    if not semicolon:
        return head, _NONE
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, raw in _PARAM.findall(value, len(main)):
        text = _unquoted(raw)
        section = _SECTION.fullmatch(name) if "*" in name else None
        if section is None:
            plain.setdefault(name.lower(), text)
        else:
            number = int(section[2] or 0)
            encoded = section[2] is None or bool(section[3])
            sections.setdefault(section[1].lower(), {}).setdefault(number, (text, encoded))
    # The extended form is the better one where a mailer writes both (RFC 6266 section 4.3).
    plain.update({name: _joined(pieces) for name, pieces in sections.items()})
    return head, MappingProxyType(plain)


def _unquoted(raw: str) -> str:
    raw = raw.strip()
    if not raw.startswith('"'):
        return raw
    return _ESCAPED.sub(r"\1", raw[1:].removesuffix('"')) if "\\" in raw else raw[1:].removesuffix('"')


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Sections in order as one byte string, decoded with the charset that the first one names."""
    charset, data = "", b""
    for number in sorted(pieces):
        text, encoded = pieces[number]
        if number == 0 and encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return decode(data, charset or "utf-8")[0]


def filename(disposition: Mapping[str, str], content: Mapping[str, str]) -> str:
    """The attachment's name without folders and control characters, "" if it has none."""
    name = disposition.get("filename") or content.get("name") or ""
    if "=?" in name:
        name = decode_words(name)
    if name.isprintable() and "/" not in name and "\\" not in name:
        return name.strip()
    name = "".join(" " if c in "\r\n\t" else c for c in name if c.isprintable() or c in "\r\n\t")
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip()
