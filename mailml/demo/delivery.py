"""What a mail server adds to a mail it takes: where it went, when, and what it thinks of the sender."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime

from mailml.lab.sample.desk import AUTHSERV

_HEADER_END = re.compile(rb"\r?\n(?=\r?\n)")
_FROM = re.compile(rb"(?im)^from:[^\r\n]*?@([a-z0-9.-]+)")
# RFC 8601 section 5: results that claim to be ours and came from outside are removed.
_FORGED = re.compile(rb"(?im)^authentication-results:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*")


def as_delivered(raw: bytes, sender: str, recipient: str, now: datetime) -> bytes:
    """The mail as it lies in the desk's INBOX."""
    end = _HEADER_END.search(raw)
    head, rest = (raw[: end.end()], raw[end.end() :]) if end else (raw, b"")
    added = (
        f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
        f"Received: from [127.0.0.1] by {AUTHSERV} with ESMTP;\r\n\t{format_datetime(now)}\r\n"
        f"Authentication-Results: {results(head, sender)}\r\n"
    )
    return added.encode("utf-8", "replace") + _FORGED.sub(b"", head) + rest


def results(head: bytes, sender: str) -> str:
    """What our server says of the sender: the stand-in for DMARC is that MAIL FROM's domain is From's."""
    found = _FROM.search(head)
    shown = found[1].decode("ascii", "replace").lower() if found else ""
    domain = sender.rpartition("@")[2].lower()
    if not domain:
        return f"{AUTHSERV}; spf=none; dmarc=none header.from={shown}"
    said = "pass" if domain == shown else "fail"
    return f"{AUTHSERV}; spf=pass smtp.mailfrom={domain}; dmarc={said} header.from={shown}"


def as_sent(raw: bytes, sender: str, recipient: str) -> bytes:
    """The mail as it left: its envelope is noted on top."""
    return f"X-Envelope-From: <{sender}>\r\nX-Envelope-To: {recipient}\r\n".encode("utf-8", "replace") + raw
