"""Mail as it comes over the line: without our own server's traces, and some of it broken."""

from __future__ import annotations

import re
from datetime import datetime
from random import Random

from mailml.lab.sample.desk import ADDRESS, AUTHSERV
from mailml.lab.sample.hostile import MARKER
from mailml.lab.sample.mime import date_header

_OURS = re.compile(
    rb"(?im)^(?:return-path|delivered-to|authentication-results|received):"
    rb"[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*"
)


def as_sent_out(raw: bytes) -> bytes:
    """The mail without Return-Path, Delivered-To, Received and Authentication-Results."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    return _OURS.sub(b"", head + b"\r\n") + blank[2:] + body


def broken_mails(rng: Random, at: datetime) -> list[tuple[str, bytes]]:
    """Mails that no parser likes, by name. All are from people and must reach a queue."""
    head = (
        f"From: Mallory <mallory{{0}}@evil.test>\r\nTo: {ADDRESS}\r\nDate: {date_header(at)}\r\n"
        f"Message-ID: <{rng.getrandbits(64):x}.{{0}}@evil.test>\r\nSubject: {{1}}\r\n"
    )
    forged = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=evil.test\r\n\r\nRefund me"
    page = "Content-Type: text/html\r\n\r\n<p>My login does not work</p><script>1</script>"
    cut = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nMy invoice is wr"
    odd = (
        "Content-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64"
    )
    script = f'<img src=x onerror="window.{MARKER}=1">'
    no_colon = "this is no header\r\nX-After: it goes on\r\n\r\nThe export is empty."
    return [
        ("markup in the subject", (head.format(1, script) + page).encode()),
        ("cut in the middle", (head.format(2, "Wrong amount") + cut).encode()),
        ("unknown charset", (head.format(3, "=?klingon?q?nuqneH?=") + odd).encode()),
        ("line without a colon", (head.format(4, "Export") + no_colon).encode()),
        ("forged authentication", (head.format(5, "Refund") + forged).encode()),
        ("NUL and 8-bit", head.format(6, "Tel\x00efon").encode() + b"\r\nGr\xfc\xdfe\x00 aus M\xfcnchen"),
    ]
