"""Authentication-Results: believed only on top, only from our own server, only when aligned."""

from __future__ import annotations

import pytest

from mailml.message import Message, authenticated, parse

OURS = {"mx.acme.example"}


def mail(*results: str, sender: str = "Ada <ada@client.example>") -> Message:
    """A mail with these Authentication-Results, topmost first."""
    lines = "".join(f"Authentication-Results: {result}\r\n" for result in results)
    return parse(f"{lines}From: {sender}\r\n\r\ntext".encode())


@pytest.mark.parametrize(
    "result",
    [
        "mx.acme.example; dmarc=pass header.from=client.example",
        "mx.acme.example; dmarc=pass (p=reject) header.from=client.example; spf=fail",
        "MX.ACME.EXAMPLE 1; dmarc=pass",
        "mx.acme.example; spf=pass smtp.mailfrom=ada@client.example",
        "mx.acme.example; spf=pass smtp.mailfrom=bounce.client.example",
        "mx.acme.example; dkim=fail header.d=client.example; dkim=pass header.d=client.example header.s=k1",
        "mx.acme.example; dkim=pass (2048-bit key) header.i=@client.example",
        "mx.acme.example;\r\n\tdkim=pass\r\n\theader.d=mail.client.example",
    ],
)
def test_aligned(result: str) -> None:
    """DMARC, or SPF or DKIM for the domain of From, authenticates."""
    assert authenticated(mail(result), OURS)


@pytest.mark.parametrize(
    "result",
    [
        "mx.acme.example; none",
        "mx.acme.example; dmarc=fail header.from=client.example",
        "mx.acme.example; dmarc=bestguesspass header.from=client.example",
        "mx.acme.example; dmarc=pass header.from=other.example",
        "mx.acme.example; spf=pass smtp.mailfrom=ada@other.example",
        "mx.acme.example; spf=pass smtp.helo=client.example",
        "mx.acme.example; dkim=pass header.d=notclient.example",
        "mx.acme.example; dkim=pass header.d=example",
        "mx.acme.example; dkim=pass",
        "mx.acme.example; spf=softfail (dmarc=pass) smtp.mailfrom=client.example",
        'mx.acme.example; spf=fail reason="dmarc=pass" smtp.mailfrom=client.example',
        "mx.evil.example; dmarc=pass header.from=client.example",
        "dmarc=pass header.from=client.example",
        "; dmarc=pass header.from=client.example",
        "",
    ],
)
def test_not_aligned(result: str) -> None:
    """Another result, another domain, another server or a comment authenticates nothing."""
    assert not authenticated(mail(result), OURS)


def test_only_the_topmost_header() -> None:
    """A header below the topmost was there when the mail came in, and anybody can have written it."""
    good = "mx.acme.example; dmarc=pass"
    assert not authenticated(mail("mx.acme.example; dmarc=fail", good), OURS)
    assert authenticated(mail(good, "mx.acme.example; dmarc=fail"), OURS)


@pytest.mark.parametrize("trusted", [{"microsoft365"}, {""}])
def test_microsoft365_writes_no_name(trusted: set[str]) -> None:
    """A topmost header without a server's name counts for the profile that says so, and for no other."""
    result = (
        "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=client.example; dkim=pass (signature was verified)"
        " header.d=client.example;dmarc=pass action=none header.from=client.example;compauth=pass reason=100"
    )
    assert authenticated(mail(result), trusted)
    assert not authenticated(mail(result), OURS)


def test_nothing_to_authenticate() -> None:
    """Without a readable From, without the header or without a trusted server the answer is no."""
    assert not authenticated(mail("mx.acme.example; dmarc=pass", sender="nobody"), OURS)
    assert not authenticated(mail(), OURS)
    assert not authenticated(mail("mx.acme.example; dmarc=pass"), set())
