"""Charsets, transfer encodings, parameters, encoded words; and hostile bytes in linear time."""

from __future__ import annotations

import base64
import quopri

import pytest

from mailml.message import decode_words, parse
from mailml.message.charset import codec_of, decode
from mailml.message.params import parse_value
from mailml.message.transfer import undo
from tests.growth import growth


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("utf-8", "Größe".encode(), "Größe"),
        ("UTF8", "Größe".encode(), "Größe"),
        ("iso-8859-1", b"5 \x80 \x93x\x94", "5 € “x”"),
        ("gb2312", "镕".encode("gb18030"), "镕"),
        ("shift_jis", "①".encode("cp932"), "①"),
        ("ks_c_5601-1987", "한글".encode("cp949"), "한글"),
        ("iso-2022-jp", "日本".encode("iso-2022-jp"), "日本"),
        ("utf-16", "hé".encode("utf-16"), "hé"),
        ("unicode-1-1-utf-7", b"Hi Mom +Jjo-!", "Hi Mom ☺!"),
        ('"koi8-r"', "счёт".encode("koi8-r"), "счёт"),
    ],
)
def test_labels_mean_what_mailers_mean(label: str, data: bytes, text: str) -> None:
    """A label is read as browsers read it, and nothing is told of when the bytes fit."""
    assert decode(data, label) == (text, "")


@pytest.mark.parametrize(
    "label", ["klingon", "rot13", "base64", "idna", "punycode", "unicode_escape", "", "x" * 500, "\x00"]
)
def test_labels_that_are_no_charset(label: str) -> None:
    """Codecs that are no charsets, or that are quadratic, are never used: UTF-8 or windows-1252 is."""
    assert codec_of(label) == ""
    assert decode("Größe".encode(), label)[0] == "Größe"
    assert decode(b"Gr\xf6\xdfe", label)[0] == "Größe"


def test_lone_surrogates_are_replaced() -> None:
    """Text can always be written as UTF-8, also when UTF-7 spells half a surrogate pair."""
    text = decode(b"+2AA-x", "utf-7")[0]
    assert text.encode("utf-8").decode("utf-8") == text
    assert text.endswith("x")


@pytest.mark.parametrize(
    ("encoding", "data", "payload", "complaint"),
    [
        ("base64", b"SGVs\r\nbG8=\r\n", b"Hello", ""),
        ("BASE64 ", b"SGVsbG8", b"Hello", "broken base64"),
        ("base64", b"SGVsbG8=\r\nSGVsbG8=\r\n", b"HelloHello", "base64 with padding inside"),
        ("base64", b"SGV!sbG8=", b"Hello", "foreign characters in base64"),
        ("base64", b"SGVsbG8=A", b"Hello", "base64 with padding inside"),
        ("base64", b"", b"", ""),
        ("quoted-printable", b"a=3Db=\r\nc=20", b"a=bc ", ""),
        ("quoted-printable", b"a=ZZ", b"a=ZZ", "broken quoted-printable"),
        ("x-uuencode", b"begin 644 f\n#0V%T\n`\nend\n", b"Cat", ""),
        ("x-uuencode", b"nothing here", b"nothing here", "uuencoded part without a begin line"),
        ("8bit", b"\xff", b"\xff", ""),
        ("x-strange", b"as is", b"as is", "unknown transfer encoding 'x-strange'"),
    ],
)
def test_transfer_encodings(encoding: str, data: bytes, payload: bytes, complaint: str) -> None:
    """What can be decoded is, and what was wrong is told in a sentence."""
    assert undo(data, encoding) == (payload, complaint)


def test_transfer_round_trips() -> None:
    """What the standard library encodes comes back, with nothing to complain of."""
    data = bytes(range(256)) * 40
    assert undo(base64.encodebytes(data), "base64") == (data, "")
    assert undo(quopri.encodestring(data), "quoted-printable") == (data, "")


@pytest.mark.parametrize(
    ("value", "kind", "params"),
    [
        ("Text/Plain; CharSet=UTF-8; format=flowed", "text/plain", {"charset": "UTF-8", "format": "flowed"}),
        ("a/b; x=\"1;2\"; y='3'", "a/b", {"x": "1;2", "y": "'3'"}),
        ('a/b; name="C:\\TEMP\\x \\"y\\".png"', "a/b", {"name": 'C:\\TEMP\\x "y".png'}),
        ("a/b; x=1; x=2", "a/b", {"x": "1"}),
        ("a/b; t*=utf-8'de'%C3%BC; t=u", "a/b", {"t": "ü"}),
        ("a/b; t*1=b; t*0=a; t*2*=%20c", "a/b", {"t": "ab c"}),
        ("a/b (comment); x=1", "a/b", {"x": "1"}),
        ('a/b; x="open; y=2', "a/b", {"x": "open; y=2"}),
        ("", "", {}),
    ],
)
def test_parameters(value: str, kind: str, params: dict[str, str]) -> None:
    """Parameters are read with quotes, RFC 2231 continuations and percent encoding."""
    found, read = parse_value(value)
    assert (found, dict(read)) == (kind, params)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?Q?a_b?=", "a b"),
        ("=?UTF-8*en?b?w7w=?= x", "ü x"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?=", "aü"),
        ("=?utf-8?Q?a?= and =?utf-8?Q?b?=", "a and b"),
        ("=?utf-8?Q?one word with spaces?=", "one word with spaces"),
        ("=?utf-8?Q?=C3?==?utf-8?Q?=BC?=", "ü"),
        ("=?utf-8?B?w7x?=", "ü"),
        ("=?nonsense", "=?nonsense"),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    """Encoded words are decoded as written by the mailers that break RFC 2047, too."""
    assert decode_words(value) == text


HEADER = b"From: a@b.example\r\nSubject: x\r\n"
TEXT = HEADER + b"Content-Type: text/plain\r\n"
HOSTILE = [
    (HEADER + b"Subject: ", b"=?utf-8?q?", b"\r\n\r\n"),
    (HEADER + b"References: ", b"<", b"\r\n\r\n"),
    (HEADER + b"References: ", b"<a@b> ", b"\r\n\r\n"),
    (HEADER + b"Content-Type: text/plain", b';a="b', b"\r\n\r\nx"),
    (HEADER + b"Content-Type: text/plain", b";a*1*=", b"\r\n\r\nx"),
    (HEADER + b"Content-Type: text/plain;", b" ", b"\r\n\r\nx"),
    (HEADER + b"Authentication-Results: ", b"(", b"\r\n\r\n"),
    (HEADER + b"Date: ", b"1 ", b"\r\n\r\n"),
    (HEADER + b"X: a", b"\r\n b", b"\r\n\r\nx"),
    (HEADER, b"junk line\r\n", b"To: c@d.example\r\n\r\nx"),
    (HEADER, b"\r", b"\n\r\nx"),
    (b"", b"\n", b""),
    (HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"--c\r\n", b""),
    (HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b\r\n\r\n", b""),
    (HEADER, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", b""),
    (TEXT + b"Content-Transfer-Encoding: base64\r\n\r\n", b"=a", b""),
    (TEXT + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", b"=", b""),
    (TEXT + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\n", b"M!!\n", b""),
    (HEADER + b"Content-Type: text/plain; charset=utf-7\r\n\r\n", b"+2AA-", b""),
]


@pytest.mark.parametrize(("head", "piece", "tail"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bytes_grow_linearly(head: bytes, piece: bytes, tail: bytes) -> None:
    """Four times the hostile bytes take nowhere near sixteen times the time."""
    middle = piece * (40_000 // len(piece))
    assert growth(lambda text: parse(head + text + tail).facts(), middle) < 9
