"""Address lists: what RFC 5322 allows, what mailers write instead, and what attackers try."""

from __future__ import annotations

import pytest

from mailml.message import Address, parse_addresses
from tests.growth import growth

CASES = [
    ("ada@client.example", [("", "ada@client.example")]),
    ("Ada <Ada@Client.EXAMPLE>", [("Ada", "ada@client.example")]),
    ('"Byte, Ada" <ada@x.example>', [("Byte, Ada", "ada@x.example")]),
    ('"a \\"quoted\\" name" <ada@x.example>', [('a "quoted" name', "ada@x.example")]),
    ("ada@x.example (Ada Byte)", [("Ada Byte", "ada@x.example")]),
    ("Ada (of (nested) billing) <ada@x.example>", [("Ada", "ada@x.example")]),
    ("Pete(a ) <pete(his account)@x.example(his host)>", [("Pete", "pete@x.example")]),
    ('"ada b"@x.example', [("", '"ada b"@x.example')]),
    ('<"a@b"@x.example>', [("", '"a@b"@x.example')]),
    (
        "Team: a@x.example, b@x.example; c@x.example",
        [("", "a@x.example"), ("", "b@x.example"), ("", "c@x.example")],
    ),
    ("undisclosed-recipients:;", []),
    ("Ada <ada@x.example", [("Ada", "ada@x.example")]),
    ('Ada <"ada b"@x.example', [("Ada", '"ada b"@x.example')]),
    ("ada@x.example>, b@x.example", [("", "ada@x.example"), ("", "b@x.example")]),
    ("Ada Byte ada@x.example", [("Ada Byte", "ada@x.example")]),
    ("<@relay1,@relay2:ada@x.example>", [("", "ada@x.example")]),
    ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
    ("'ada@x.example' <ada@x.example>", [("", "ada@x.example")]),
    ('"ada@x.example"', [("", "ada@x.example")]),
    ("=?utf-8?Q?J=C3=B6rg?= <j@x.example>", [("Jörg", "j@x.example")]),
    ("=?utf-8?Q?Byte,_Ada?= <a@x.example>", [("Byte, Ada", "a@x.example")]),
    ("=?utf-8?Q?=22ceo=40acme.example=22_?= <evil@x.example>", [("ceo@acme.example", "evil@x.example")]),
    ('"ceo@acme.example" <evil@x.example>', [("ceo@acme.example", "evil@x.example")]),
    ("mailto:ada@x.example", [("", "ada@x.example")]),
    ("ada@[192.0.2.1]", [("", "ada@[192.0.2.1]")]),
    ("jdoe@test . example", [("", "jdoe@test.example")]),
    ("zoë@exämple.example", [("", "zoë@exämple.example")]),
    ('"open quote <a@x.example>, b@x.example', [("open quote", "a@x.example"), ("", "b@x.example")]),
    ("<>", []),
    ("", []),
    ("nobody", []),
    ("@x.example, ada@", []),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=[value[:40] or "empty" for value, _ in CASES])
def test_addresses(value: str, expected: list[tuple[str, str]]) -> None:
    """Each written form yields exactly these names and addresses."""
    assert [(one.name, one.addr) for one in parse_addresses(value)] == expected


def test_parts_of_an_address() -> None:
    """Local part and domain are split at the last @."""
    address = Address("Ada", '"a@b"@x.example')
    assert (address.local, address.domain) == ('"a@b"', "x.example")
    assert str(Address("Ada", "a@x.example")) == "Ada <a@x.example>"


def test_no_control_characters() -> None:
    """Neither a name nor an address can carry a line end into a header that is written later."""
    found = parse_addresses('"Ada\r\nBcc: x" <a@x.example\r\n>, =?utf-8?Q?B=0D=0AC?= <b\x00@x.example>')
    assert all(one.addr.isprintable() and one.name.isprintable() for one in found)
    assert [one.addr for one in found] == ["a@x.example", "b@x.example"]


@pytest.mark.parametrize("piece", ['"', "<", "(", "<a,", '"\\', '<"', "@ ", "[", "=?a?b?", "a@b,", "(\\"])
def test_hostile_lists_grow_linearly(piece: str) -> None:
    """Four times the hostile text takes nowhere near sixteen times the time."""
    assert growth(parse_addresses, piece * (20_000 // len(piece))) < 9
