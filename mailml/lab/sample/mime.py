"""A draft as the bytes that would lie in the mailbox: CRLF, encoded words, several charsets, every body form.

Written by hand and not by `email.message`: the same seed must give the same bytes on every Python version.
"""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from random import Random

CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One body part, ready to be encoded. `content_id` puts it inline into a multipart/related."""

    content_type: str
    payload: bytes
    encoding: str = "base64"  # base64, quoted-printable, 8bit or 7bit
    filename: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before it is bytes: headers in order, the body parts, and how they are put together."""

    headers: tuple[tuple[str, str], ...]
    plain: Part | None = None
    html: Part | None = None
    inline: tuple[Part, ...] = ()
    attachments: tuple[Part, ...] = ()
    charset: str = "utf-8"
    raw_headers: tuple[str, ...] = field(default=())  # written as they are


def encode_header(value: str, charset: str) -> str:
    """An unstructured header value with encoded words where it needs them."""
    if value.isascii():
        return value
    try:
        return Header(value, charset, maxlinelen=200).encode().replace("\n", "\r\n")
    except UnicodeError:
        return Header(value, "utf-8", maxlinelen=200).encode().replace("\n", "\r\n")


def mailbox(name: str, address: str, charset: str = "utf-8") -> str:
    """`Name <address>` with the name encoded or quoted as it must be."""
    if not name:
        return address
    if not name.isascii():
        return f"{encode_header(name, charset)} <{address}>"
    return f'"{name}" <{address}>' if any(c in name for c in ',.@()<>&"') else f"{name} <{address}>"


def date_header(moment: datetime) -> str:
    """RFC 5322 date in the moment's own zone."""
    return format_datetime(moment)


def text_part(text: str, subtype: str, charset: str, rng: Random) -> Part:
    """A text part in the charset (UTF-8 where it cannot say it); the encoding varies as in real mail."""
    lines = "\r\n".join(text.split("\n"))
    try:
        payload = lines.encode(charset)
    except UnicodeEncodeError:
        charset, payload = "utf-8", lines.encode("utf-8")
    if charset == "iso-2022-jp":
        return Part(f"text/{subtype}; charset=iso-2022-jp", payload, "7bit")
    if payload.isascii() and max(map(len, payload.split(CRLF))) < 990:
        encoding = rng.choice(("7bit", "7bit", "quoted-printable"))
    else:
        encoding = rng.choice(("quoted-printable", "quoted-printable", "base64", "8bit"))
    # RFC 5322: no line over 998 bytes; such text cannot travel as 8bit.
    if encoding == "8bit" and max(map(len, payload.split(CRLF))) > 990:
        encoding = "quoted-printable"
    quote = rng.choice(('"', ""))
    return Part(f"text/{subtype}; charset={quote}{charset}{quote}", payload, encoding)


def render(draft: Draft, rng: Random) -> bytes:
    """The draft as bytes."""
    head = [f"{name}: {value}" for name, value in draft.headers]
    head += draft.raw_headers
    body = _body(draft, rng)
    lines = [line.encode("utf-8", "surrogateescape") for line in head]
    return CRLF.join(lines) + CRLF + b"MIME-Version: 1.0" + CRLF + body + CRLF


def _body(draft: Draft, rng: Random) -> bytes:
    body = _alternative(draft, rng)
    if draft.inline:
        body = multipart("related", [body, *(leaf(part) for part in draft.inline)], rng)
    if draft.attachments:
        body = multipart("mixed", [body, *(leaf(part) for part in draft.attachments)], rng)
    return body


def _alternative(draft: Draft, rng: Random) -> bytes:
    bodies = [leaf(part) for part in (draft.plain, draft.html) if part]
    return bodies[0] if len(bodies) == 1 else multipart("alternative", bodies, rng)


def leaf(part: Part) -> bytes:
    """One part with its headers."""
    head = [f"Content-Type: {part.content_type}" + (f'; name="{part.filename}"' if part.filename else "")]
    if part.encoding != "7bit":
        head.append(f"Content-Transfer-Encoding: {part.encoding}")
    if part.content_id:
        head += [f"Content-ID: <{part.content_id}>", "Content-Disposition: inline"]
    elif part.filename:
        head.append(f'Content-Disposition: attachment; filename="{part.filename}"')
    return CRLF.join(line.encode() for line in head) + CRLF + CRLF + _encoded(part)


def _encoded(part: Part) -> bytes:
    if part.encoding == "base64":
        return base64.encodebytes(part.payload).rstrip(b"\n").replace(b"\n", CRLF)
    if part.encoding == "quoted-printable":
        lines = quopri.encodestring(part.payload.replace(CRLF, b"\n"))
        return lines.rstrip(b"\n").replace(b"\n", CRLF)
    return part.payload


def multipart(subtype: str, bodies: list[bytes], rng: Random, params: str = "") -> bytes:
    """Bodies (each with its own headers) as one multipart with a boundary of its own."""
    boundary = rng.choice(("----=_Part_{}", "_000_{}_", "Apple-Mail={}", "=_{}")).format(
        f"{rng.getrandbits(64):016x}"
    )
    mark = b"--" + boundary.encode()
    head = f'Content-Type: multipart/{subtype}; {params}boundary="{boundary}"'.encode()
    inner = b"".join(mark + CRLF + body + CRLF for body in bodies)
    return head + CRLF + CRLF + inner + mark + b"--" + CRLF
