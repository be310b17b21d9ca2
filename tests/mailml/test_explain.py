"""A decision told to people: every why is there, and nothing of a mail breaks out of its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.explain import explain, one_line
from mailml.flow import Flow
from mailml.message import parse
from mailml.verdict import Context
from tests.mailml.cli.test_inspectors import AWAY, BROKEN, BUNDLE, run

FRIDAY = datetime(2026, 10, 30, 15, tzinfo=UTC)
INVOICE = (
    b"From: Ann <ann@shop.example>\r\nTo: support@acme.example\r\nSubject: My invoice\r\n\r\n"
    b"I was charged twice for this invoice, please refund it.\r\n"
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """A bundle with rules, a classifier and hours."""
    return Bundle.load(BUNDLE)


def told(raw: bytes, bundle: Bundle, when: datetime = FRIDAY) -> str:
    """What a person reads of a mail."""
    message = parse(raw)
    return explain("a.eml", message, decide(message, bundle, Context(when, when)), bundle, when)


def test_every_why_of_a_persons_mail(bundle: Bundle) -> None:
    """Place, kind, each rule with hit or miss and what it found, category, acknowledgement, due."""
    text = told(INVOICE, bundle)
    for part in (
        "from ann@shop.example, arrived Fri 30 Oct 2026 16:00",
        "→ Billing, priority 0, by rule billing",
        "human: nothing speaks against a person (row 14)",
        '✗ urgent      subject contains "[URGENT]": no, found My invoice',
        '✓ billing     category is "billing": yes, found billing',
        'so: queue "Billing"',
        "because of “charged twice for this invoice",
        "it answers billing from a probability of",
        "acknowledgement to ann@shop.example, with a fixed subject: the sender is not proven",
        "Mon 02 Nov 2026 12:00 Europe/Berlin, in 4 business hours",
        "1 h Fri 30 Oct + 3 h Mon 02 Nov",
        "not counted: Sat 31 Oct closed, Sun 01 Nov closed",
    ):
        assert part in text


def test_a_machines_mail_says_its_evidence(bundle: Bundle) -> None:
    """Filed where, which header proved it, why nothing is answered, and that no rule was tried."""
    text = told(AWAY, bundle)
    assert "→ filed in Automated/Replies, in no queue" in text
    assert "Auto-Submitted: auto-replied" in text
    assert "no acknowledgement: an automatic reply" in text
    assert "none was tried" in text
    assert "no rule asked the classifier" in text
    assert "nobody waits" in text


def test_a_classifier_that_cannot_tell_says_why(bundle: Bundle) -> None:
    """An abstention is told with its reason, never as a category."""
    silent = told(b"From: a@b.example\r\nTo: support@acme.example\r\n\r\n", bundle)
    assert "cannot tell: " in silent
    assert "because of" not in silent


def test_a_mail_without_a_date_is_not_from_1970(bundle: Bundle) -> None:
    """The stand-in for an unknown arrival is not shown as a date."""
    text = told(AWAY, bundle, datetime(1970, 1, 1, tzinfo=UTC))
    assert "arrived at an unknown time" in text
    assert "1970" not in text


@pytest.mark.parametrize(
    "raw", [BROKEN, b"", b"Subject: =?utf-8?q?=1b=5b2J=0d=0ainjected?=\r\nX: \x1b[2J\r\n\r\nhi"]
)
def test_nothing_breaks_out_of_its_line(raw: bytes, bundle: Bundle) -> None:
    """Broken and hostile mail gives the same branches, one subject line and no control character."""
    lines = told(raw, bundle).splitlines()
    assert [line[6:].split()[0] for line in lines if line[3:5] in ("├─", "└─")] == [
        "kind",
        "rules",
        "category",
        "answer",
        "due",
    ]
    assert all(char.isprintable() for line in lines for char in line)


def test_long_words_are_cut() -> None:
    """A long subject is cut with a mark; white space of any kind is one space."""
    assert one_line("a\r\n\tb\x00c") == "a b c"
    cut = one_line("x" * 500)
    assert len(cut) == 60
    assert cut.endswith("…")


def test_decide_and_explain_say_the_same(tmp_path: object) -> None:
    """`mailml explain` is `mailml decide` for people, and says so in its help."""
    file = f"{tmp_path}/a.eml"
    with open(file, "wb") as out:
        out.write(INVOICE)
    decided, explained = run("decide", file, "--bundle", BUNDLE), run("explain", file, "--bundle", BUNDLE)
    assert decided.returncode == explained.returncode == 0
    assert decided.stdout == explained.stdout
    assert "→ Billing" in explained.stdout


def letter(number: int, sender: str, subject: str, *more: str) -> bytes:
    """A mail of a conversation."""
    head = [*more, f"From: {sender}", f"Subject: {subject}", f"Message-ID: <{number}@shop>", "", "Wrong."]
    return "\r\n".join(head).encode()


CONVERSATION = [
    letter(1, "ann@shop.example", "My invoice"),
    letter(2, "ann@shop.example", "Re: My invoice", "In-Reply-To: <1@shop>"),
    letter(3, "eve@evil.example", "Re: My invoice", "In-Reply-To: <1@shop>"),
    letter(1, "ann@shop.example", "My invoice", "Received: by mx2"),
]


def test_why_a_mail_belongs_to_a_conversation(tmp_path: Path) -> None:
    """Each mail says what it opens or joins, on what evidence, and what its sender is kept from."""
    files = []
    for number, raw in enumerate(CONVERSATION):
        files.append(str(tmp_path / f"{number}.eml"))
        Path(files[-1]).write_bytes(raw)
    done = run("explain", *files, "--bundle", BUNDLE)
    assert done.returncode == 0
    lines = [line.strip() for line in done.stdout.splitlines() if "thread" in line or "kept apart" in line]
    opened = lines[0].split("#")[1][:9]
    assert f"opens #{opened}: it answers nothing" in lines[0]
    assert f"joins #{opened}: it answers a mail of that conversation (<1@shop>)" in lines[1]
    assert "opens #" in lines[2]
    assert opened not in lines[2]
    assert f"points to #{opened}, but the sender takes no part" in lines[3]
    assert f"joins #{opened}: a copy of this very mail" in lines[4]


def test_a_flow_without_rules_is_said_to_have_none(bundle: Bundle) -> None:
    """Where the flow is empty nobody blames the table of automated mail."""
    text = told(INVOICE, replace(bundle, flow=Flow((), "Billing")))
    assert "none was tried: the flow has no rules" in text
