"""Rows 3 and 3b: delivery reports (RFC 3464, RFC 3462) and what older servers send in their place."""

from __future__ import annotations

import re

from mailml.autoreply.case import Case, Finding
from mailml.autoreply.senders import daemon, postmaster
from mailml.autoreply.subjects import bounce_phrase

_REPORT_TYPE = re.compile(r"report-type\s*=\s*[\"']?\s*([a-z-]+)")
_MESSAGE_ID = re.compile(
    rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE
)
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})  # RFC 3464, RFC 6533
_ORIGINALS = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
# RFC 3464 2.2 and 2.3 by name; the opening sentences of qmail, Exim, Postfix, Sendmail and Exchange.
_DIAGNOSIS = re.compile(
    r"^[ \t]{0,8}(?:(?:Final-Recipient|Original-Recipient|Diagnostic-Code|Reporting-MTA|Remote-MTA):"
    r"|-{2,5} ?(?:The following addresses had|Transcript of session follows|Below this line is a copy)"
    r"|A message that you sent could not be delivered|This is the mail system at host"
    r"|This message was created automatically by (?:the )?mail"
    r"|I(?:'|’)m afraid I wasn(?:'|’)t able to deliver"
    r"|Your message did not reach some or all of the intended recipients"
    r"|Delivery has failed to these recipients)",
    re.MULTILINE | re.IGNORECASE,
)
_LOOKED_AT = 20_000  # bytes of the embedded header; RFC 3462 asks for the whole header, not more


def report_type(case: Case) -> str:
    """The report-type of a multipart/report, read from the field itself where its parameters are broken."""
    for _, value in case.values("Content-Type"):
        low = value.lower()
        if low.lstrip(" \t\"'").startswith("multipart/report"):
            found = _REPORT_TYPE.search(low)
            return found[1] if found else "unnamed"
    return ""


def bounce(case: Case) -> list[Finding]:
    """Row 3: a delivery report that nobody but a mail system writes."""
    return _report(case) or [*case.values("X-Failed-Recipients")] or _from_system(case)


def weak_bounce(case: Case) -> list[Finding]:
    """Row 3b: the sender and the subject of a delivery report, and nothing that proves one."""
    phrase = bounce_phrase(case.message.subject)
    if not phrase:
        return _wordless_forward(case)
    second = daemon(case) or postmaster(case) or _diagnosis(case)
    return [("Subject", phrase), second] if second else []


def _diagnosis(case: Case) -> Finding | None:
    """What mail systems write into the body, at the start of an unquoted line."""
    found = _DIAGNOSIS.search(case.text.everything[:_LOOKED_AT])
    return ("text", found[0].strip()) if found else None


def _wordless_forward(case: Case) -> list[Finding]:
    """A bounce that a client or a rule passed on without a word of its own: nobody asks anything in it."""
    phrase = bounce_phrase(case.message.subject, forwarded=True)
    if not phrase:
        return []
    quoted, everything = case.text.quoted.strip(), case.text.everything.strip()
    if everything and not (quoted and everything.startswith(quoted[:40])):
        return []
    return [("Subject", case.message.subject), ("text", "nothing above the forward")]


def _report(case: Case) -> list[Finding]:
    kind = report_type(case)
    if kind == "delivery-status":
        return [("Content-Type", "multipart/report; report-type=delivery-status"), *actions(case)]
    status = [kind for kind in case.types if kind in _STATUS_PARTS]
    if not status:
        return []
    # A person who forwards a bounce inline carries its status part too: the system must show otherwise.
    system = kind == "unnamed" or case.null_sender or daemon(case) or postmaster(case)
    return [("part", status[0]), *actions(case)] if system else []


def _from_system(case: Case) -> list[Finding]:
    null = case.null_sender
    if not null:
        return []
    sender, phrase = daemon(case) or postmaster(case), bounce_phrase(case.message.subject)
    second = sender or (("Subject", phrase) if phrase else None)
    return [null, second] if second else []


def actions(case: Case) -> list[Finding]:
    """The Action fields of the status part: failed, delayed, delivered, … (RFC 3464 2.3.3)."""
    parts = (part for part in case.message.parts if part.content_type in _STATUS_PARTS)
    lines = (line for part in parts for line in part.payload[:_LOOKED_AT].splitlines())
    found = (line.partition(b":")[2].strip().lower() for line in lines if line[:7].lower() == b"action:")
    return [("Action", word.decode("ascii", "replace")) for word in dict.fromkeys(found)][:5]


def related(case: Case) -> str:
    """The Message-ID of the mail that a report is about, "" if it names none.

    Looked for in the embedded message or header, then in the text below it as qmail and Exim write it, then
    in In-Reply-To and References, which Exchange fills.
    """
    own = case.message.message_id
    for part in case.message.parts:
        if part.content_type in _ORIGINALS:
            found = _MESSAGE_ID.search(part.payload[:_LOOKED_AT])
            if found:
                return found[1].decode("utf-8", "replace")
    for part in case.message.parts[:3]:
        if part.content_type.startswith("text/"):
            for match in _MESSAGE_ID.finditer(part.payload[:_LOOKED_AT]):
                return match[1].decode("utf-8", "replace")
    ids = (*case.message.in_reply_to, *reversed(case.message.references))
    return next((one for one in ids if one != own), "")
