"""Read receipts, DMARC, TLS and feedback reports, and what calendars send."""

from __future__ import annotations

import gzip
from datetime import timedelta

from mailml.lab.sample.automated.written import (
    Maker,
    Order,
    Written,
    by_hand,
    from_machine,
    original_headers,
)
from mailml.lab.sample.desk import ADDRESS, DOMAIN
from mailml.lab.sample.envelope import Envelope, message_id
from mailml.lab.sample.mime import Part, leaf, multipart

_READ = {"en": "Read: ", "de": "Gelesen: ", "fr": "Lu : ", "es": "Leído: ", "nl": "Gelezen: "}
_ACCEPTED = {
    "en": "Accepted: ",
    "de": "Zugesagt: ",
    "fr": "Accepté : ",
    "es": "Aceptada: ",
    "nl": "Geaccepteerd: ",
}


def _from_customer(order: Order, subject: str) -> Envelope:
    about = order.about
    identifier = message_id(order.rng, about.domain)
    return Envelope(about.name, about.address, subject, order.at, identifier, references=(about.message_id,))


def _receipt(order: Order) -> Written:
    """A message disposition notification (RFC 8098)."""
    about = order.about
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\nYour message was displayed.\r\n"
    status = (
        f"Content-Type: message/disposition-notification\r\n\r\nReporting-UA: {about.domain}; Outlook\r\n"
        f"Final-Recipient: rfc822;{about.address}\r\nOriginal-Message-ID: {about.message_id}\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    ).encode()
    body = multipart("report", [text, status], order.rng, "report-type=disposition-notification; ")
    envelope = _from_customer(order, _READ[about.language] + about.subject)
    return by_hand(order, envelope, (), body, language=about.language)


def _dmarc(order: Order) -> Written:
    """A DMARC aggregate report (RFC 7489): a zipped XML file."""
    day = order.at.strftime("%Y%m%d")
    name = f"postbox.example!{DOMAIN}!{day}!{day}.xml.gz"
    xml = f"<feedback><policy_published><domain>{DOMAIN}</domain></policy_published></feedback>".encode()
    # mtime=0: the same bytes at every run
    file = leaf(Part("application/gzip", gzip.compress(xml, mtime=0), "base64", name))
    text = b"Content-Type: text/plain\r\n\r\nThis is a DMARC aggregate report."
    subject = f"Report domain: {DOMAIN} Submitter: postbox.example Report-ID: {order.rng.getrandbits(40)}"
    envelope = from_machine(order, "", "dmarc-reports@postbox.example", subject)
    return by_hand(order, envelope, (), multipart("mixed", [text, file], order.rng))


def _tls(order: Order) -> Written:
    """An SMTP TLS report (RFC 8460)."""
    report = gzip.compress(b'{"organization-name":"Quickmail","policies":[]}', mtime=0)
    file = leaf(Part("application/tlsrpt+gzip", report, "base64", f"quickmail.test!{DOMAIN}.json.gz"))
    text = b"Content-Type: text/plain\r\n\r\nThis is an aggregate TLS report from quickmail.test"
    body = multipart("report", [text, file], order.rng, 'report-type="tlsrpt"; ')
    subject = f"Report Domain: {DOMAIN} Submitter: quickmail.test"
    envelope = from_machine(order, "", "tls-reports@quickmail.test", subject)
    extra = (("TLS-Report-Domain", DOMAIN), ("TLS-Report-Submitter", "quickmail.test"))
    return by_hand(order, envelope, extra, body)


def _feedback(order: Order) -> Written:
    """An abuse report in ARF (RFC 5965)."""
    text = b"Content-Type: text/plain\r\n\r\nThis is an abuse report for a message received from 192.0.2.10."
    status = (
        b"Content-Type: message/feedback-report\r\n\r\n"
        b"Feedback-Type: abuse\r\nUser-Agent: Feedback/1.0\r\nVersion: 1\r\n"
    )
    returned = f"Content-Type: text/rfc822-headers\r\n\r\n{original_headers(order.about)}".encode()
    body = multipart("report", [text, status, returned], order.rng, "report-type=feedback-report; ")
    envelope = from_machine(order, "", "feedback@mailhaus.example", "FW: " + order.about.subject)
    return by_hand(order, envelope, (), body)


def _calendar(order: Order, method: str, subject: str, status: str) -> Written:
    about = order.about
    start = (order.at + timedelta(days=3)).strftime("%Y%m%dT100000Z")
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT"),
        *(f"UID:{order.rng.getrandbits(64):x}@{DOMAIN}", f"ORGANIZER:mailto:{ADDRESS}"),
        *(f"ATTENDEE;PARTSTAT={status}:mailto:{about.address}", f"DTSTART:{start}", "SUMMARY:Call with Acme"),
        *("END:VEVENT", "END:VCALENDAR"),
    )
    part = leaf(Part(f"text/calendar; method={method}; charset=utf-8", "\r\n".join(lines).encode(), "7bit"))
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    body = multipart("alternative", [text, part], order.rng)
    return by_hand(order, _from_customer(order, subject), (), body, language=about.language)


def _accepted(order: Order) -> Written:
    status = order.rng.choice(("ACCEPTED", "ACCEPTED", "TENTATIVE", "DECLINED"))
    return _calendar(order, "REPLY", _ACCEPTED[order.about.language] + "Call with Acme", status)


def _counter(order: Order) -> Written:
    return _calendar(order, "COUNTER", "New Time Proposed: Call with Acme", "TENTATIVE")


def _invitation(order: Order) -> Written:
    """An invitation is a person's."""
    return _calendar(order, "REQUEST", "Call about our account", "NEEDS-ACTION")


MAKERS = (
    Maker("read receipt", "report", "Automated/Reports", 2.5, _receipt),
    Maker("dmarc report", "report", "Automated/Reports", 1.5, _dmarc),
    Maker("tls report", "report", "Automated/Reports", 0.5, _tls),
    Maker("abuse report", "report", "Automated/Reports", 0.4, _feedback),
    Maker("calendar answer", "calendar_reply", "Automated/Calendar", 2.0, _accepted),
    Maker("calendar counter", "calendar_reply", "Automated/Calendar", 0.5, _counter),
    Maker("calendar invitation", "human", "Queues/General Support", 0.5, _invitation),
)
