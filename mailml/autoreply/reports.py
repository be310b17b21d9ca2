"""Rows 4 and 5: reports other than delivery reports, and answers to calendar invitations."""

from __future__ import annotations

import re

from mailml.autoreply.bounces import report_type
from mailml.autoreply.case import Case, Finding
from mailml.autoreply.subjects import receipt_phrase
from mailml.message import Part

# RFC 7489 7.2.1.1 and RFC 8460 5.3: "Report Domain: x Submitter: y Report-ID: <z>"
_AGGREGATE = re.compile(r"(?:\[preview\] )?report domain: ?\S+;? submitter: ?\S+", re.IGNORECASE)
_REPORT_PARTS = ("message/disposition-notification", "message/feedback-report", "message/tracking-status")
_TLSRPT = ("application/tlsrpt+json", "application/tlsrpt+gzip")  # RFC 8460 6.4
# RFC 7489 7.2.1.1: receiver!policy-domain!begin!end[!unique].xml[.gz]
_AGGREGATE_FILE = re.compile(
    r"[^!\s]{3,120}![^!\s]{3,120}!\d{9,11}!\d{9,11}(?:![^!\s]{1,60})?\.(?:xml|xml\.gz|zip|json|json\.gz)"
)
_METHOD = re.compile(rb"^METHOD:([A-Za-z]{3,15})\s*$", re.MULTILINE | re.IGNORECASE)
_ANSWERS = frozenset({"reply", "counter", "refresh"})  # RFC 5546 1.4: what attendees send
# MS-OXOMSG and MS-OXOCAL message classes in the first attributes of a TNEF (MS-OXTNEF) part
_TNEF_REPORT = re.compile(
    rb"(?:REPORT\.IPM\.[\w.]{1,40}\.(?:IPNRN|IPNNRN|NDR|DR)|IPM\.Microsoft Mail\.(?:Read|Non-Delivery))"
)
_TNEF_ANSWER = re.compile(rb"IPM\.(?:Schedule\.Meeting\.Resp|Microsoft Schedule\.MtgResp)[\w.]{0,8}")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_TNEF_HEAD = 4096


def report(case: Case) -> list[Finding]:
    """Row 4: feedback reports, read receipts, DMARC and TLS reports."""
    kind = report_type(case)
    if kind and kind not in ("delivery-status", "unnamed"):
        return [("Content-Type", f"multipart/report; report-type={kind}")]
    return _report_part(case, named=kind) or _aggregate(case) or _complaint(case) or _receipt(case)


def calendar_answer(case: Case) -> list[Finding]:
    """Row 5: text/calendar with METHOD REPLY, COUNTER or REFRESH."""
    method = _method(case)
    if method in _ANSWERS:
        return [("text/calendar", f"METHOD:{method.upper()}")]
    return _tnef(case, _TNEF_ANSWER)


def calendar_request(case: Case) -> list[Finding]:
    """Row 5: any other calendar method is a person who invites; no acknowledgement."""
    method = _method(case)
    return [("text/calendar", f"METHOD:{method.upper()}")] if method else []


def _report_part(case: Case, named: str) -> list[Finding]:
    found = [kind for kind in case.types if kind in _REPORT_PARTS]
    # Without multipart/report around it, a person may have attached the report to a question.
    alone = len(case.message.parts) == 1 or named or case.null_sender
    return [("part", found[0])] if found and alone else []


def _aggregate(case: Case) -> list[Finding]:
    subject = case.message.subject[:500]
    if _AGGREGATE.match(subject):
        return [("Subject", subject)]
    headers = [*case.values("TLS-Report-Domain")]
    if headers:
        return headers
    for part in case.message.parts[:5]:
        if part.content_type in _TLSRPT and "@" in case.sender:
            return [("part", part.content_type)]
        # The file alone may be a question about a report: it must come without words beside it.
        name = part.filename[:300].lower()
        if "!" in name and _AGGREGATE_FILE.fullmatch(name) and not case.text.own.strip():
            return [("attachment", part.filename)]
    return []


def _complaint(case: Case) -> list[Finding]:
    """Microsoft's feedback loop (JMRP) sends complaints in a form older than RFC 5965."""
    subject = case.message.subject.strip()
    said = case.sender == "staff@hotmail.com" and subject.lower().startswith("complaint about message")
    return [("From", case.sender), ("Subject", subject)] if said else []


def _receipt(case: Case) -> list[Finding]:
    """Receipts without a report: a TNEF that names its class, or a subject beside a TNEF or the null sender.

    RFC 8098 section 3 asks for the null sender; people's mail never has it, but "Read: this" may be theirs.
    """
    named = _tnef(case, _TNEF_REPORT)
    alone = case.message.content_type in _TNEF and len(case.message.parts) == 1
    second = ("Content-Type", case.message.content_type) if alone else case.null_sender
    phrase = receipt_phrase(case.message.subject) if second and not named else ""
    return [second, ("Subject", phrase)] if second and phrase else named


def _tnef(case: Case, pattern: re.Pattern[bytes]) -> list[Finding]:
    for kind, part in zip(case.types[:10], case.message.parts, strict=False):
        if kind in _TNEF:
            found = pattern.search(part.payload[:_TNEF_HEAD])
            if found:
                return [("application/ms-tnef", found[0].decode("ascii", "replace"))]
    return []


def _method(case: Case) -> str:
    for kind, part in zip(case.types[:20], case.message.parts, strict=False):
        # An .ics file attached to a question is not an answer of a calendar.
        if kind == "text/calendar" and part.disposition != "attachment":
            method = part.params.get("method", "").lower() or _method_inside(part)
            if method:
                return method
    return ""


def _method_inside(part: Part) -> str:
    found = _METHOD.search(part.payload[:_TNEF_HEAD])
    return found[1].decode("ascii").lower() if found else ""
