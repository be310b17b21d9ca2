"""Reading mail is total: any bytes give a message, its facts and its author's words, and always the same."""

from __future__ import annotations

import json
from email.header import Header as StdlibHeader
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.message import Message, parse, parse_addresses
from mailml.message.headers import _mended, _plain, _skip, split
from mailml.message.words import decode_words
from mailml.text import html_to_text, own_words, split_reply

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "malformed"
MODEST = settings(max_examples=150, deadline=None)
INSERTS = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff\xfe",
        b"\r\n ",
        b":",
        b",",
        b"@",
        b"=",
        b'"',
        b"<",
        b">",
        b"(",
        b";",
    ),
    *(b"--b", b"\r\n--b--\r\n", b"=?utf-8?B?", b"?=", b"charset=utf-16", b"filename*0*="),
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n\r\n",
    b"On 1 Jan 2026 a@b.example wrote:\r\n> ",
]
LINES = [
    "Hello",
    "> q",
    "On 1 Jan 2026 a@b.example wrote:",
    "-- ",
    "",
    "From: a@b.example",
    "Subject: x",
    "Thanks,",
]
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+_-", min_size=1, max_size=12).filter(
    lambda token: token.strip(".") == token
)


@lru_cache(maxsize=1)
def seeds() -> tuple[bytes, ...]:
    """The broken mails of the corpus, as starting points of mutation."""
    return tuple(path.read_bytes() for path in sorted(CORPUS.glob("*.eml")))


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A mail of the corpus with pieces inserted, cut out, doubled and joined to another."""
    raw = draw(st.sampled_from(seeds()))
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 60))
        change = draw(st.sampled_from(["insert", "cut", "double", "join", "flip"]))
        if change == "insert":
            raw = raw[:at] + draw(st.sampled_from(INSERTS)) + raw[at:]
        elif change == "cut":
            raw = raw[:at] + raw[at + length :]
        elif change == "double":
            raw = raw[:at] + raw[at : at + length] * draw(st.integers(2, 20)) + raw[at + length :]
        elif change == "join":
            raw = raw[:at] + draw(st.sampled_from(seeds()))[at // 2 :]
        else:
            raw = raw[:at] + draw(st.binary(max_size=4)) + raw[at + 1 :]
    return raw


def everything_of(message: Message) -> str:
    """All that can be asked of a message, as JSON: writing it proves that it can be stored."""
    text = own_words(message)
    asked = [
        message.facts(),
        [list(header) for header in message.headers],
        [address.addr for address in (*message.sender, *message.reply_to)],
        [message.return_path, message.delivered_to, dict(message.content_params)],
        [message.plain, message.html, html_to_text(message.html)],
        [text.own, text.everything, text.quoted, text.signature, text.truncated],
        [
            [part.filename, part.content_id, len(part.payload), part.text, part.defects]
            for part in message.parts
        ],
    ]
    written = json.dumps(asked, ensure_ascii=False)
    written.encode("utf-8")
    return written


@MODEST
@given(st.binary(max_size=400))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    """No bytes raise, and everything read from them can be written as UTF-8 JSON."""
    assert json.loads(everything_of(parse(raw)))[0]["size"] == len(raw)


@MODEST
@given(mutants())
def test_any_mutant_is_a_message(raw: bytes) -> None:
    """No mutation of a mail raises, the raw bytes are kept, and reading twice gives the same."""
    message = parse(raw)
    assert message.raw == raw
    assert everything_of(message) == everything_of(parse(raw))
    assert "\n" not in message.subject
    assert all(address.addr.isprintable() and "@" in address.addr for address in message.to)


def test_every_real_message_has_facts(shared: Path) -> None:
    """All of the shared mail is read without an exception, and says at least its hash and its size."""
    paths = sorted((shared / "mail").glob("*/*.eml"))
    assert len(paths) > 1_000
    for path in paths:
        message = parse(path.read_bytes())
        facts = json.loads(everything_of(message))[0]
        assert facts["size"] == path.stat().st_size
        assert facts["parts"] or message.too_complex


def test_both_ways_of_reading_headers_mean_the_same(shared: Path) -> None:
    """Where the fast way reads a header of real mail, the tolerant way reads the same fields."""
    compared = 0
    for path in sorted((shared / "mail").glob("*/*.eml")):
        source = path.read_bytes()
        block = source[_skip(source, 0) : split(source).body]
        if fast := _plain(block):
            tolerant, body, defects = _mended(block)
            assert (tolerant.headers, body, defects) == (fast.headers, None, ()), path.name
            compared += 1
    assert compared > 1_200


@MODEST
@given(
    st.lists(st.tuples(TOKENS, WORDS), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n", "\r\n\t", "\n  "]),
)
def test_both_ways_agree_on_made_headers(fields: list[tuple[str, str]], end: str) -> None:
    """The same for any names and values, folded or not."""
    line_end = end.rstrip("\t ")
    block = line_end.join(
        f"{name}: {value}{end}x" if end != line_end else f"{name}: {value}" for name, value in fields
    )
    fast = _plain(block.encode())
    assert fast is not None
    assert len(fast.headers) == len(fields)
    assert _mended(block.encode())[0].headers == fast.headers


@MODEST
@given(
    st.integers(0, 6),
    st.sampled_from([b"no colon here", b"=?utf-8?Q?x?=", b"\xe9\xe8", b"two words: value", b"\x00"]),
)
def test_a_junk_line_hides_no_field(place: int, junk: bytes) -> None:
    """A line without a field name, anywhere between known fields, leaves every other field and the body."""
    lines = [
        b"Received: a",
        b"From: a@b.example",
        b"To: c@d.example",
        b"Subject: s",
        b"Date: x",
        b"Message-ID: <1@b>",
    ]
    mixed = [*lines[:place], junk, *lines[place:]]
    message = parse(b"\r\n".join([*mixed, b"X-Last: yes", b"", b"body"]))
    assert [header.name for header in message.headers][-1] == "X-Last"
    assert len(message.headers) == 7
    assert message.plain == "body"
    assert message.defects


@MODEST
@given(WORDS, st.sampled_from(["utf-8", "utf-16", "iso-2022-jp", "koi8-r", "cp1252"]))
def test_encoded_words_come_back(text: str, charset: str) -> None:
    """What the standard library encodes in any charset that holds it is decoded to the same text."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    encoded = StdlibHeader(text, charset, maxlinelen=40).encode()
    if "=?" in encoded and text.strip() == text and "=?" not in text:
        assert decode_words(encoded.replace("\n ", " ")) == text


@MODEST
@given(st.lists(st.tuples(st.text("abc DEF.,-éß", max_size=12), TOKENS, TOKENS), min_size=1, max_size=5))
def test_written_addresses_come_back(people: list[tuple[str, str, str]]) -> None:
    """Quoted names and addresses written to a list are read again, in order."""
    written = ", ".join(f'"{name}" <{local}@{domain}.example>' for name, local, domain in people)
    found = parse_addresses(written)
    assert [one.addr for one in found] == [f"{local}@{domain}.example" for _, local, domain in people]
    assert [one.name for one in found] == [" ".join(name.split()) for name, _, _ in people]


@MODEST
@given(WORDS, st.lists(st.tuples(TOKENS, st.binary(max_size=200)), max_size=4), st.booleans())
def test_composed_mail_comes_back(subject: str, files: list[tuple[str, bytes]], html: bool) -> None:
    """A mail composed by the standard library gives back its subject, text and files."""
    composed = EmailMessage()
    composed["Subject"] = subject
    composed.set_content("Grüße, 你好\n")
    if html:
        composed.add_alternative("<p>Grüße</p>", subtype="html")
    for name, content in files:
        composed.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    message = parse(composed.as_bytes())
    assert message.subject == " ".join(subject.split())
    assert message.plain.strip() == "Grüße, 你好"
    assert message.html.strip() == ("<p>Grüße</p>" if html else "")
    assert [(part.filename, part.payload) for part in message.attachments] == files
    assert message.defects == ()


@MODEST
@given(st.text(max_size=600))
def test_any_text_is_split(text: str) -> None:
    """Any text gives own words, and everything that can be seen is still there."""
    result = split_reply(text)
    for piece in result.own.split():
        assert piece in result.everything
    html_to_text(text)


@MODEST
@given(st.lists(st.sampled_from([*LINES, "---- Original Message ----", "Sent from my iPhone"]), max_size=14))
def test_own_words_are_lines_that_were_written(lines: list[str]) -> None:
    """Own words are lines of the text, in order; plain words above everything else are always among them."""
    result = split_reply("\n".join(lines))
    kept = iter(line.strip("> ") for line in lines)
    assert all(line.strip("> ") in kept for line in result.own.split("\n") if line)
    if lines and lines[0] == "Hello":
        assert result.own.startswith("Hello")
