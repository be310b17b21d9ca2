"""Mail written header by header for the tests of the table, and its verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mailml.autoreply import TextModel, judge
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Context, Identity, Thread, Verdict

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEY = b"k" * 32
US = Identity(
    addresses=frozenset({"support@acme.example", "billing@acme.example"}),
    domains=frozenset({"acme.example"}),
    lists=frozenset({"team@acme.example"}),
    web_forms=frozenset({"form@acme.example", "wordpress@www.acme.example"}),
    name="ACME Support",
)
JANE = "Jane <jane@customer.example>"
BODY = "The printer shows an error and nothing I do makes it stop. Can you help?"


def mail(*headers: str, body: str = BODY, sender: str = JANE, to: str = "support@acme.example") -> bytes:
    """A mail from a customer to us with these headers; one may replace From, To or Subject."""
    given = {header.partition(":")[0].strip().lower() for header in headers}
    base = [
        ("From", sender),
        ("To", to),
        ("Subject", "Printer on fire"),
        ("Message-ID", "<1@customer.example>"),
    ]
    lines = [f"{name}: {value}" for name, value in base if name.lower() not in given and value]
    return ("\r\n".join([*lines, *headers, "", body]) + "\r\n").encode()


def verdict(raw: bytes, *, identity: Identity = US, model: TextModel | None = None, **known: Any) -> Verdict:
    """The verdict on raw bytes; `known` sets fields of the thread or, for `loop_key`, of the context."""
    key = known.pop("loop_key", KEY)
    context = Context(received_at=NOW, now=NOW, thread=Thread(**known), loop_key=key)
    message = parse(raw)
    return judge(message, own_words(message), identity, context, model)


def report(kind: str, *headers: str, action: str = "failed", sender: str = "jane@customer.example") -> bytes:
    """A multipart/report of this report-type, about <original@acme.example>."""
    body = "\r\n".join(
        [
            "--b",
            "Content-Type: text/plain",
            "",
            "This is the mail system.",
            "--b",
            f"Content-Type: message/{'delivery-status' if kind == 'delivery-status' else 'feedback-report'}",
            "",
            "Reporting-MTA: dns; mx.example",
            "",
            "Final-Recipient: rfc822; gone@customer.example",
            f"Action: {action}",
            "Status: 5.1.1",
            "--b",
            "Content-Type: message/rfc822",
            "",
            "Message-ID: <original@acme.example>",
            "Subject: Your invoice",
            "",
            "Dear customer",
            "--b--",
        ]
    )
    content = f'Content-Type: multipart/report; report-type="{kind}"; boundary=b'
    return mail("MIME-Version: 1.0", content, *headers, body=body, sender=sender)
