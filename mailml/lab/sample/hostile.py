"""Mails that attack whoever reads them: markup in subjects, header injection, broken and bloated MIME.

Nothing in them does harm by itself: each tries one door, and a marker says whether it was open.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from mailml.lab.sample.desk import ADDRESS
from mailml.lab.sample.envelope import message_id
from mailml.lab.sample.mime import date_header
from mailml.lab.sample.record import SampleMessage, record

MARKER = "mailmlHostile"
_SCRIPT = f'<img src=x onerror="window.{MARKER}=1">'
_SUBJECTS = (
    _SCRIPT,
    f"<script>window.{MARKER}=1</script>",
    f"</td></tr></table><svg onload=window.{MARKER}=1>",
    f"[click](javascript:window.{MARKER}=1) **bold** `code`",
    f"=?utf-8?q?=0D=0ABcc:_victim@example.test=0D=0AX-{MARKER}:_1?=",
    "\u202egnp.exe reversed \u202c\u200b\u2066",
    '"; DROP TABLE messages; --',
    "{{ 7*7 }} ${7*7} {% include 'secret' %} for $9",
    "=cmd|' /C calc'!A1",
    "a" * 4000,
    "\u0000NUL and \u0007bell",
    "[URGENT] " + _SCRIPT,
)


def attacks(rng: Random, end: datetime) -> list[SampleMessage]:
    """Every attack once, in the last week before `end`, in INBOX and the queues."""
    raws = [_subject(rng, end, subject) for subject in _SUBJECTS]
    raws += [
        make(rng, end)
        for make in (_name, _nested, _many_parts, _no_end, _bad_charset, _no_colon, _cids, _bare)
    ]
    return [
        record(
            ("INBOX", "Queues/General Support")[number % 2],
            raw,
            end - timedelta(hours=5 * number + 1),
            (),
            thread=f"h{number:05d}",
            topic="hostile",
            role="customer",
            shape="hostile",
            turn="opening",
            opens=True,
            language="en",
            category="general",
            ack=True,
            customer="mallory@evil.test",
        )
        for number, raw in enumerate(raws)
    ]


def _head(rng: Random, at: datetime, subject: str, sender: str = "Mallory <mallory@evil.test>") -> str:
    return (
        f"Return-Path: <mallory@evil.test>\r\nFrom: {sender}\r\nTo: {ADDRESS}\r\nSubject: {subject}\r\n"
        f"Date: {date_header(at)}\r\nMessage-ID: {message_id(rng, 'evil.test')}\r\nMIME-Version: 1.0\r\n"
    )


def _subject(rng: Random, at: datetime, subject: str) -> bytes:
    body = (
        f"<p>Hello {_SCRIPT}</p><iframe src=javascript:window.{MARKER}=1></iframe><form action=//evil.test>"
    )
    head = _head(rng, at, subject)
    return (head + "Content-Type: text/html; charset=utf-8\r\n\r\n" + body).encode("utf-8", "replace")


def _name(rng: Random, at: datetime) -> bytes:
    sender = '"<b onmouseover=alert(1)>Acme Support</b>" <mallory@evil.test>'
    text = (
        'Content-Disposition: attachment; filename="../../etc/passwd<script>.html"\r\n\r\n<script>1</script>'
    )
    return (_head(rng, at, "Your payment", sender) + "Content-Type: text/html\r\n" + text).encode()


def _nested(rng: Random, at: datetime) -> bytes:
    """Multiparts inside multiparts, far over every sane depth."""
    body = "".join(f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(400))
    return (_head(rng, at, "Nested") + "Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + body).encode()


def _many_parts(rng: Random, at: datetime) -> bytes:
    parts = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 3000
    return (
        _head(rng, at, "Many parts") + f"Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--"
    ).encode()


def _no_end(rng: Random, at: datetime) -> bytes:
    body = "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!not base64===\r\n"
    return (
        _head(rng, at, "No end") + "Content-Type: multipart/alternative; boundary=b\r\n\r\n" + body
    ).encode()


def _bad_charset(rng: Random, at: datetime) -> bytes:
    head = _head(rng, at, "=?x-unknown?b?////?= =?utf-8?q?=FF=FE?=")
    return head.encode() + b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe\x00 h\xe9llo \x80"


def _no_colon(rng: Random, at: datetime) -> bytes:
    head = _head(rng, at, "A line without a colon")
    return (
        head + "this line is no header\r\nX-After: it goes on\r\n\r\nHello, my invoice is wrong."
    ).encode()


def _cids(rng: Random, at: datetime) -> bytes:
    """Remote pictures and trackers that a reader must not fetch."""
    body = '<img src="http://tracker.evil.test/p.gif"><link rel=stylesheet href=//evil.test/x.css>'
    return (_head(rng, at, "Tracked") + "Content-Type: text/html\r\n\r\n" + body).encode()


def _bare(rng: Random, at: datetime) -> bytes:
    """No headers worth the name."""
    return b"\r\njust a body, no header at all\r\n" + f"{rng.getrandbits(32):x} {at:%H}".encode()
