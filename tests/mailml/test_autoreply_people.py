"""People whose mail looks automatic: none is filed away, and few lose their acknowledgement."""

from __future__ import annotations

import pytest

from mailml.autoreply import TextModel
from mailml.verdict import Disposition, Identity
from tests.mailml.judged import mail, verdict

ANSWERS = "In-Reply-To: <ours@acme.example>"
ATTACHED = (
    "--b\r\nContent-Type: text/plain\r\n\r\nI get this from your desk, what does it mean?\r\n"
    "--b\r\nContent-Type: {type}\r\nContent-Disposition: attachment; filename={name}\r\n\r\n"
    "{inside}\r\n--b--\r\n"
)
MIXED = ("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b")

# Each was an automatic reply or a bounce for at least one system that was measured.
ANSWERED = {
    "answers an automatic reply of ours": mail(
        "Subject: Re: Automatic reply: Invoice", ANSWERS, body="Still open."
    ),
    "answers one in German": mail("Subject: AW: Abwesenheitsnotiz: Rechnung", ANSWERS, body="Wann denn?"),
    "forwards an automatic reply": mail(
        "Subject: Fwd: Out of Office: Invoice", body="Who helps me in the meantime?"
    ),
    "forwards a bounce": mail(
        "Subject: FW: Undeliverable: Order", body="Is there another address I can use?"
    ),
    "asks about out of office": mail(
        "Subject: Out of office replies are sent twice", body="Since the last update."
    ),
    "was out of the office": mail(body="I was out of the office last week. Yes, please cancel the order."),
    "will be out of the office": mail(
        body="I'll be out of the office on Friday, can you call me before noon?"
    ),
    "suppress hints of Outlook": mail("X-Auto-Response-Suppress: DR, OOF, AutoReply"),
    "signed header names": mail("DKIM-Signature: v=1; h=From:Auto-Submitted:X-Autoreply; b=auto-replied"),
    "says that a person wrote it": mail("Auto-Submitted: no"),
    "attached status part": mail(
        *MIXED,
        body=ATTACHED.format(type="message/delivery-status", name="details.txt", inside="Action: failed"),
    ),
    "attached bounce": mail(
        *MIXED,
        body=ATTACHED.format(
            type="message/rfc822",
            name="bounce.eml",
            inside="Return-Path: <>\r\nAuto-Submitted: auto-replied\r\nSubject: failure notice\r\n\r\nHi.",
        ),
    ),
    "attached invitation reply": mail(
        *MIXED, body=ATTACHED.format(type="text/calendar; method=REPLY", name="a.ics", inside="METHOD:REPLY")
    ),
    "attached DMARC report": mail(
        *MIXED,
        body=ATTACHED.format(
            type="application/zip", name="google.com!acme.example!1700000000!1700086399.zip", inside="PK"
        ),
    ),
    "microsoft forwarding": mail("Return-Path: <bounces+SRS=44ldt=IX@customer.example>"),
    "loop mark of procmail": mail("X-Loop: jane@customer.example"),
    "borderline spam": mail("X-Spam-Flag: YES", "X-Spam-Status: Yes, score=5.1 required=5.0"),
    "a robot's name inside a name": mail(sender="bounce.house.rentals@customer.example"),
    "quotes the words": mail(body="Stop sending me this!\r\n\r\n> I am out of the office until Monday.\r\n"),
    "one word": mail("Subject: test", body="test"),
}
# The table says so: a request not to be answered, lists, and senders at which nobody reads.
UNANSWERED = {
    "asks for no answer": mail("X-Auto-Response-Suppress: All"),
    "through a foreign list": mail("Precedence: list", "List-Id: <users.list.example>"),
    "from a shared no-reply": mail(sender="noreply@customer.example"),
    "null sender of a gateway": mail("Return-Path: <>"),
}


@pytest.fixture(scope="module")
def model() -> TextModel:
    """The model that comes with mailml."""
    return TextModel.shipped()


@pytest.mark.parametrize("name", ANSWERED)
def test_tricky_people_are_delivered_and_answered(name: str, model: TextModel) -> None:
    """With and without an identity, the model asked: a queue and an acknowledgement."""
    for identity in ({}, {"identity": Identity()}):
        found = verdict(ANSWERED[name], model=model, **identity)
        assert found.disposition is Disposition.DELIVER, name
        assert found.ack_allowed, f"{name}: {found.ack_reason}, {found.evidence}"


@pytest.mark.parametrize("name", UNANSWERED)
def test_people_the_table_leaves_unanswered_are_delivered(name: str, model: TextModel) -> None:
    """What costs the acknowledgement never hides the mail."""
    found = verdict(UNANSWERED[name], model=model)
    assert found.disposition is Disposition.DELIVER
    assert not found.ack_allowed
