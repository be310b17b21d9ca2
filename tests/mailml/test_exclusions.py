"""Filing at the edge: keyword and header exclusions are rules of the flow, with its trace and its undoing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailml.bundle import Bundle, desk, write
from mailml.decide import decide
from mailml.explain import explain
from mailml.flow import ready, source
from mailml.flow.lint import lint
from mailml.message import parse
from mailml.verdict import Context, Decision, Disposition, Identity, Reason
from serve.filed import digest, undo
from tests.mailml.judged import mail
from tests.serve.room import Room
from tests.serve.service import mail as customer

EXCLUSIONS = """
default = "General Support"
[[rule]]
name = "exclude: keywords"
when = { subject = { contains = ["unsubscribe me", "SEO offer"] } }
then = { file = "Automated/Excluded" }
[[rule]]
name = "exclude: header"
when = { any = [
    { header.X-Campaign = { exists = true } },
    { header.X-Mailer = { starts_with = "BulkMailer" } },
] }
then = { file = "Automated/Excluded" }
[[rule]]
name = "billing"
when = { subject = { contains = "invoice" } }
then = { queue = "Billing" }
"""
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A desk whose flow excludes by keyword and by header."""
    settings = {"identity": {"addresses": ["support@acme.example"]}, "sla": {"target": "4 business hours"}}
    folder = tmp_path_factory.mktemp("bundle") / "b"
    return write(folder, flow=source.loads(EXCLUSIONS), desk=desk.from_mapping(settings), created=NOW)


def decided(bundle: Bundle, *headers: str) -> Decision:
    """The decision on a customer's mail with these headers."""
    return decide(mail(*headers), bundle, Context(received_at=NOW, now=NOW))


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("Subject: Great SEO offer for you", "exclude: keywords"),
        ("Subject: please UNSUBSCRIBE  me", "exclude: keywords"),
        ("X-Campaign: 17", "exclude: header"),
        ("X-Mailer: BulkMailer 3.1", "exclude: header"),
    ],
)
def test_an_exclusion_files_in_a_visible_folder_and_says_which_rule_did(
    bundle: Bundle, header: str, rule: str
) -> None:
    """Filed, not deleted: no queue, no acknowledgement, no due time; the trace up to the rule that hit."""
    found = decided(bundle, header)
    assert (found.disposition, found.folder, found.queue) == (Disposition.FILE, "Automated/Excluded", "")
    assert found.rule == rule
    assert (found.ack.send, found.ack.reason) == (False, Reason.SWITCHED_OFF)
    assert found.due is None
    hit = found.trace[-1]
    assert (hit.rule, hit.hit) == (rule, True)
    assert any(test.hit and test.found for test in hit.tests)
    assert not any(step.hit for step in found.trace[:-1])


def test_other_mail_passes_and_shows_the_rules_that_missed(bundle: Bundle) -> None:
    """Both exclusions were tried and missed, and say so in the same trace."""
    found = decided(bundle, "Subject: My invoice")
    assert (found.queue, found.ack.send) == ("Billing", True)
    assert [(step.rule, step.hit) for step in found.trace] == [
        ("exclude: keywords", False),
        ("exclude: header", False),
        ("billing", True),
    ]


def test_people_are_told_why_it_was_filed(bundle: Bundle) -> None:
    """The explanation names the folder, the rule and what it found."""
    raw = mail("Subject: Great SEO offer")
    told = explain("a.eml", parse(raw), decide(raw, bundle, Context(received_at=NOW, now=NOW)), bundle, NOW)
    assert "filed in Automated/Excluded" in told
    assert "exclude: keywords" in told
    assert "Great SEO offer" in told


def test_excluded_mail_stands_in_the_digest_and_is_put_back(tmp_path: Path) -> None:
    """What a rule filed is listed with the rule as its evidence, and undone like any other filing."""
    room = Room(tmp_path, EXCLUSIONS)
    room.decide(customer(1, subject="Great SEO offer"))
    (one,) = digest(room.journal, 1.0, clock=room.clock)
    assert (one.folder, one.kind) == ("Automated/Excluded", "human")
    assert "exclude: keywords" in one.evidence
    reference = undo(room.journal, one.number, room.config.mailboxes[0], "Billing", clock=room.clock)
    assert reference
    assert digest(room.journal, 1.0, clock=room.clock) == []


def test_the_linter_says_what_the_three_literal_rules_cost() -> None:
    """Both rules that look at headers are named, with what happens to customers and what to do instead."""
    us = Identity(addresses=frozenset({"support@acme.example"}), authserv_ids=frozenset({"mx.acme.example"}))
    found = {one.rule: str(one) for one in lint(ready.load("guide"), us)}
    assert set(found) == {
        "suppress: X-Auto-Response-Suppress exists",
        "suppress: Auto-Submitted is auto-replied",
    }
    assert "people" in found["suppress: X-Auto-Response-Suppress exists"]
    assert not lint(ready.load("default"), us)


@pytest.mark.parametrize(
    ("header", "filed"),
    [
        ("X-Auto-Response-Suppress: DR", True),  # a person behind Exchange: this is what the rule costs
        ("X-Auto-Response-Suppress:", True),
        ("Auto-Submitted: Auto-Replied", True),
        ("Auto-Submitted: auto-generated", False),
        ("Subject: delivery status notification (Delay)", True),
        ("Subject: Re: Delivery Status Notification", False),
        ("Subject: Undeliverable: x", False),
    ],
)
def test_the_three_rules_are_as_literal_as_they_are_written(header: str, filed: bool) -> None:
    """Any such header, whatever its value; exactly auto-replied; exactly this English subject."""
    from tests.mailml.test_flow import facts

    outcome = ready.load("guide").run(facts(f"{header}\n\nHello"))
    assert (outcome.file == "Automated/Suppressed") is filed
