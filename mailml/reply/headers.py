"""Header fields written by hand: one field whatever the text holds, RFC 2047 where needed, folded at 76."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from mailml.errors import InputError

LONGEST_SUBJECT = 400  # characters; a longer one is cut with an ellipsis
_LINE = 76  # RFC 2047 section 2 for lines with encoded words; RFC 5322 recommends 78
_WORD_BYTES = 39  # of UTF-8 in one encoded word: with frame and field name it still fits the first line
_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{3,250}>")
_ADDRESS = re.compile(
    r"[\x21\x23-\x27\x2a\x2b\x2d-\x39\x3d\x3f\x41-\x5a\x5e-\x7e]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
)


def one_line(text: str, longest: int = LONGEST_SUBJECT) -> str:
    """The text on one line, without control and direction characters, cut to `longest` characters."""
    flat = "".join(" " if unicodedata.category(char) in _BLANK else char for char in text[: 4 * longest])
    visible = "".join(char for char in flat if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn"))
    words = " ".join(visible.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def text_field(name: str, text: str) -> str:
    """`Name: text`, encoded and folded. Nothing in the text can start another field."""
    words = one_line(text)
    if words.isascii() and "=?" not in words:
        return _folded(name, words.split(" "))
    return _folded(name, list(_encoded(words)))


def raw_field(name: str, words: Iterable[str]) -> str:
    """`Name: word word`: tokens that are checked already, folded between them."""
    return _folded(name, list(words))


def mailbox_field(name: str, display: str, address: str) -> str:
    """`Name: "Display" <address>`. Raises `InputError` on an address that cannot stand in a header."""
    spec = f"<{address_spec(address)}>"
    shown = one_line(display, 100)
    if not shown:
        return _folded(name, [spec[1:-1]])
    if shown.isascii() and "=?" not in shown:
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        return _folded(name, [f'"{quoted}"', spec])
    return _folded(name, [*_encoded(shown), spec])


def address_spec(address: str) -> str:
    """One plain address, its domain in ASCII. Raises `InputError` on anything else."""
    local, _, domain = address.strip().rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii').lower()}"
    except UnicodeError:
        plain = ""
    if not _ADDRESS.fullmatch(plain):
        raise InputError(
            f"{address[:100]!r} is not one plain address", cure="Give one address such as a@b.example"
        )
    return plain


def message_ids(ids: Iterable[str]) -> list[str]:
    """Those ids that can stand in In-Reply-To and References; the rest could smuggle something in."""
    return [one for one in ids if _ID.fullmatch(one)]


def date_field(when: datetime) -> str:
    """The Date field. Raises `InputError` on a time without a zone."""
    if when.tzinfo is None:
        raise InputError("the date has no time zone", cure="Pass an aware datetime")
    return f"Date: {format_datetime(when)}"


def _encoded(words: str) -> Iterable[str]:
    """RFC 2047 encoded words that never cut a character in two (section 5)."""
    chunk = b""
    for char in words:
        piece = char.encode("utf-8", "replace")
        if len(chunk) + len(piece) > _WORD_BYTES:
            yield _word(chunk)
            chunk = b""
        chunk += piece
    yield _word(chunk)


def _word(data: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(data).decode('ascii')}?="


def _folded(name: str, words: list[str]) -> str:
    lines, line = [], f"{name}:"
    for word in words:
        # A word too long for a line stays whole: a Message-ID or a URL must not be cut.
        if len(line) + 1 + len(word) > _LINE and line != f"{name}:" and line.strip():
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line])


_BLANK = ("Cc", "Zl", "Zp", "Zs")
