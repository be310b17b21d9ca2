"""Bounces as Postfix (failed and delayed), Exchange, Gmail, Exim and qmail write them."""

from __future__ import annotations

from mailml.lab.sample.automated.written import (
    Maker,
    Order,
    Written,
    by_hand,
    from_machine,
    letter,
    original_headers,
)
from mailml.lab.sample.desk import AUTHSERV
from mailml.lab.sample.mime import CRLF, multipart

_FOLDER = "Automated/Bounces"
_FAILED = (
    ("5.1.1", "User unknown"),
    ("5.2.2", "Mailbox full"),
    ("5.7.1", "Message rejected"),
    ("5.4.1", "Access denied"),
)


def _status(order: Order, action: str, code: str, reason: str) -> bytes:
    return (
        f"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {AUTHSERV}\r\n\r\n"
        f"Final-Recipient: rfc822; {order.about.address}\r\nAction: {action}\r\nStatus: {code}\r\n"
        f"Diagnostic-Code: smtp; 550 {code} {reason}"
    ).encode()


def _report(order: Order, subject: str, sender: tuple[str, str], words: str, status: bytes) -> Written:
    """multipart/report (RFC 3464): words, status, the headers of what could not be delivered."""
    text = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{words}".encode()
    returned = f"Content-Type: text/rfc822-headers\r\n\r\n{original_headers(order.about)}".encode()
    body = multipart("report", [text, status, returned], order.rng, "report-type=delivery-status; ")
    envelope = from_machine(order, sender[0], sender[1], subject, null_sender=True)
    return by_hand(order, envelope, (("Auto-Submitted", "auto-replied"),), body)


def _postfix(order: Order) -> Written:
    code, reason = order.rng.choice(_FAILED)
    words = (
        f"This is the mail system at host {AUTHSERV}.\r\n\r\nI'm sorry to inform you that your message "
        f"could not\r\nbe delivered to one or more recipients.\r\n\r\n<{order.about.address}>: {reason}"
    )
    sender = ("Mail Delivery System", f"MAILER-DAEMON@{AUTHSERV}")
    status = _status(order, "failed", code, reason)
    return _report(order, "Undelivered Mail Returned to Sender", sender, words, status)


def _delayed(order: Order) -> Written:
    words = (
        "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.\r\n\r\n"
        "Your message could not be delivered for more than 4 hours.\r\n"
        f"It will be retried until it is 5 days old.\r\n\r\n<{order.about.address}>"
    )
    sender = ("Mail Delivery System", f"MAILER-DAEMON@{AUTHSERV}")
    status = _status(order, "delayed", "4.4.1", "Connection timed out")
    return _report(order, "Delayed Mail (still being retried)", sender, words, status)


def _exchange(order: Order) -> Written:
    code, reason = order.rng.choice(_FAILED)
    prefix = {"de": "Unzustellbar", "fr": "Non remis", "es": "No se puede entregar", "nl": "Onbestelbaar"}
    subject = f"{prefix.get(order.about.language, 'Undeliverable')}: {order.about.subject}"
    words = (
        f"Your message to {order.about.address} couldn't be delivered.\r\n\r\n"
        f"Remote Server returned '550 {code} {reason}'"
    )
    sender = ("Microsoft Outlook", f"postmaster@{order.about.domain}")
    return _report(order, subject, sender, words, _status(order, "failed", code, reason))


def _gmail(order: Order) -> Written:
    words = f"Address not found\r\n\r\nYour message wasn't delivered to {order.about.address}."
    sender = ("Mail Delivery Subsystem", "mailer-daemon@quickmail.test")
    status = _status(order, "failed", "5.1.1", "NoSuchUser")
    return _report(order, "Delivery Status Notification (Failure)", sender, words, status)


def _exim(order: Order) -> Written:
    subject, address = "Mail delivery failed: returning message to sender", order.about.address
    daemon = f"Mailer-Daemon@{order.about.domain}"
    envelope = from_machine(order, "Mail Delivery System", daemon, subject, null_sender=True)
    text = (
        "This message was created automatically by mail delivery software.\n\nA message that you sent could "
        "not be delivered to one or more of its\nrecipients. This is a permanent error.\n\n"
        f"  {address}\n    unrouteable address\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n"
    )
    extra = (("X-Failed-Recipients", address), ("Auto-Submitted", "auto-replied"))
    return letter(order, envelope, extra, text + original_headers(order.about).replace("\r\n", "\n"))


def _qmail(order: Order) -> Written:
    """qmail writes QSBMF: plain text without any header that says what it is."""
    domain = order.about.domain
    envelope = from_machine(order, "", f"MAILER-DAEMON@{domain}", "failure notice", null_sender=True)
    text = (
        f"Hi. This is the qmail-send program at {domain}.\nI'm afraid I wasn't able to deliver your message "
        "to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{order.about.address}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\n"
    )
    body = text.replace("\n", "\r\n") + original_headers(order.about)
    return by_hand(
        order, envelope, (), b"Content-Type: text/plain; charset=us-ascii" + CRLF * 2 + body.encode()
    )


MAKERS = (
    Maker("postfix bounce", "bounce", _FOLDER, 3.0, _postfix),
    Maker("postfix delay", "bounce", _FOLDER, 1.2, _delayed),
    Maker("exchange bounce", "bounce", _FOLDER, 3.0, _exchange),
    Maker("gmail bounce", "bounce", _FOLDER, 1.5, _gmail),
    Maker("exim bounce", "bounce", _FOLDER, 1.2, _exim),
    Maker("qmail bounce", "bounce", _FOLDER, 1.0, _qmail),
)
