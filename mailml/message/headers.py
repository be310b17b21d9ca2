"""The header block: bytes -> names and unfolded values, in order, whatever the bytes are.

Only an empty line ends a header. A line without a colon is dropped and told of; the stdlib and every
parser we measured take the rest of the header for body text at that point.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from mailml.message.charset import decode
from mailml.message.fields import Fields

LIMIT = 256 * 1024  # bytes of one header block; Postfix stops at 100 KiB
_EMPTY = re.compile(rb"[\r\n]*+")
_END = re.compile(rb"\n\r*\n")
_PART_END = re.compile(rb"\n(?:\r*\n|--)")
_FIELD = re.compile(r"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*+)$", re.MULTILINE)
_NAME = re.compile(r"[!-9;-~]+[ \t]*")
_KNOWN = re.compile(
    rb"(?:x-[!-9;-~]+|content-[a-z-]+|list-[a-z-]+|resent-[a-z-]+|arc-[a-z-]+|from|to|cc|bcc|subject|date|sender"
    rb"|reply-to|message-id|in-reply-to|references|received|return-path|delivered-to|mime-version|auto-submitted"
    rb"|precedence|authentication-results|received-spf|dkim-signature|importance|priority|user-agent|mailer"
    rb"|organization|thread-(?:topic|index)|disposition-notification-to|envelope-to)[ \t]*:",
    re.IGNORECASE,
)
_SHORT = 400  # bytes of a part's header that is remembered
_NOTHING = Fields()
_CHARSET = re.compile(rb"charset\s*=\s*\"?([\w.-]{1,40})", re.IGNORECASE)


class Block(NamedTuple):
    """A header block: its fields, where the body starts, what was repaired, and whether it was cut."""

    fields: Fields
    body: int
    defects: tuple[str, ...] = ()
    cut: bool = False


def split(source: bytes, start: int = 0, *, part: bool = False) -> Block:
    """The header block at `start`; in a MIME part a line that begins with "--" ends it as well."""
    if not part:
        start = _skip(source, start)
    newline = source[start : start + 2]
    if newline[:1] == b"\n" or newline == b"\r\n":
        return Block(_NOTHING, start + (1 if newline[:1] == b"\n" else 2))
    limit = len(source) if not part else min(len(source), start + LIMIT)
    match = (_PART_END if part else _END).search(source, max(start - 1, 0), limit)
    end = match.start() + 1 if match else limit
    if part and match and start and match.start() == start - 1:  # a delimiter right behind a delimiter
        return Block(_NOTHING, start)
    body = end if match is None or source[end : end + 2] == b"--" else match.end()
    cut = end - start > LIMIT
    defects = (f"header longer than {LIMIT} bytes, cut",) if cut else ()
    block = source[start : min(end, start + LIMIT)]
    fields = _remembered(block) if part and len(block) < _SHORT else _plain(block)
    if fields is not None:
        return Block(fields, body, defects, cut)
    kept, body_at, more = _mended(block)
    if body_at is None:
        return Block(kept, body, defects + more, cut)
    return Block(kept, start + body_at, more)


def _skip(source: bytes, start: int) -> int:
    """Past a byte order mark, empty lines and an mbox "From " line."""
    if source[start : start + 3] == b"\xef\xbb\xbf":
        start += 3
    start = _EMPTY.match(source, start).end()  # type: ignore[union-attr]  # it matches nothing, too
    # "From  : a@b" is a field: obsolete syntax allows blanks before the colon (RFC 5322 4.5)
    line = source[start : start + 100].lstrip(b">")
    if line.startswith(b"From ") and not line[5:].lstrip(b" \t").startswith(b":"):
        newline = source.find(b"\n", start)
        return newline + 1 if newline >= 0 else start
    return start


def _plain(block: bytes) -> Fields | None:
    """The common case at C speed: every line a field or its continuation, ASCII or UTF-8."""
    if b"\x00" in block:
        return None
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", " ")
    text = text.strip("\n")
    # One search for all fields; a line that is neither a field nor a continuation shows in the count.
    found = _FIELD.findall(text)
    lines = text.count("\n") + 1 - text.count("\n ") - text.count("\n\t")
    if len(found) != lines:
        return None if text else _NOTHING
    return Fields(found)


# The headers of parts are the same few everywhere: "Content-Type: text/html; charset=utf-8 …".
_remembered = lru_cache(maxsize=1024)(_plain)


def _mended(block: bytes) -> tuple[Fields, int | None, tuple[str, ...]]:
    """The same, line by line: junk lines dropped, 8-bit bytes guessed, NULs removed.

    A line without a colon behind the last known field name is taken for the body's first line.
    """
    lines = _lines(block)
    last = max((i for i, (_, line) in enumerate(lines) if _KNOWN.match(line)), default=-1)
    hint = _CHARSET.search(block)
    found: list[tuple[str, str]] = []
    defects: dict[str, None] = {}
    for index, (at, line) in enumerate(lines):
        text, complaint = _line_text(line, hint[1].decode() if hint else "")
        name, colon, value = text.partition(":")
        if colon and _NAME.fullmatch(name):
            found.append((name.rstrip(), value.strip()))
            if complaint:
                defects[complaint] = None
        elif index > last:
            return Fields(found), at, (*defects, "no empty line between header and body")
        elif line.strip():
            defects["header line without a field name dropped"] = None
    return Fields(found), None, tuple(defects)


def _lines(block: bytes) -> list[tuple[int, bytes]]:
    """Offset and bytes of every unfolded line."""
    lines: list[tuple[int, list[bytes]]] = []
    at = 0
    for line in block.split(b"\n"):
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1][1].append(line)
        elif line.strip():
            lines.append((at, [line]))
        at += len(line) + 1
    return [(at, b"".join(piece.rstrip(b"\r") for piece in pieces)) for at, pieces in lines]


def _line_text(line: bytes, hint: str) -> tuple[str, str]:
    """UTF-8 (RFC 6532), else the body's charset, else windows-1252."""
    clean = line.replace(b"\x00", b"").replace(b"\r", b" ")
    complaint = "NUL bytes in the header removed" if len(clean) < len(line) and b"\x00" in line else ""
    try:
        return clean.decode("utf-8"), complaint
    except UnicodeDecodeError:
        return decode(clean, hint if hint.lower() != "utf-8" else "")[
            0
        ], complaint or "8-bit bytes in a header guessed"
