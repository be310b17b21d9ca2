"""The table of automated mail, row by row, in its order; and what it must never do."""

from __future__ import annotations

import pytest

from mailml.autoreply import TABLE
from mailml.thread import own_message_id
from mailml.verdict import Disposition, Identity, Kind, Reason
from tests.mailml.judged import KEY, US, mail, report, verdict

FILE, DELIVER = Disposition.FILE, Disposition.DELIVER


def test_a_person_is_delivered_and_may_be_acknowledged() -> None:
    """Row 14: nothing against it, so it is a person, answered at From."""
    found = verdict(mail())
    assert (found.kind, found.row, found.disposition, found.ack_reason) == (Kind.HUMAN, "14", DELIVER, None)
    assert found.reply_to == "jane@customer.example"
    assert found.evidence == ()


@pytest.mark.parametrize("header", ["Message-ID", "X-Mailml-Loop"])
def test_our_own_signed_mark_is_a_loop(header: str) -> None:
    """Row 1: our valid signature in either header files it in Loops with an alarm."""
    ours = own_message_id("K7Q2-9M4D", 1, "acme.example", KEY)
    found = verdict(mail(f"{header}: {ours}"))
    assert (found.kind, found.row, found.folder, found.alarm) == (Kind.OWN_LOOP, "1", "Automated/Loops", True)
    assert found.evidence[0].name == header


@pytest.mark.parametrize("key", [b"another key of thirty-two bytes..", b""])
def test_an_unsigned_look_alike_proves_nothing(key: bytes) -> None:
    """Row 1 needs the valid signature: with another key, or none, the mail is a person's."""
    ours = own_message_id("K7Q2-9M4D", 1, "acme.example", KEY)
    assert verdict(mail(f"X-Mailml-Loop: {ours}"), loop_key=key).row == "14"


def test_our_own_mark_inside_references_is_an_answer_and_no_loop() -> None:
    """Row 1 reads the message's own headers only: customers' answers carry our ids in References."""
    ours = own_message_id("K7Q2-9M4D", 1, "acme.example", KEY)
    assert verdict(mail(f"In-Reply-To: {ours}", f"References: {ours}")).row == "14"


def test_our_own_address_is_delivered_without_acknowledgement() -> None:
    """Row 2: From one of our addresses."""
    found = verdict(mail(sender="Support@ACME.example"))
    assert (found.kind, found.row, found.ack_reason) == (Kind.OWN_ADDRESS, "2", Reason.OWN_ADDRESS)


def test_our_own_list_is_not_our_own_address() -> None:
    """Row 2 spares our lists and groups: people write through them."""
    assert verdict(mail(sender="'Jane' via Team <team@acme.example>")).kind is Kind.HUMAN


@pytest.mark.parametrize("action", ["failed", "delayed", "delivered", "relayed", "expanded"])
def test_every_delivery_report_is_filed_and_linked(action: str) -> None:
    """Row 3: whatever the Action, filed in Bounces and linked to the mail it is about."""
    found = verdict(report("delivery-status", action=action))
    assert (found.kind, found.row, found.disposition) == (Kind.BOUNCE, "3", FILE)
    assert found.folder == "Automated/Bounces"
    assert found.related_message_id == "<original@acme.example>"
    assert ("Action", action) in [(one.name, one.value) for one in found.evidence]


@pytest.mark.parametrize(
    "content",
    [
        "multipart/report; report-type=delivery-status boundary=b",
        "Multipart/Report; boundary=b; REPORT-TYPE = 'delivery-status'",
        'multipart/report (a comment); boundary="b"; report-type="delivery-status',
        "multipart/report; boundary=b",
    ],
)
def test_delivery_reports_with_broken_parameters_are_reports(content: str) -> None:
    """Row 3 reads the field itself where its parameters cannot be parsed."""
    raw = report("delivery-status").replace(
        b'multipart/report; report-type="delivery-status"; boundary=b', content.encode()
    )
    assert verdict(raw).row == "3"


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Failed-Recipients: gone@customer.example"],
        ["Return-Path: <>", "From: MAILER-DAEMON@mx.example"],
        ["Return-Path: <>", "From: Mail Delivery System <anything@mx.example>"],
        ["Return-Path: <>", "From: postmaster@mx.example"],
        ["Return-Path: <>", "Subject: failure notice"],
        ["Return-Path: <>", "Subject: Undeliverable: Your invoice"],
        ["Return-Path: <>", "Subject: =?utf-8?b?6YWN5L+h5LiN6IO9OiDopovnqY0=?="],
        ["Return-Path: <MAILER-DAEMON>", "Subject: Unzustellbar: Rechnung"],
        ["Return-Path: <>", "From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example"],
    ],
)
def test_a_mail_system_without_a_report_is_a_bounce_all_the_same(headers: list[str]) -> None:
    """Row 3: failed recipients, or the null sender with a daemon's name or a bounce's subject."""
    found = verdict(mail(*headers))
    assert (found.kind, found.row, found.disposition) == (Kind.BOUNCE, "3", FILE)


def test_a_daemon_and_a_subject_alone_are_delivered() -> None:
    """Row 3b: anybody can write both, so the mail is not hidden; it is not answered either."""
    found = verdict(mail("From: MAILER-DAEMON@mx.example", "Subject: Returned mail: see transcript"))
    assert (found.kind, found.row, found.disposition) == (Kind.BOUNCE, "3b", DELIVER)
    assert found.ack_reason is Reason.BOUNCE
    assert found.echoes_subject


def test_a_bounces_subject_over_a_diagnosis_is_not_answered() -> None:
    """Row 3b: the words of a mail system at the start of a line, under a bounce's subject."""
    body = "Sorry.\r\nFinal-Recipient: rfc822; gone@x.example\r\nDiagnostic-Code: smtp; 550"
    assert verdict(mail("Subject: Delivery failure", body=body)).row == "3b"


def test_a_person_who_forwards_a_bounce_asks_a_question() -> None:
    """A bounce below somebody's own words is a question, attached or pasted."""
    inline = "Why?\r\n\r\n---------- Forwarded message ---------\r\nFrom: MAILER-DAEMON@mx.example\r\n"
    assert verdict(mail("Subject: Fwd: Undeliverable: hello", body=inline)).ack_allowed
    attached = (
        "--b\r\nContent-Type: text/plain\r\n\r\nWhy?\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        "Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=c\r\n"
        "Auto-Submitted: auto-replied\r\n\r\n--c--\r\n--b--\r\n"
    )
    raw = mail("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", body=attached)
    assert verdict(raw).ack_allowed


def test_a_status_part_that_a_person_attached_is_no_bounce() -> None:
    """The status part alone proves nothing outside a report of a mail system."""
    raw = report("delivery-status").replace(b"multipart/report", b"multipart/mixed")
    assert verdict(raw).kind is Kind.HUMAN


def test_a_bounce_forwarded_without_a_word_is_not_answered() -> None:
    """Row 3b: a rule or a client passed it on and nobody asks anything."""
    body = "Begin forwarded message:\r\n\r\n> From: MAILER-DAEMON@mx.example\r\n>\r\n> 550 unknown\r\n"
    assert verdict(mail("Subject: Fwd: Returned mail: see transcript", body=body)).row == "3b"


@pytest.mark.parametrize("kind", ["feedback-report", "disposition-notification", "tlsrpt", "x-new"])
def test_other_reports_are_filed(kind: str) -> None:
    """Row 4: any report-type but delivery-status."""
    found = verdict(report(kind))
    assert (found.kind, found.row, found.folder) == (Kind.REPORT, "4", "Automated/Reports")


def test_a_dmarc_report_is_filed_and_a_question_about_one_is_not() -> None:
    """Row 4 knows the subject of RFC 7489; "Fwd:" before it makes it a person's."""
    subject = "Report Domain: acme.example Submitter: google.com Report-ID: <42>"
    assert verdict(mail(f"Subject: {subject}")).row == "4"
    assert verdict(mail(f"Subject: Fwd: {subject}")).ack_allowed


@pytest.mark.parametrize(
    ("method", "row", "disposition", "kind"),
    [
        ("REPLY", "5", FILE, Kind.CALENDAR_REPLY),
        ("COUNTER", "5", FILE, Kind.CALENDAR_REPLY),
        ("REFRESH", "5", FILE, Kind.CALENDAR_REPLY),
        ("REQUEST", "5", DELIVER, Kind.HUMAN),
    ],
)
def test_calendar_answers_are_filed_and_invitations_delivered(
    method: str, row: str, disposition: Disposition, kind: Kind
) -> None:
    """Row 5: the method in the parameter or in the calendar; neither gets an acknowledgement."""
    for params, inside in ((f"; method={method}", ""), ("", f"METHOD:{method}\r\n")):
        body = f"BEGIN:VCALENDAR\r\n{inside}END:VCALENDAR"
        found = verdict(mail("MIME-Version: 1.0", f"Content-Type: text/calendar{params}", body=body))
        assert (found.kind, found.row, found.disposition, found.ack_reason) == (
            kind,
            row,
            disposition,
            Reason.CALENDAR,
        )


def test_an_attached_calendar_file_is_a_question() -> None:
    """Row 5 leaves an .ics file that somebody attached alone."""
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\nThis file does not import.\r\n--b\r\n"
        "Content-Type: text/calendar; method=REPLY\r\nContent-Disposition: attachment; filename=a.ics\r\n\r\n"
        "METHOD:REPLY\r\n--b--\r\n"
    )
    assert verdict(
        mail("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", body=body)
    ).ack_allowed


@pytest.mark.parametrize(
    "headers",
    [
        ["Auto-Submitted: auto-replied"],
        ["Auto-Submitted: Auto-Replied (vacation)"],
        ['Auto-Submitted: auto-replied; owner-email="jane@customer.example"'],
        ["Auto-Submitted: no", "Auto-Submitted: auto-replied"],
        ["X-Autoreply: yes"],
        ["X-Autorespond: Re: hello"],
        ["X-Autoresponder: yes"],
        ["X-Autoresponse: 1"],
        ["X-AutoReply-From: jane@customer.example"],
        ["X-Mail-Autoreply: robot"],
        ["Precedence: auto_reply"],
        ["X-Precedence: auto_reply"],
        ["X-POST-MessageClass: 9; Autoresponder"],
        ["X-Apple-Action: VACATION/REPLY"],
        ["Delivered-To: Autoresponder"],
        ["X-Mailer: vacation 1.2.7"],
        [
            "X-Auto-Response-Suppress: All",
            "X-MS-Exchange-Inbox-Rules-Loop: jane@customer.example",
            "Return-Path: <>",
        ],
    ],
)
def test_a_responder_that_says_so_is_filed_on_the_interaction(headers: list[str]) -> None:
    """Row 6: exact header names, every instance, comments and parameters stripped."""
    found = verdict(mail(*headers))
    assert (found.kind, found.row, found.disposition) == (Kind.AUTO_REPLY, "6", FILE)
    assert found.on_interaction
    assert found.ack_reason is Reason.AUTO_REPLY


@pytest.mark.parametrize(
    "headers",
    [
        ["Auto-Submitted: no"],
        ["X-Autoreply: no"],
        ["X-Not-Auto-Submitted: auto-replied"],
        ["DKIM-Signature: v=1; h=From:Auto-Submitted:X-Autoreply:Precedence; b=auto-replied"],
        ["X-Auto-Response-Suppress: DR, OOF, AutoReply"],
        ["X-MS-Exchange-Inbox-Rules-Loop: jane@customer.example"],
        ["Precedence: first-class"],
        ["Return-Path: <bounces+SRS=44ldt=IX@customer.example>"],
        ["Sender: office-admin@customer.example"],
    ],
)
def test_headers_that_say_nothing_cost_nobody_an_answer(headers: list[str]) -> None:
    """A list of names in a signature, a header of another name, and "no" are no evidence."""
    assert verdict(mail(*headers)).ack_allowed


def test_exchange_answers_are_known_by_the_thread_too() -> None:
    """Row 6: suppress All, an inbox rule's mark, and an answer to our mail."""
    headers = ["X-Auto-Response-Suppress: All", "X-MS-Exchange-Inbox-Rules-Loop: jane@customer.example"]
    raw = mail(*headers, "In-Reply-To: <ours@acme.example>")
    assert verdict(raw, answers_ours=True).row == "6"
    assert verdict(raw).row == "12"


def test_mail_we_forwarded_ourselves_is_a_persons() -> None:
    """Row 8: the forwarding marks name us, so auto-generated and list headers do not count against it."""
    for header in (
        "Resent-From: support@acme.example",
        "X-MS-Exchange-Inbox-Rules-Loop: billing@acme.example",
        "X-Forwarded-For: support@acme.example inbox@acme.example",
        "List-ID: <team.acme.example>",
    ):
        found = verdict(mail(header, "Auto-Submitted: auto-generated", "Precedence: list"))
        assert (found.kind, found.row, found.ack_reason) == (Kind.HUMAN, "8", None), header
    assert verdict(mail("X-Forwarded-For: others@else.example", "Auto-Submitted: auto-generated")).row == "9"


def test_forwarded_mail_is_answered_at_its_writer() -> None:
    """Row 8: a group that rewrites From keeps the writer in X-Original-From."""
    raw = mail(
        "List-ID: <team.acme.example>",
        "X-Original-From: Jane <jane@customer.example>",
        sender="'Jane' via Team <team@acme.example>",
    )
    assert verdict(raw).reply_to == "jane@customer.example"


def test_an_automatic_reply_forwarded_by_us_stays_one() -> None:
    """Row 6 stands before row 8."""
    assert verdict(mail("Resent-From: support@acme.example", "Auto-Submitted: auto-replied")).row == "6"


@pytest.mark.parametrize(
    ("header", "row", "kind"),
    [
        ("Auto-Submitted: auto-generated", "9", Kind.AUTO_GENERATED),
        ("Auto-Submitted: auto-notified; x=y", "9", Kind.AUTO_GENERATED),
        ("Return-Path: <>", "9", Kind.AUTO_GENERATED),
        ("From: MAILER-DAEMON@mx.example", "9", Kind.AUTO_GENERATED),
        ("X-Cron-Env: <USER=root>", "9", Kind.AUTO_GENERATED),
        ("List-Unsubscribe: <mailto:out@list.example>", "10", Kind.LIST_BULK),
        ("List-Id: <news.list.example>", "10", Kind.LIST_BULK),
        ("Precedence: Bulk", "10", Kind.LIST_BULK),
        ("Feedback-ID: 1:2:3:esp", "10", Kind.LIST_BULK),
        ("Return-Path: <news-bounces@list.example>", "10", Kind.LIST_BULK),
        ("From: no-reply@shop.example", "11", Kind.ROBOT_SENDER),
        ("From: jira-noreply@shop.example", "11", Kind.ROBOT_SENDER),
        ("From: DoNotReply@shop.example", "11", Kind.ROBOT_SENDER),
        ("From: notifications@shop.example", "11", Kind.ROBOT_SENDER),
        ("From: owner-linux@list.example", "11", Kind.ROBOT_SENDER),
        ("From: linux-request@list.example", "11", Kind.ROBOT_SENDER),
        ("From: postmaster@customer.example", "11", Kind.HUMAN),
        ("From: root@customer.example", "11", Kind.HUMAN),
        ("X-Auto-Response-Suppress: All", "12", Kind.HUMAN),
    ],
)
def test_machines_lists_and_robots_are_delivered_unanswered(header: str, row: str, kind: Kind) -> None:
    """Rows 9 to 12: what an outsider can set lowers the service and never hides mail."""
    found = verdict(mail(header))
    assert (found.kind, found.row, found.disposition) == (kind, row, DELIVER)
    assert not found.ack_allowed
    assert found.folder == ""


@pytest.mark.parametrize(
    "local", ["noreplyfoundation.jane", "jane.bounceback", "annotify", "postmaster.jones", "abbott"]
)
def test_robot_names_are_anchored(local: str) -> None:
    """Row 11 compares the whole local part, so a person's name with a piece of it is a person's."""
    assert verdict(mail(sender=f"{local}@customer.example")).ack_allowed


def test_bulk_mail_cannot_buy_priority() -> None:
    """Row 10 caps the priority that rules may give."""
    assert verdict(mail("Precedence: bulk", "Subject: [URGENT] buy now")).priority_cap == 0


def test_our_web_form_is_its_customer() -> None:
    """Row 11: an allow-listed form is answered at Reply-To, whatever marks the form's machine left."""
    raw = mail(
        "Reply-To: jane@customer.example", "Auto-Submitted: auto-generated", sender="form@acme.example"
    )
    found = verdict(raw)
    assert (found.kind, found.row, found.reply_to) == (Kind.HUMAN, "11", "jane@customer.example")
    assert found.ack_allowed


def test_evidence_names_the_row_the_exact_header_and_its_value() -> None:
    """Each finding can be checked by hand in the message."""
    found = verdict(mail("auto-submitted: auto-replied (vacation)")).evidence
    assert (found[0].row, found[0].name, found[0].value) == ("6", "Auto-Submitted", "auto-replied (vacation)")
    long = verdict(mail("X-Autoreply: " + "\x07x" * 3000)).evidence[0].value
    assert len(long) <= 200
    assert long.isprintable()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (mail(sender=""), Reason.NO_SENDER),
        (mail(sender="not an address"), Reason.NO_SENDER),
        (mail(to="others@else.example"), Reason.NOT_ADDRESSED_TO_US),
        (mail(to="notsupport@acme.example"), Reason.NOT_ADDRESSED_TO_US),
        (mail("X-Spam-Flag: YES"), Reason.SPAM),
        (mail("X-Spam-Status: Yes, score=14.2 required=5.0 tests=X"), Reason.SPAM),
        (mail("X-MS-Exchange-Organization-SCL: 9"), Reason.SPAM),
    ],
)
def test_people_who_get_no_acknowledgement_are_delivered_all_the_same(raw: bytes, reason: Reason) -> None:
    """No sender, our address nowhere, a clear spam verdict: no answer, and still a queue."""
    found = verdict(raw)
    assert (found.kind, found.disposition, found.ack_reason) == (Kind.HUMAN, DELIVER, reason)


def test_a_borderline_spam_verdict_costs_nobody_an_answer() -> None:
    """Filters err just above their threshold: a stated score must be clear."""
    raw = mail("X-Spam-Flag: YES", "X-Spam-Status: Yes, score=6.3 required=4.8 tests=BAYES_50")
    assert verdict(raw).ack_allowed


def test_copies_and_groups_count_as_addressed_to_us() -> None:
    """Our address in Cc, or our group in To, is enough; without an identity nobody is asked."""
    assert verdict(mail("Cc: Desk <SUPPORT@acme.example>", to="others@else.example")).ack_allowed
    assert verdict(mail(to="team@acme.example")).ack_allowed
    assert verdict(mail(to="others@else.example"), identity=Identity()).ack_allowed


def test_an_acknowledgement_never_goes_to_a_third_party() -> None:
    """Reply-To counts only at the sender's own domain, which is what authentication speaks of."""
    assert verdict(mail("Reply-To: victim@else.example")).reply_to == "jane@customer.example"
    assert verdict(mail("Reply-To: desk@customer.example")).reply_to == "desk@customer.example"


def test_every_row_has_a_number_and_a_sentence_and_files_visibly() -> None:
    """The table is data in reading order; what it files has a folder, what it delivers has none."""
    assert [row.number for row in TABLE][:4] == ["1", "2", "3", "3b"]
    for row in TABLE:
        assert row.says
        assert bool(row.folder) == (row.disposition is FILE)
        assert row.disposition is DELIVER or row.reason is not None
    assert US.address == "billing@acme.example"
