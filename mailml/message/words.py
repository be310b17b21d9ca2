"""Header values for people: RFC 2047 encoded words, and the removal of control characters."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from mailml.message.charset import decode

# Spaces inside an encoded word are forbidden (RFC 2047 section 2) and common in Q words all the same.
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"[ \t\r\n]*")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
_SPACE = re.compile(r"\s+")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")


def decode_words(value: str) -> str:
    """The value with its encoded words decoded; anything undecodable stays as it was written.

    Neighbouring words of one charset are joined as bytes first: mailers split multi-byte characters over
    words although RFC 2047 section 5 forbids it.
    """
    if "=?" not in value:
        return value
    return "".join(_pieces(value))


def _pieces(value: str) -> Iterator[str]:
    at, charset, gathered = 0, "", b""
    for match in _WORD.finditer(value):
        between = value[at : match.start()]
        label = match[1].partition("*")[0].lower()  # RFC 2231 section 5: charset*language
        joined = bool(charset) and not between.strip()
        # Each word of UTF-16 has a byte order mark of its own.
        if not joined or label != charset or label.startswith("utf-16"):
            if charset:
                yield decode(gathered, charset)[0]
                gathered = b""
            if not joined:
                yield between
        charset, at = label, match.end()
        gathered += _payload(match[2], match[3])
    if charset:
        yield decode(gathered, charset)[0]
    yield value[at:]


def _payload(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return _HEX.sub(lambda match: bytes.fromhex(match[1].decode()), data.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(data.rstrip(b"=") + b"==")
    except ValueError:
        # One sextet too many cannot be a byte: drop it.
        try:
            return binascii.a2b_base64(data.rstrip(b"=")[:-1] + b"==")
        except ValueError:
            return data


def one_line(value: str) -> str:
    """The value on one line without control characters: what may be shown, logged or written again."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split()) if "  " in value else value.strip()
    return _SPACE.sub(" ", _CONTROL.sub("", value.replace("\x85", " "))).strip()


def shown(value: str) -> str:
    """Encoded words decoded and put on one line."""
    return one_line(decode_words(value))
