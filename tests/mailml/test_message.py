"""Bytes -> Message: the facts of sound mail, of broken mail, and the limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailml.message import Header, Message, parse

MALFORMED = Path(__file__).resolve().parent.parent / "corpus" / "malformed"
CASES = sorted(MALFORMED.glob("*.eml"))
HEAD = b"From: ada@client.example\r\nTo: support@acme.example\r\nSubject: x\r\n"


def mail(head: bytes, body: bytes = b"text") -> Message:
    """A mail with more header lines and a body."""
    return parse(HEAD + head + b"\r\n" + body)


def multipart(*parts: bytes, kind: bytes = b"mixed") -> Message:
    """A multipart mail of these parts, each with its own header."""
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return mail(b"Content-Type: multipart/" + kind + b"; boundary=b\r\n", body)


def found(path: Path) -> dict[str, Any]:
    """Everything that is compared with the expected facts."""
    message = parse(path.read_bytes())
    return message.facts() | {
        "parts": [part.content_type for part in message.parts],
        "plain": message.plain,
        "html": message.html,
        "reply_to": [address.addr for address in message.reply_to],
        "return_path": message.return_path,
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_malformed_mail_has_the_expected_facts(path: Path) -> None:
    """Every broken mail of the corpus yields exactly the facts written beside it."""
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    facts = found(path)
    assert {key: facts[key] for key in expected} == expected
    silent = set(facts) - set(expected) - {"sha256", "size", "sender"}
    assert {key: facts[key] for key in silent if facts[key] not in (None, [], "", False)} == {}


def test_there_is_a_corpus() -> None:
    """At least forty kinds of broken mail are kept, each beside its facts."""
    assert len(CASES) >= 40
    assert all(path.with_suffix(".json").exists() for path in CASES)


def test_headers_keep_order_and_spelling() -> None:
    """Header names are kept as written, in order, values unfolded and not decoded."""
    message = mail(b"X-One: a\r\n b\r\nx-one: =?utf-8?Q?c?=\r\n")
    assert message.headers[3:] == (Header("X-One", "a b"), Header("x-one", "=?utf-8?Q?c?="))
    assert message.all("X-ONE") == ("a b", "=?utf-8?Q?c?=")
    assert message.get("x-One") == "a b"
    assert message.get("absent") is None
    assert message.all("absent") == ()


def test_dates_are_utc() -> None:
    """Date and Received times are aware and in UTC, the topmost Received first."""
    message = mail(
        b"Date: Fri, 27 Mar 2026 10:00:00 +0530\r\n"
        b"Received: from b by c; Fri, 27 Mar 2026 04:40:00 -0700 (PDT)\r\n"
        b"Received: from a by b\r\n\t; 27 Mar 26 04:31:00 GMT\r\n"
    )
    assert message.date == datetime(2026, 3, 27, 4, 30, tzinfo=UTC)
    assert message.received_dates[0] == datetime(2026, 3, 27, 11, 40, tzinfo=UTC)
    assert message.received_dates[1] == datetime(2026, 3, 27, 4, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [b"", b"never", b"0 0 0", b"Mon, 99 Jan 2026 10:00:00 +0000", b"1 Jan 0000 00:00:00 +9999"]
)
def test_dates_that_are_none(value: bytes) -> None:
    """A date that cannot be read is None, not an error."""
    assert mail(b"Date: " + value + b"\r\n").date is None


def test_return_path_tells_absent_from_null() -> None:
    """The null sender is "", an absent Return-Path is None, an address is lower-cased."""
    assert mail(b"").return_path is None
    assert mail(b"Return-Path: <>\r\n").return_path == ""
    assert mail(b"Return-Path: <Ada@Client.Example>\r\n").return_path == "ada@client.example"


def test_reply_needs_an_id() -> None:
    """A mail is a reply when In-Reply-To or References name a mail."""
    assert not mail(b"In-Reply-To: your call\r\n").is_reply
    assert mail(b"References: <1@x>\r\n").is_reply
    assert mail(b"In-Reply-To: 1@x\r\n").in_reply_to == ("<1@x>",)


def test_subject_cannot_carry_a_header() -> None:
    """Newlines and control characters, raw or encoded, never survive in a subject."""
    message = parse(b"Subject: =?utf-8?Q?a=0D=0Ab=00=1B[31mc=E2=80=AEd?=\r\n\r\n")
    assert message.subject == "a b[31mcd"


def test_bodies_of_an_alternative() -> None:
    """Of an alternative both forms are found, decoded by their own charsets."""
    message = multipart(
        b"Content-Type: text/plain; charset=iso-8859-15\r\n\r\nPreis: 5 \xa4",
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>Preis: 5 =E2=82=AC</p>",
        kind=b"alternative",
    )
    assert message.plain == "Preis: 5 €"
    assert message.html == "<p>Preis: 5 €</p>"
    assert message.attachments == ()


def test_attachments_as_a_person_counts_them() -> None:
    """A file is an attachment; a body, a picture inside HTML and a signature are not."""
    message = multipart(
        b"\r\nHello",
        b"Content-Type: application/pdf; name=a.pdf\r\n\r\nx",
        b"Content-Type: text/plain\r\nContent-Disposition: inline; filename=notes.txt\r\n\r\nnote",
        b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nx",
        b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nattached",
        b"\r\nfooter of a list",
    )
    assert [part.filename for part in message.attachments] == ["a.pdf", "notes.txt", ""]
    assert message.plain == "Hello\nfooter of a list"


def test_a_body_with_a_name_is_a_body() -> None:
    """A mail that is nothing but one named text is read as text."""
    message = mail(b'Content-Type: text/plain; name="body.txt"\r\n', b"Read me")
    assert message.plain == "Read me"
    assert message.attachments == ()


def test_embedded_mail_is_never_entered() -> None:
    """A forwarded mail is one leaf with its bytes; its parts and headers are not ours."""
    inner = (
        b"Subject: inner\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ninner text\r\n--c--"
    )
    message = multipart(b"\r\nouter", b"Content-Type: message/rfc822\r\n\r\n" + inner)
    assert [part.content_type for part in message.parts] == ["text/plain", "message/rfc822"]
    assert message.parts[1].payload == inner
    assert message.plain == "outer"
    assert parse(message.parts[1].payload).plain == "inner text"


def test_report_parts_are_no_attachments() -> None:
    """The machine-readable parts of a bounce are parts, not attachments."""
    message = multipart(
        b"\r\nIt failed",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx",
        b"Content-Type: message/rfc822\r\n\r\nSubject: original",
        kind=b"report; report-type=delivery-status",
    )
    assert message.content_params["report-type"] == "delivery-status"
    assert len(message.parts) == 3
    assert message.attachments == ()


def test_equal_bytes_are_equal_messages() -> None:
    """Messages are values: equal bytes are equal, hash alike, and cannot be changed."""
    assert mail(b"") == mail(b"")
    assert len({mail(b""), mail(b"")}) == 1
    with pytest.raises(AttributeError):
        mail(b"").raw = b""  # type: ignore[misc]


def test_repr_shows_no_content() -> None:
    """What is printed by accident holds no customer's words."""
    message = mail(b"", b"secret words")
    assert "secret" not in repr(message)
    assert "secret" not in repr(message.parts)


def test_facts_are_json() -> None:
    """The facts can be written as JSON and name the whole mail by its hash."""
    facts = json.loads(json.dumps(mail(b"Date: 1 Jan 2026 00:00:00 +0000\r\n").facts()))
    assert facts["date"] == "2026-01-01T00:00:00+00:00"
    assert len(facts["sha256"]) == 64
    assert facts["parts"][0]["size"] == 4


def nested(depth: int) -> bytes:
    """A mail of that many multiparts, one inside the other."""
    opened = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    closed = (b"\r\n--b%d--" % i for i in reversed(range(depth)))
    return HEAD + b"".join(opened) + b"\r\nhi" + b"".join(closed)


def test_depth_limit() -> None:
    """A hundred levels are read; one more, or a thousand, leave the header and the raw bytes."""
    assert parse(nested(100)).plain == "hi"
    for depth in (101, 1_000):
        message = parse(nested(depth))
        assert message.too_complex
        assert message.parts == ()
        assert message.subject == "x"
        assert "nested more than 100 deep" in message.defects[0]


def test_part_limit() -> None:
    """A thousand parts are read; 100,000 leave the header and the raw bytes."""
    assert len(multipart(*[b"\r\nx"] * 1_000).parts) == 1_000
    bomb = multipart(*[b"\r\nx"] * 100_000)
    assert bomb.too_complex
    assert bomb.facts()["parts"] == []


def test_header_limit() -> None:
    """A header line of 10 MB is cut at 256 KB, told of, and nothing behind it is read."""
    message = mail(b"X-Long: " + b"a" * 10_000_000 + b"\r\n")
    assert message.too_complex
    assert message.from_ is not None
    assert len(message.get("X-Long") or "") < 256 * 1024
    assert "cut" in message.defects[0]


def test_twenty_thousand_recipients() -> None:
    """Too many recipients are cut with the header; those read are sound addresses."""
    people = b", ".join(b"User %d <u%d@example.com>" % (i, i) for i in range(20_000))
    message = mail(b"Cc: " + people + b"\r\n")
    assert message.too_complex
    assert len(message.cc) > 5_000
    assert all(address.domain.startswith("example.c") for address in message.cc[:-1])


def test_sixty_megabytes() -> None:
    """A mail of 60 MB keeps its parts and facts."""
    line = b"QUJD" * 19 + b"\r\n"
    message = mail(
        b"Content-Type: application/pdf; name=big.pdf\r\nContent-Transfer-Encoding: base64\r\n",
        line * 770_000,
    )
    assert message.size > 59_000_000
    assert message.attachments[0].size == 770_000 * 57
    assert message.defects == ()


def test_blanks_before_the_first_colon_are_no_mbox_line() -> None:
    """A From field in obsolete syntax (RFC 5322 4.5) on top is kept; an mbox line is still skipped."""
    field = parse(b"From  : anna@customer.example\r\nSubject: x\r\n\r\nhello\r\n")
    assert field.from_ is not None
    assert field.from_.addr == "anna@customer.example"
    mbox = parse(b"From anna@c.example Mon Mar  2 10:00:00 2026\nFrom: bob@c.example\n\nhello\n")
    assert mbox.from_ is not None
    assert mbox.from_.addr == "bob@c.example"
