"""The way a message took."""

from __future__ import annotations

from pathlib import Path

from mailml.errors import InputError
from mailml.lab.hops import COLUMNS, hops
from mailml.message import parse

RAW = (
    b"Received: from relay.example (relay.example [192.0.2.7]) by mx.acme.example with ESMTPS id 2;"
    b" Mon, 02 Mar 2026 10:05:00 +0100\r\n"
    b"Received: from laptop (unknown [198.51.100.3]) by relay.example with ESMTPSA id 1;"
    b" Mon, 02 Mar 2026 10:00:00 +0100\r\n"
    b"From: a@relay.example\r\nSubject: late\r\n\r\nhello\r\n"
)


def test_hops_come_in_order_with_their_delay() -> None:
    """The first server is on top, times are UTC, and the second hop took five minutes."""
    way = hops(RAW)
    assert list(way.columns) == list(COLUMNS)
    assert way["at"].dt.strftime("%H:%M").tolist() == ["09:00", "09:05"]
    assert way["seconds"].tolist() == [0, 300]
    assert "relay.example" in way["taken_by"][0]


def test_a_message_without_received_has_no_hops() -> None:
    """No Received field is an empty table with the same columns."""
    assert hops(b"Subject: x\r\n\r\nbody").empty


def test_the_body_is_not_looked_at() -> None:
    """A Received line in the body is text, not a hop."""
    assert hops(b"Subject: x\r\n\r\n" + RAW).empty


def test_real_mail_has_hops_or_says_why_not(shared: Path) -> None:
    """Of real mail nearly every message with Received fields yields hops; the rest end in a clear error."""
    files = sorted((shared / "mail").glob("*/*.eml"))[::10]
    raws = [raw for raw in (file.read_bytes() for file in files) if parse(raw).all("Received")]
    read = refused = 0
    for raw in raws:
        try:
            read += not hops(raw).empty
        except InputError:
            refused += 1
    assert read > len(raws) * 0.9
    assert refused < len(raws) * 0.05
