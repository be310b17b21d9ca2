"""The table of automated mail: its rows in reading order as data, first match wins.

No row deletes mail. What an outsider can set may lower the service (no acknowledgement); it files mail only
where nobody but a mail system, a responder or a calendar writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailml.autoreply import bounces, generated, ours, replies, reports, senders
from mailml.autoreply.case import Case, Finding
from mailml.verdict import Disposition, Kind, Reason

DELIVER, FILE = Disposition.DELIVER, Disposition.FILE


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number, a sentence, the question that finds its evidence, and what follows."""

    number: str
    says: str
    asks: Callable[[Case], list[Finding]]
    kind: Kind
    disposition: Disposition
    reason: Reason | None  # why no acknowledgement; None leaves it open
    folder: str = ""
    on_interaction: bool = False
    priority_cap: int | None = None
    alarm: bool = False


TABLE: tuple[Row, ...] = (
    Row(
        "1",
        "our own signed Message-ID or loop mark came back",
        ours.own_loop,
        Kind.OWN_LOOP,
        FILE,
        Reason.OWN_LOOP,
        folder="Automated/Loops",
        alarm=True,
    ),
    Row(
        "2",
        "From is one of our own addresses",
        ours.own_address,
        Kind.OWN_ADDRESS,
        DELIVER,
        Reason.OWN_ADDRESS,
    ),
    Row(
        "3",
        "a delivery report",
        bounces.bounce,
        Kind.BOUNCE,
        FILE,
        Reason.BOUNCE,
        folder="Automated/Bounces",
    ),
    Row(
        "3b",
        "a mail system's name and a delivery report's subject, without proof",
        bounces.weak_bounce,
        Kind.BOUNCE,
        DELIVER,
        Reason.BOUNCE,
    ),
    Row(
        "4",
        "a feedback report, read receipt, DMARC or TLS report",
        reports.report,
        Kind.REPORT,
        FILE,
        Reason.REPORT,
        folder="Automated/Reports",
    ),
    Row(
        "5",
        "an answer to a calendar invitation",
        reports.calendar_answer,
        Kind.CALENDAR_REPLY,
        FILE,
        Reason.CALENDAR,
        folder="Automated/Calendar",
    ),
    Row(
        "5",
        "an invitation: a person, but no acknowledgement",
        reports.calendar_request,
        Kind.HUMAN,
        DELIVER,
        Reason.CALENDAR,
    ),
    Row(
        "6",
        "a responder says that it answered",
        replies.certain,
        Kind.AUTO_REPLY,
        FILE,
        Reason.AUTO_REPLY,
        folder="Automated/Replies",
        on_interaction=True,
    ),
    Row(
        "7",
        "an automatic reply's subject, and a header beside it",
        replies.by_subject,
        Kind.AUTO_REPLY,
        FILE,
        Reason.AUTO_REPLY,
        folder="Automated/Replies",
        on_interaction=True,
    ),
    Row(
        "7b",
        "an automatic reply's subject alone",
        replies.by_subject_alone,
        Kind.AUTO_REPLY,
        DELIVER,
        Reason.AUTO_REPLY,
    ),
    Row("8", "forwarded through one of our own addresses", ours.forwarded_by_us, Kind.HUMAN, DELIVER, None),
    Row(
        "9",
        "a machine wrote it",
        generated.auto_generated,
        Kind.AUTO_GENERATED,
        DELIVER,
        Reason.AUTO_GENERATED,
    ),
    Row(
        "10",
        "a mailing list or bulk mail",
        generated.list_or_bulk,
        Kind.LIST_BULK,
        DELIVER,
        Reason.LIST_BULK,
        priority_cap=0,
    ),
    Row(
        "11",
        "a sender at which nobody reads answers",
        senders.robot,
        Kind.ROBOT_SENDER,
        DELIVER,
        Reason.ROBOT_SENDER,
    ),
    Row(
        "11",
        "postmaster, abuse or root: a person, no acknowledgement",
        senders.role,
        Kind.HUMAN,
        DELIVER,
        Reason.ROBOT_SENDER,
    ),
    Row(
        "11", "a web form of ours, with the customer in Reply-To", senders.web_form, Kind.HUMAN, DELIVER, None
    ),
    Row(
        "12",
        "asks not to be answered automatically",
        generated.suppress_requested,
        Kind.HUMAN,
        DELIVER,
        Reason.SUPPRESS_REQUESTED,
    ),
)
TEXT_MODEL = Row(
    "13",
    "reads like an automatic answer",
    lambda case: [],
    Kind.AUTO_GENERATED,
    DELIVER,
    Reason.TEXT_MODEL,
)
HUMAN = Row("14", "nothing speaks against a person", lambda case: [], Kind.HUMAN, DELIVER, None)


def first_match(case: Case) -> tuple[Row, list[Finding]]:
    """The first row with evidence and what it found; row 14 when none has."""
    for row in TABLE:
        findings = row.asks(case)
        if findings:
            return row, findings
    return HUMAN, []
