"""Content-Transfer-Encoding undone: base64, quoted-printable and uuencode with anything wrong in them."""

from __future__ import annotations

import binascii
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_MOST_PIECES = 10_000  # joined base64 texts within one part
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)


def undo(data: bytes, encoding: str) -> tuple[bytes, str]:
    """The decoded bytes and a sentence on what was repaired ("" if nothing)."""
    name = encoding.strip().lower().partition(";")[0].strip()
    if name == "base64":
        return _base64(data)
    if name in ("quoted-printable", "quotedprintable"):
        decoded = binascii.a2b_qp(data)
        # What cannot be decoded stays as it is, so each "=" left over must have been written as =3D.
        sound = decoded.count(b"=") == data.count(b"=3D") + data.count(b"=3d")
        return decoded, "" if sound else "broken quoted-printable"
    if name in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uuencode(data)
    known = name in ("", "7bit", "8bit", "binary")
    return data, "" if known else f"unknown transfer encoding {name[:40]!r}"


def _base64(data: bytes) -> tuple[bytes, str]:
    try:
        # Skips what is not of the alphabet, and stops at nothing but wrong padding.
        decoded = binascii.a2b_base64(data)
    except ValueError:
        return _letters(data), "broken base64"
    letters = data.translate(None, b" \t\r\n").rstrip(b"=")
    if len(decoded) == len(letters) * 3 // 4:
        return decoded, ""
    # Padding in the middle (joined pieces) ends the decoding early; decode piece by piece then.
    if b"=" in letters:
        return _pieces(data), "base64 with padding inside"
    return decoded, "foreign characters in base64"


def _pieces(data: bytes) -> bytes:
    pieces = data.split(b"=", _MOST_PIECES)
    return b"".join(map(_letters, pieces))


def _letters(data: bytes) -> bytes:
    """The letters of the alphabet alone, decoded; a single one left over cannot be a byte."""
    clean = _NOT_BASE64.sub(b"", data)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _uuencode(data: bytes) -> tuple[bytes, str]:
    begin = _UU_BEGIN.search(data)
    if begin is None:
        return data, "uuencoded part without a begin line"
    decoded, complaint = [], "uuencoded part without an end line"
    for line in data[begin.end() :].splitlines():
        if line.strip() == b"end":
            complaint = ""
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except ValueError:
            # Some encoders miscount trailing characters: cut the line to its declared length.
            count = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
            try:
                decoded.append(binascii.a2b_uu(line[:count]))
            except ValueError:
                complaint = "broken uuencode"
    return b"".join(decoded), complaint
