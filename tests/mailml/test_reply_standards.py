"""The acknowledgement against RFC 3834 and RFC 5230, section by section, for any subject and any template."""

from __future__ import annotations

import email.header
import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.errors import TemplateError
from mailml.reply import ACK_MAIL_FROM, AckPolicy, preview
from mailml.verdict import Ack
from tests.mailml.judged import mail, report, verdict
from tests.mailml.test_reply import OURS, ack, customer_mail, read

# What the headers of an acknowledgement are, in order, and nothing else.
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Precedence", "X-Mailml-Loop", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding",
]  # fmt: skip
THREAD = ("References: <0@customer.example>", "In-Reply-To: <0@customer.example>")
SENT = read(ack(customer_mail("Printer on fire", "<1@customer.example>", *THREAD)))

COMPOSED: dict[str, Callable[[EmailMessage], bool]] = {
    "3834 3.1.1: From is the responder's own address": lambda m: "support@acme.example" in m["From"],
    "3834 3.1.2: no Reply-To that differs from From": lambda m: m["Reply-To"] is None,
    "3834 3.1.3: To is the one recipient": lambda m: m["To"] == "jane@customer.example",
    "3834 3.1.3: neither Cc nor Bcc": lambda m: m["Cc"] is None and m["Bcc"] is None,
    "3834 3.1.4: Date is when it was made": lambda m: m["Date"].startswith("Mon, 02 Mar 2026 10:00:00"),
    "3834 3.1.5: Subject says that it is automatic": lambda m: m["Subject"].startswith("Auto: "),
    "3834 3.1.5: Subject holds the original one": lambda m: m["Subject"].endswith(" Printer on fire"),
    "3834 3.1.6: In-Reply-To names the subject message": lambda m: m["In-Reply-To"] == "<1@customer.example>",
    "3834 3.1.6: References go on": lambda m: m["References"] == "<0@customer.example> <1@customer.example>",
    "3834 3.1.7: Auto-Submitted: auto-replied": lambda m: m["Auto-Submitted"] == "auto-replied",
    "3834 3.1.8: Precedence keeps older responders quiet": lambda m: m["Precedence"] == "bulk",
    "3834 3.2: text that a person reads": lambda m: m.get_content_type() == "text/plain",
    "3834 3.2: nothing of the subject message but its subject": lambda m: "Help!" not in m.get_content(),
    "3834 3.3: the null sender": lambda m: ACK_MAIL_FROM == "",
    "5230 5.2: Date stands once": lambda m: len(m.get_all("Date") or []) == 1,
    "5230 5.3: Auto: before the subject": lambda m: m["Subject"].startswith("Auto: "),
    "5230 5.6: Auto-Submitted in the form of RFC 3834": lambda m: m["Auto-Submitted"] == "auto-replied",
    "5230 5.7: UTF-8, and said so": lambda m: m.get_content_charset() == "utf-8",
    "5230 5.8: In-Reply-To and References": lambda m: bool(m["In-Reply-To"] and m["References"]),
    "MS-OXCMAIL 2.1.3.2.20: suppress All": lambda m: m["X-Auto-Response-Suppress"] == "All",
    "5322 3.6.4: a Message-ID of its own": lambda m: m["Message-ID"] == OURS,
    "ours: the signed mark against loops": lambda m: m["X-Mailml-Loop"] == OURS.strip("<>"),
}


@pytest.mark.parametrize("section", COMPOSED)
def test_the_acknowledgement_keeps_to(section: str) -> None:
    """What the section asks of the response holds for the bytes that are sent."""
    assert COMPOSED[section](SENT)


NEVER: dict[str, tuple[bytes, str]] = {
    "3834 2: Auto-Submitted other than no": (mail("Auto-Submitted: auto-generated"), "auto_generated"),
    "3834 2: the null sender": (mail("Return-Path: <>"), "auto_generated"),
    "3834 2: a delivery report": (report("delivery-status"), "bounce"),
    "3834 2: lists": (mail("List-Id: <x.example>"), "list_bulk"),
    "3834 2: Precedence": (mail("Precedence: list"), "list_bulk"),
    "5230 4.5: not addressed to us": (mail(to="other@else.example"), "not_addressed_to_us"),
    "5230 4.6: owner- senders": (mail(sender="owner-list@x.example"), "robot_sender"),
    "5230 4.6: -request senders": (mail(sender="list-request@x.example"), "robot_sender"),
    "5230 4.6: MAILER-DAEMON": (mail(sender="MAILER-DAEMON@x.example"), "auto_generated"),
    "5230 4.6: LISTSERV": (mail(sender="LISTSERV@x.example"), "robot_sender"),
    "5230 4.6: majordomo": (mail(sender="majordomo@x.example"), "robot_sender"),
    "5230 4.6: List-Help and its like": (mail("List-Help: <mailto:h@x.example>"), "list_bulk"),
    "5230 4.6: ourselves": (mail(sender="billing@acme.example"), "own_address"),
}


@pytest.mark.parametrize("section", NEVER)
def test_no_acknowledgement_goes_to(section: str) -> None:
    """What the section says must not be answered is not answered, for that reason."""
    raw, reason = NEVER[section]
    found = verdict(raw)
    assert not found.ack_allowed
    assert found.ack_reason is not None
    assert found.ack_reason.value == reason


SUBJECTS = st.text(max_size=600) | st.text("日本語Ωß€😀 \r\n\t\u202e", min_size=1, max_size=300)


@given(SUBJECTS, SUBJECTS)
@settings(max_examples=150, deadline=None)
def test_no_words_of_a_customer_change_the_headers(subject: str, name: str) -> None:
    """Whatever subject and name hold: the same fourteen fields, in lines of ASCII that fit."""
    encoded = email.header.Header(subject.encode("utf-8", "replace").decode(), "utf-8", maxlinelen=900)
    raw = ack(customer_mail(encoded.encode(linesep="\r\n").replace("\r\n", "\r\n ")), customer_name=name)
    head, _, body = raw.partition(b"\r\n\r\n")
    found = read(raw)
    assert list(found.keys()) == HEADERS
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", head)
    assert str(found["Subject"]).startswith("Auto: ")
    assert b"jane@customer.example" not in body


@pytest.mark.parametrize(
    "subject",
    [
        "ä" * 1000,
        "日本語の件名" * 100,
        "😀" * 500,
        "a" * 5000,
        "Ünïcödé and a very long tail " * 40,
        "عربي " * 200,
    ],
    ids=["latin", "japanese", "emoji", "one word", "mixed", "arabic"],
)
def test_long_and_foreign_subjects_are_cut_in_whole_characters(subject: str) -> None:
    """The subject that arrives is a beginning of the one that was written, with an ellipsis."""
    found = str(read(ack(customer_mail(subject)))["Subject"])
    told = found.removeprefix("Auto: [#K7Q2-9M4D] ")
    assert told.endswith("…")
    assert " ".join(subject.split()).startswith(told[:-1].rstrip())
    assert len(found) <= 400


@pytest.mark.parametrize(
    "body",
    [
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ subject.format(x=1) }}",
        "{{ subject['__class__'] }}",
        "{{ subject|attr('__class__') }}",
        "{{ subject.__init__.__globals__ }}",
        "{{ customer|attr('name') }}",
        "{{ interaction.__class__.__base__.__subclasses__() }}",
        "{{ lipsum.__globals__.os.popen('id').read() }}",
        "{{ range(999999999)|list }}",
        "{{ namespace(a=1) }}",
        "{{ joiner.__init__ }}",
        "{{ get_flashed_messages.__globals__ }}",
        "{{ config }}",
        "{{ [].__class__ }}",
        "{{ ().__class__.__bases__[0] }}",
        "{{ {}.items }}",
        "{{ 9**9**9 }}",
        "{{ 'a'|center(1000000000) }}",
        "{{ 'a'.join('b') }}",
        "{{ subject|map('upper') }}",
        "{{ subject|replace('a', 'b') }}",
        "{{ subject|safe }}",
        "{% set x = subject %}",
        "{% with a = subject %}{{ a }}{% endwith %}",
        "{% import 'os' as os %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% block a %}{% endblock %}",
        "{% call x() %}{% endcall %}",
        "{% filter upper %}x{% endfilter %}",
        "{% autoescape false %}x{% endautoescape %}",
        "{% raw %}{{ x }}{% endraw %}{{ loop.index }}",
        "{{ subject if subject is callable else subject }}",
        "{{ subject[0:1] }}",
        "{{ 'x' ~ ('y' % ()) }}",
        "{{ caller() }}",
    ],
)
def test_no_template_reaches_out_of_its_sandbox(body: str) -> None:
    """Attributes, calls, subscripts, loops, arithmetic and imports are refused when the policy is loaded."""
    with pytest.raises(TemplateError):
        AckPolicy(body=body)
    with pytest.raises(TemplateError):
        AckPolicy(subject=body)


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_a_customers_words_are_never_a_template(words: str) -> None:
    """What looks like a template in a subject or a name arrives as it stands: nothing is rendered twice."""
    subject = "{{ interaction.reference }}{% raw %}" + words
    shown = preview(AckPolicy(), subject=subject, customer_name="{{ subject }}")
    assert "{{ interaction.reference }}{% raw %}" in shown.subject
    assert "{{ subject }}" in shown.body


@given(st.text("<>&\"'ax=/ ", max_size=80))
@settings(max_examples=100, deadline=None)
def test_where_an_acknowledgement_becomes_html_everything_is_escaped(words: str) -> None:
    """The notebook's preview is the one place with HTML: no tag of a customer's survives there."""
    html = preview(AckPolicy(), subject=f"<script>{words}", customer_name="Jane")._repr_html_()
    tags = re.compile(r"<(/?[a-z]+)( class='mathjax_ignore')?>")
    assert [found[1] for found in tags.finditer(html)] == ["b", "/b", "pre", "/pre"]
    assert not set("<>\"'") & set(tags.sub("", html))


def test_an_acknowledgement_is_plain_text_only() -> None:
    """Nothing is sent as HTML, so that nothing of a customer's can be markup in the mail."""
    raw = ack(customer_mail("<img src=x onerror=alert(1)>"), customer_name="<b>Jane</b>")
    assert read(raw).get_content_type() == "text/plain"
    assert not read(raw).is_multipart()


def test_exactly_one_recipient() -> None:
    """An address list in the decision is refused, not sent to."""
    from mailml.errors import InputError

    with pytest.raises(InputError):
        ack(decision_ack=Ack(send=True, to="a@b.example, c@d.example", echo_subject=True))
