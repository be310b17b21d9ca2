"""The whole decision: pure, total, with its trace, and acknowledged only where nothing speaks against it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.message import parse
from mailml.verdict import Context, Decision, Disposition, Kind, Reason, Thread
from tests.conftest import ROOT

MONDAY_TEN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # 10:00 in Berlin
OPENING = Context(received_at=MONDAY_TEN, now=MONDAY_TEN)
TRUSTED = "Authentication-Results: mx.acme.example; dmarc=pass header.from={domain}\r\n"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The frozen bundle: the default flow, Berlin office hours, a classifier of a few words."""
    return Bundle.load(ROOT / "tests" / "bundles" / "v1")


def mail(
    subject: str = "A question",
    sender: str = "ann@customer.example",
    body: str = "Where do I find my settings?",
    *,
    head: str = "",
) -> bytes:
    """A plain mail to the desk."""
    lines = (
        f"From: {sender}",
        "To: support@acme.example",
        f"Subject: {subject}",
        "Message-ID: <1@customer.example>",
    )
    return (head + "\r\n".join(lines) + f"\r\n\r\n{body}\r\n").encode()


def test_urgent_mail_goes_first(bundle: Bundle) -> None:
    """The guide's first rule: "[URGENT]" in the subject is Priority Support, ten minutes ahead."""
    decision = decide(mail("[URGENT] shop is down"), bundle, OPENING)
    assert (decision.queue, decision.priority, decision.rule) == ("Priority Support", 10, "urgent")
    assert [(row.rule, row.hit) for row in decision.trace] == [("urgent", True)]


def test_an_enterprise_domain_counts_only_when_genuine(bundle: Bundle) -> None:
    """The enterprise rule hits when our own server vouches for the domain, and not for a forged From."""
    raw = mail(sender="cto@enterprise-client.com")
    genuine = TRUSTED.format(domain="enterprise-client.com").encode() + raw
    assert decide(genuine, bundle, OPENING).queue == "Enterprise Support"
    assert decide(raw, bundle, OPENING).queue != "Enterprise Support"


def test_the_category_chooses_the_queue(bundle: Bundle) -> None:
    """Where the classifier is sure of billing, the billing rule hits, with the words that decided."""
    decision = decide(mail("invoice invoice", body="invoice invoice invoice"), bundle, OPENING)
    assert decision.queue == "Billing"
    assert decision.category is not None
    assert decision.category.label == "billing"
    assert decision.category.words


def test_the_classifier_is_asked_only_when_a_rule_wants_to_know(bundle: Bundle) -> None:
    """A mail that an earlier rule places is not classified."""
    assert decide(mail("[URGENT] invoice"), bundle, OPENING).category is None


def test_an_automatic_reply_is_filed_and_never_answered(bundle: Bundle) -> None:
    """Mail with Auto-Submitted: auto-replied is filed on its interaction, without queue, ack or due time."""
    decision = decide(mail("Out of office", head="Auto-Submitted: auto-replied\r\n"), bundle, OPENING)
    assert (decision.kind, decision.disposition) == (Kind.AUTO_REPLY, Disposition.FILE)
    assert (decision.queue, decision.due, decision.ack.send) == ("", None, False)
    assert decision.ack.reason is Reason.AUTO_REPLY
    assert decision.folder


def test_due_adds_business_time(bundle: Bundle) -> None:
    """Four business hours from Monday 10:00 in Berlin are Monday 14:00 in Berlin."""
    due = decide(mail(), bundle, OPENING).due
    assert due is not None
    assert due.at == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert sum(step.minutes for step in due.steps) == due.minutes == 240


def test_a_customer_gets_an_acknowledgement(bundle: Bundle) -> None:
    """A person who opens an interaction is acknowledged; a stranger's subject is not echoed."""
    ack = decide(mail(), bundle, OPENING).ack
    assert (ack.send, ack.to, ack.echo_subject) == (True, "ann@customer.example", False)
    genuine = TRUSTED.format(domain="customer.example").encode() + mail()
    assert decide(genuine, bundle, OPENING).ack.echo_subject


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Context(MONDAY_TEN, MONDAY_TEN + timedelta(days=2)), Reason.TOO_OLD),
        (
            Context(MONDAY_TEN, MONDAY_TEN, thread=Thread("K7Q2-AAAA", "references", acked=True)),
            Reason.ALREADY_ACKED,
        ),
        (
            Context(MONDAY_TEN, MONDAY_TEN, thread=Thread("K7Q2-AAAA", "references", answered=True)),
            Reason.ANSWERED,
        ),
        (Context(MONDAY_TEN, MONDAY_TEN, limit="address"), Reason.LIMIT),
    ],
)
def test_the_context_can_withhold_the_acknowledgement(
    bundle: Bundle, context: Context, reason: Reason
) -> None:
    """Old mail, an interaction acked or answered already, and the loop breaker withhold it, and say so."""
    ack = decide(mail(), bundle, context).ack
    assert (ack.send, ack.reason) == (False, reason)


def test_only_the_opening_mail_starts_the_clock(bundle: Bundle) -> None:
    """A second mail of an interaction has no due time of its own."""
    context = Context(MONDAY_TEN, MONDAY_TEN, thread=Thread("K7Q2-AAAA", "references"))
    assert decide(mail(), bundle, context).due is None


def test_the_same_input_is_the_same_bytes(bundle: Bundle) -> None:
    """Raw bytes or a parsed message, now or again: the canonical JSON does not differ by a byte."""
    raw = mail("Rechnung für März", body="Bitte prüfen Sie die invoice, danke 🙂")
    first = decide(raw, bundle, OPENING).to_json()
    assert decide(parse(raw), Bundle.load(bundle.path), OPENING).to_json() == first
    assert json.loads(first)["message"] == parse(raw).sha256


@pytest.mark.parametrize(
    "raw", [b"", b"\x00" * 100, b"no header at all", b"Subject: =?x?q?=\xff?=\r\n\r\n\xff\xfe", b"\r\n\r\n"]
)
def test_whatever_comes_is_decided(bundle: Bundle, raw: bytes) -> None:
    """Bytes that are hardly a mail still end in one decision, and are not answered without a sender."""
    decision = decide(raw, bundle, OPENING)
    assert isinstance(decision, Decision)
    assert not decision.ack.send


@pytest.mark.slow
def test_real_mail_is_decided(bundle: Bundle, shared: Path) -> None:
    """Every real and malformed message ends in a queue or a folder, and is never acked when filed."""
    files = sorted((shared / "mail").glob("*/*.eml"))
    assert len(files) > 1300
    for file in files:
        decision = decide(file.read_bytes(), bundle, OPENING)
        assert bool(decision.queue) != bool(decision.folder), file.name
        assert not (decision.folder and decision.ack.send), file.name
        json.loads(decision.to_json())
