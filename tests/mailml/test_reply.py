"""The acknowledgement that cannot loop or carry payload, its policy and templates, and an agent's reply."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from mailml.autoreply import judge
from mailml.errors import ConfigError, InputError, TemplateError
from mailml.message import parse
from mailml.reply import ACK_MAIL_FROM, AckPolicy, Words, compose_ack, compose_reply, preview
from mailml.reply.headers import text_field
from mailml.text import own_words
from mailml.thread import own_message_id
from mailml.verdict import Ack, Context, Identity, Kind

KEY = b"k" * 32
REFERENCE = "K7Q2-9M4D"
OURS = own_message_id(REFERENCE, 1, "acme.example", KEY)
DATE = datetime(2026, 3, 2, 10, tzinfo=UTC)
US = Identity(addresses=frozenset({"support@acme.example"}), name='ACME "Support"')
ECHO = Ack(send=True, to="jane@customer.example", echo_subject=True)
FIXED = Ack(send=True, to="jane@customer.example", echo_subject=False)


def customer_mail(
    subject: str = "Printer on fire", message_id: str = "<1@customer.example>", *more: str
) -> bytes:
    """A customer's mail with this subject as raw UTF-8."""
    lines = ["From: Jane <jane@customer.example>", f"Subject: {subject}", f"Message-ID: {message_id}", *more]
    return ("\r\n".join([*lines, "", "Help!"])).encode("utf-8", "surrogateescape")


def ack(raw: bytes | None = None, **changes: Any) -> bytes:
    """An acknowledgement with these arguments changed."""
    arguments: dict[str, Any] = {
        "message": parse(customer_mail() if raw is None else raw),
        "decision_ack": ECHO,
        "reference": REFERENCE,
        "message_id": OURS,
        "identity": US,
        "policy": AckPolicy(),
        "sla_target": "4 business hours",
        "customer_name": "Jane Doe",
        "loop_token": OURS,
        "date": DATE,
    }
    return compose_ack(**(arguments | changes))


def read(raw: bytes) -> EmailMessage:
    """The mail as the standard library reads it, an independent witness."""
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def words_of(raw: bytes) -> str:
    """The text as a person reads it."""
    return str(read(raw).get_content()).replace("\r\n", "\n")


def test_the_acknowledgement_carries_every_mark_against_loops() -> None:
    """RFC 3834, RFC 5230 and MS-OXCMAIL marks, our signed ids, one recipient, and the null sender."""
    found = read(ack())
    assert found["Auto-Submitted"] == "auto-replied"
    assert found["X-Auto-Response-Suppress"] == "All"
    assert found["Precedence"] == "bulk"
    assert found["Message-ID"] == OURS
    assert found["X-Mailml-Loop"] == OURS.strip("<>")
    assert found["In-Reply-To"] == found["References"] == "<1@customer.example>"
    assert [found["To"], found["Cc"], found["Bcc"]] == ["jane@customer.example", None, None]
    assert found["From"].addresses[0].addr_spec == "support@acme.example"
    assert found["From"].addresses[0].display_name == 'ACME "Support"'
    assert found.get_content_type() == "text/plain"
    assert ACK_MAIL_FROM == ""


def test_the_default_words_thank_name_the_reference_and_the_target() -> None:
    """Thanks, the reference number, "We aim to respond within 4 business hours", The Support Team."""
    found = read(ack())
    assert found["Subject"] == "Auto: [#K7Q2-9M4D] Printer on fire"
    words = " ".join(found.get_content().split())
    for part in (
        "Hello Jane Doe,",
        "thank you for contacting us",
        "reference number #K7Q2-9M4D",
        "We aim to respond within 4 business hours.",
        "The Support Team",
    ):
        assert part in words
    assert "Help!" not in words


def test_strangers_get_nothing_of_theirs_back() -> None:
    """Without an echo neither subject nor name returns: nobody can bomb a third party through us."""
    raw = ack(
        customer_mail("BUY PILLS http://evil.example"), decision_ack=FIXED, customer_name="Visit evil.example"
    )
    assert b"PILLS" not in raw
    assert b"evil" not in raw
    assert read(raw)["Subject"] == "Auto: [#K7Q2-9M4D] We have received your message"
    assert words_of(raw).startswith("Hello,")


@pytest.mark.parametrize(
    "name", ["http://evil.example", "a@b.example", "www.evil.example", "x" * 70, "<b>Jane</b>"]
)
def test_a_name_that_is_payload_is_left_out(name: str) -> None:
    """A display name with a link, an address or markup, or of any length, is not greeted."""
    assert words_of(ack(customer_name=name)).startswith("Hello,\n")


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?x=0D=0ABcc=3A_victim=40else.example=0D=0A=0D=0Abody?=",
        "=?utf-8?b?eA0KQmNjOiB2aWN0aW1AZWxzZS5leGFtcGxl?=",
        "x\x00\x0b\x0c\x85 Bcc: victim@else.example",
        "x\u2028Bcc: victim@else.example\u202e",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3F=0D=0ABcc=3A_victim=3F=3D?=",
    ],
)
def test_no_subject_can_start_another_header(subject: str) -> None:
    """Header injection is impossible, plain or encoded, also through the name."""
    raw = ack(customer_mail(subject), customer_name="Jane\r\nBcc: victim@else.example")
    found = read(raw)
    assert found["Bcc"] is None
    assert found["To"] == "jane@customer.example"
    assert [line for line in raw.split(b"\r\n") if line.lower().startswith(b"bcc")] == []
    assert sum(line.startswith(b"Subject:") for line in raw.split(b"\r\n")) == 1


@pytest.mark.parametrize(
    "subject",
    [
        "Überweisung für März — größer als gedacht",
        "請求書が二重に請求されています " * 8,
        "Ελληνικά και עברית and 🎉🎉🎉 " * 5,
        "a very long subject of plain words that goes on and on and on, past the end of any line " * 3,
        "w" * 300,
        "already encoded =?utf-8?q?x?= inside",
    ],
)
def test_long_and_foreign_subjects_come_out_right(subject: str) -> None:
    """RFC 2047 and folding: every line short enough, and any reader sees the same words."""
    raw = ack(decision_ack=ECHO, message=parse(customer_mail(subject)))
    shown = f"Auto: [#K7Q2-9M4D] {parse(customer_mail(subject)).subject}"
    assert parse(raw).subject == " ".join(shown.split())
    assert read(raw)["Subject"] == " ".join(shown.split())
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 330


def test_encoded_lines_keep_to_the_limit_of_rfc_2047() -> None:
    """No encoded word over 75 characters, no line over 76, no character cut in two."""
    for line in text_field("Subject", "日本語のとても長い件名" * 20).split("\r\n"):
        assert len(line) <= 76
        for word in line.removeprefix("Subject:").split():
            assert len(word) <= 75
            assert parse(f"Subject: {word}\r\n\r\n".encode()).subject.count("\ufffd") == 0


def test_an_endless_subject_is_cut_with_an_ellipsis() -> None:
    """400 characters of a subject are enough for anybody."""
    shown = parse(ack(customer_mail("word " * 5000))).subject
    assert shown.endswith("…")
    assert len(shown) <= 401


def test_the_same_arguments_give_the_same_bytes() -> None:
    """A retry sends the very same mail, with CRLF throughout."""
    assert ack() == ack()
    assert b"\n" not in ack().replace(b"\r\n", b"")
    assert b"\r" not in ack().replace(b"\r\n", b"")


def test_our_own_acknowledgement_is_known_as_a_loop() -> None:
    """What we send comes back as row 1, and as an automatic reply where the key is not known."""
    message = parse(ack())
    for key, kind in ((KEY, Kind.OWN_LOOP), (b"another", Kind.AUTO_REPLY)):
        context = Context(received_at=DATE, now=DATE, loop_key=key)
        found = judge(message, own_words(message), Identity(), context)
        assert found.kind is kind
        assert not found.ack_allowed


@pytest.mark.parametrize("message_id", ["", "<>", "<a b@c>", "<a@b>\x00<evil>", "<\u00fc@b>", "nonsense"])
def test_a_message_id_that_could_smuggle_something_is_not_answered_to(message_id: str) -> None:
    """In-Reply-To and References hold only ids that are printable ASCII in brackets."""
    found = read(ack(customer_mail(message_id=message_id)))
    for value in (found["In-Reply-To"], found["References"]):
        assert value is None or all(part.startswith("<") and part.isascii() for part in value.split())


def test_long_threads_are_cut_in_the_middle() -> None:
    """RFC 5322 3.6.4: the first and the last references stay."""
    chain = " ".join(f"<{n}@customer.example>" for n in range(300))
    kept = read(ack(customer_mail("x", "<last@customer.example>", f"References: {chain}")))[
        "References"
    ].split()
    assert len(kept) <= 21
    assert kept[0] == "<0@customer.example>"
    assert kept[-2:] == ["<299@customer.example>", "<last@customer.example>"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"decision_ack": Ack(send=True, to="a@b.example, c@d.example")}, "address"),
        ({"decision_ack": Ack(send=True, to="a@b.example\r\nBcc: c@d.example")}, "address"),
        ({"decision_ack": Ack(send=True, to="")}, "address"),
        ({"message_id": "<x@y>\r\nBcc: c@d.example"}, "Message-ID"),
        ({"loop_token": "x y"}, "loop token"),
        ({"identity": Identity()}, "no address of its own"),
        ({"date": datetime(2026, 3, 2)}, "time zone"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_a_sentence(changes: dict[str, Any], word: str) -> None:
    """Exactly one plain recipient, a real Message-ID and token, an address of ours, an aware date."""
    with pytest.raises(InputError, match=word) as caught:
        ack(**changes)
    assert caught.value.cure


def test_a_foreign_domain_is_written_in_ascii() -> None:
    """The recipient's domain is IDNA-encoded (RFC 5890)."""
    found = ack(decision_ack=Ack(send=True, to="jane@bücher.example"))
    assert b"To: jane@xn--bcher-kva.example\r\n" in found


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{{ interaction.reference", "not a template"),
        ("{{ interaction.ref }}", '"interaction.ref" is not known'),
        ("{{ secret }}", '"secret" is not known'),
        ("{{ customer.name.__class__ }}", "not known"),
        ("{{ ''.__class__.__mro__ }}", "not known"),
        ("{% for n in range(10) %}x{% endfor %}", '"for" is not allowed'),
        ("{{ 'x' * 1000000000 }}", '"mul" is not allowed'),
        ("{{ cycler('a') }}", "not allowed"),
        ("{% include 'x' %}", '"include" is not allowed'),
        ("{% macro a() %}{% endmacro %}", '"macro" is not allowed'),
        ("{{ subject | attr('x') }}", 'filter "attr" is not known'),
        ("{{ subject | truncate(leeway=1, length='a') }}", "cannot be rendered"),
        ("", "empty"),
        ("x" * 20_001, "20001 characters"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deep"),
    ],
)
def test_bad_templates_are_refused_when_they_are_loaded(body: str, what: str) -> None:
    """A template that could fail, hang or reach inside is refused with what is wrong and where."""
    with pytest.raises(TemplateError) as caught:
        AckPolicy(body=body)
    assert what in str(caught.value)
    assert str(caught.value).startswith("body")


def test_a_template_says_the_line_that_is_wrong() -> None:
    """The fault names its line."""
    with pytest.raises(TemplateError, match="body, line 3"):
        AckPolicy(body="Hello\n\n{{ nope }}")


def test_templates_may_use_conditions_and_filters() -> None:
    """Text, the five values, conditions and a few filters."""
    policy = AckPolicy(
        subject="{{ subject | upper }}",
        body="{% if sla.target %}In {{ sla.target }}{% else %}Soon{% endif %}",
    )
    assert read(ack(policy=policy))["Subject"] == "PRINTER ON FIRE"
    assert words_of(ack(policy=policy)) == "In 4 business hours\n"
    assert words_of(ack(policy=policy, sla_target="")) == "Soon\n"


def test_a_rule_may_choose_other_words_by_name() -> None:
    """A template named by a rule is used; an unknown name falls back to the desk's own."""
    policy = AckPolicy(templates={"vip": Words("VIP {{ subject }}", "At once.")})
    vip = Ack(send=True, to="jane@customer.example", template="vip", echo_subject=True)
    assert read(ack(policy=policy, decision_ack=vip))["Subject"] == "VIP Printer on fire"
    assert policy.words("unknown") == policy.words()


def test_a_policy_round_trips_through_its_settings() -> None:
    """to_mapping and from_mapping are inverse, also with named templates."""
    policy = AckPolicy(
        enabled=False,
        unauthenticated="none",
        cut_off_hours=12,
        templates={"vip": Words("VIP", "At once.")},
    )
    assert AckPolicy.from_mapping(policy.to_mapping()) == policy
    assert AckPolicy.from_mapping({}) == AckPolicy()


def test_all_faults_of_the_settings_are_told_at_once() -> None:
    """Seven mistakes, seven faults, each with its key and what was probably meant."""
    settings = {
        "enable": True,
        "enabled": "yes",
        "body": "{{ nope }}",
        "unauthenticated": "all",
        "cut_off_hours": -1,
        "templates": {"vip": {"text": "x"}},
        "subject": 3,
    }
    with pytest.raises(ConfigError) as caught:
        AckPolicy.from_mapping(settings, where="ack")
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == 7
    assert 'Did you mean "enabled"?' in told[0]
    for key, sentence in zip(settings, told, strict=True):
        assert sentence.startswith(f"ack.{key}"), sentence


def test_the_preview_shows_hostile_words_escaped() -> None:
    """A notebook shows the acknowledgement as text, whatever a customer's subject holds."""
    shown = preview(AckPolicy(), subject="<img src=x onerror=alert(1)>")
    assert "<img" not in shown._repr_html_()
    assert "&lt;img" in shown._repr_html_()
    assert (
        preview(AckPolicy(), echo_subject=False).subject == "Auto: [#K7Q2-9M4D] We have received your message"
    )


def reply(raw: bytes | None = None, **changes: Any) -> bytes:
    """An agent's reply with these arguments changed."""
    arguments: dict[str, Any] = {
        "message": parse(customer_mail() if raw is None else raw),
        "to": "jane@customer.example",
        "reference": REFERENCE,
        "message_id": own_message_id(REFERENCE, 2, "acme.example", KEY),
        "identity": US,
        "body": "Dear Jane,\n\nplease switch it off.\n",
        "date": DATE,
    }
    return compose_reply(**(arguments | changes))


def test_an_agents_reply_carries_no_automatic_mark() -> None:
    """A person wrote it: corporate From and Reply-To, the customer's thread, and nothing else."""
    found = read(reply(agent_name="Max Müller", cc=["boss@customer.example", "b@c.example"]))
    for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Mailml-Loop"):
        assert found[name] is None
    assert found["From"].addresses[0].addr_spec == "support@acme.example"
    assert "Max Müller" in found["From"].addresses[0].display_name
    assert found["Reply-To"].addresses[0].addr_spec == "support@acme.example"
    assert [address.addr_spec for address in found["Cc"].addresses] == [
        "boss@customer.example",
        "b@c.example",
    ]
    assert found["In-Reply-To"] == "<1@customer.example>"
    assert found.get_content().splitlines()[0] == "Dear Jane,"


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Printer on fire", "Re: [#K7Q2-9M4D] Printer on fire"),
        ("Re: AW: Printer on fire", "Re: [#K7Q2-9M4D] Printer on fire"),
        ("Re: [#K7Q2-9M4D] Printer on fire", "Re: [#K7Q2-9M4D] Printer on fire"),
        ("", "Re: [#K7Q2-9M4D]"),
    ],
)
def test_a_reply_names_the_reference_once(subject: str, shown: str) -> None:
    """One "Re:" and one reference, however many came in."""
    assert read(reply(customer_mail(subject)))["Subject"] == shown


def test_an_agents_words_arrive_whole() -> None:
    """Long lines, other scripts, dots and a NUL: quoted-printable, CRLF, nothing lost but the NUL."""
    body = "Größe: " + "x" * 2000 + "\n.\n..\nFrom here\r\n日本語\x00\n"
    raw = reply(body=body)
    assert max(map(len, raw.split(b"\r\n"))) <= 330
    assert words_of(raw) == body.replace("\x00", "").replace("\r\n", "\n")
