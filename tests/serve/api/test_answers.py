"""What the API answers is what the worker would decide, in flat JSON."""

from __future__ import annotations

import base64
import json

import pytest

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Context
from serve.api import answers
from serve.api.models import DecideAsked
from serve.instants import to_datetime
from tests.serve.api.running import Api
from tests.serve.service import US, mail

NOW = to_datetime(1_772_445_600_000)  # Monday 2 March 2026, 10:00 UTC


def flat(value: dict[str, object]) -> bool:
    """Whether a data action can read it: one level, texts, numbers and truth values."""
    return all(isinstance(item, (str, int, float, bool)) for item in value.values())


def test_a_text_is_classified(api: Api) -> None:
    """The category with its probability and the words that spoke for it, and the bundle that said so."""
    told = api.good("/v1/classify", subject="Question", text="My invoice is wrong, the invoice!")
    assert (told["category"], told["abstained"]) == ("billing", False)
    assert isinstance(told["probability"], float)
    assert told["probability"] > 0.9
    assert "invoice" in str(told["words"])
    assert told["bundle"] == api.bundles.current.id
    assert flat(told)


def test_html_and_quotes_are_read_as_the_worker_reads_them(api: Api) -> None:
    """Only the customer's own words count: what is quoted below them says nothing."""
    text = "I cannot login\n\nOn Monday, Support wrote:\n> your invoice\n> the invoice\n> an invoice"
    assert api.good("/v1/classify", text=text)["category"] == "technical"
    assert api.good("/v1/classify", html="<p>cannot <b>login</b>, login</p>")["category"] == "technical"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"from": "Ann <ann@customer.example>", "to": US, "subject": "Help"}, "human"),
        ({"from": "a@customer.example", "auto_submitted": "auto-replied", "subject": "Re: x"}, "auto_reply"),
        ({"headers": "From: a@b.example\r\nAuto-Submitted: auto-replied\r\nSubject: Out\r\n"}, "auto_reply"),
        (
            {
                "from": "MAILER-DAEMON@mx.example",
                "return_path": "<>",
                "subject": "Delivery Status Notification (Failure)",
                "content_type": "multipart/report; report-type=delivery-status",
            },
            "bounce",
        ),
    ],
)
def test_headers_are_judged(api: Api, fields: dict[str, str], kind: str) -> None:
    """The kind, whether a machine wrote it, and the first evidence."""
    told = api.good("/v1/headers", **fields)
    assert told["kind"] == kind
    assert told["automated"] is (kind != "human")
    assert bool(told["evidence"]) is (kind != "human")
    assert flat(told)


def test_suppressed_people_are_people(api: Api) -> None:
    """X-Auto-Response-Suppress on a person's mail withholds the acknowledgement and discards nothing."""
    told = api.good(
        "/v1/headers", **{"from": "a@customer.example", "to": US, "x_auto_response_suppress": "All"}
    )
    assert (told["kind"], told["disposition"]) == ("human", "deliver")
    assert (told["ack_allowed"], told["ack_reason"]) == (False, "suppress_requested")


def test_a_whole_mail_is_decided_to_the_same_bytes(api: Api) -> None:
    """The decision inside the answer is the very JSON that the worker would have written down."""
    raw = mail(1, subject="[URGENT] down")
    when = NOW.isoformat()
    bundle = api.bundles.current
    asked = DecideAsked(raw=base64.b64encode(raw).decode(), received_at=NOW, mailbox="desk")
    mine = answers.dry_run(bundle, asked, NOW, b"key")
    context = Context(received_at=NOW, now=NOW, mailbox="desk", loop_key=b"key")
    assert mine.decision == decide(raw, bundle, context).to_json()
    told = api.good("/v1/decide", raw=asked.raw, received_at=when, mailbox="desk")
    assert (told["queue"], told["priority"]) == ("Priority Support", 10)
    assert json.loads(str(told["decision"]))["message"] == parse(raw).sha256
    assert "hit  urgent" in str(told["trace"])
    assert flat(told)


def test_pieces_are_decided_too(api: Api) -> None:
    """From, subject and text are enough; an acknowledgement goes where an answer would go."""
    told = api.good(
        "/v1/decide",
        **{
            "from": "Zoë <zoe@customer.example>",
            "to": US,
            "subject": "Größe",
            "text": "The invoice, the invoice",
        },
        received_at="2026-03-02T10:00:00+00:00",
    )
    assert (told["queue"], told["category"]) == ("Billing", "billing")
    assert json.loads(str(told["decision"]))["verdict"]["reply_to"] == "zoe@customer.example"
    assert told["ack"] is False
    assert told["ack_reason"] == "too_old"
    fresh = api.good("/v1/decide", **{"from": "zoe@customer.example", "to": US, "text": "hello"})
    assert (fresh["ack"], fresh["ack_to"]) == (True, "zoe@customer.example")
    assert str(fresh["target"]) == "4 business hours"


def test_a_conversation_under_way_gets_no_acknowledgement(api: Api) -> None:
    """What the caller knows of the thread counts as the journal's knowledge would."""
    known = {"from": "zoe@customer.example", "to": US, "text": "hello", "reference": "K7Q2-9M4D"}
    assert api.good("/v1/decide", **known, acked=True)["ack_reason"] == "already_acked"
    assert api.good("/v1/decide", **known, answered=True)["ack_reason"] == "answered"


@pytest.mark.parametrize(
    "subject", ["Hi\r\nAuto-Submitted: auto-replied", "Hi\nBcc: x@y.example", "Hi\r\n\r\nbody", "Hi\x00there"]
)
def test_a_field_cannot_start_another_one(subject: str) -> None:
    """Line ends in a field never become a header or the end of the head."""
    raw = answers.compose({"Subject": subject, "From": "a@b.example"}, "text", "")
    message = parse(raw)
    assert message.get("Auto-Submitted") is None
    assert message.get("Bcc") is None
    assert own_words(message).own.strip() == "text"


def test_a_block_of_headers_ends_where_it_ends() -> None:
    """A blank line in it ends the head, what follows is no header, and encodings cannot be forged."""
    block = "From: a@b.example\nContent-Transfer-Encoding: quoted-printable\nX-A: 1\n\nX-B: 2\n"
    message = parse(answers.compose({}, "Grüße", "", block=block))
    assert message.get("X-A") == "1"
    assert message.get("X-B") is None
    assert message.plain.strip() == "Grüße"


def test_a_bundle_without_classifier_abstains(bundle_of_rules: Bundle) -> None:
    """No model is an abstention with its reason, not an error."""
    from serve.api.models import ClassifyAsked

    told = answers.classify(bundle_of_rules, ClassifyAsked(text="hello"))
    assert told.abstained
    assert told.category == ""
    assert "no classifier" in told.reason


@pytest.fixture
def bundle_of_rules(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that routes by rules alone."""
    from tests.serve.service import bundle

    return bundle(tmp_path_factory.mktemp("rules") / "b")
