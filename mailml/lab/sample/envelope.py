"""The headers around a letter: trace, authentication, identifiers, mail programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from mailml.lab.sample.desk import ADDRESS, AUTHSERV, DOMAIN, NAME
from mailml.lab.sample.mime import date_header, encode_header, mailbox

Headers = tuple[tuple[str, str], ...]

_MAILERS = {
    "outlook": ("X-Mailer", "Microsoft Outlook 16.0"),
    "thunderbird": ("User-Agent", "Mozilla Thunderbird 128.4"),
    "apple": ("X-Mailer", "Apple Mail (2.3826.100)"),
    "webmail": ("User-Agent", "Roundcube Webmail/1.6.9"),
    "phone": ("X-Mailer", "iPhone Mail (22B91)"),
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, when, about what, answering what."""

    name: str
    address: str
    subject: str
    at: datetime
    message_id: str
    to: str = ADDRESS
    cc: str = ""
    references: tuple[str, ...] = ()
    charset: str = "utf-8"
    client: str = ""
    null_sender: bool = False
    authentication: str = "pass"  # pass, fail, none

    @property
    def domain(self) -> str:
        """The sender's domain."""
        return self.address.partition("@")[2]


def message_id(rng: Random, domain: str, client: str = "") -> str:
    """A Message-ID in the manner of the mail program."""
    if client == "gmail":
        return f"<CA{rng.getrandbits(120):030x}@{domain}>"
    if client == "outlook":
        return f"<{rng.getrandbits(64):016X}.{rng.getrandbits(48):012X}@{domain}>"
    return f"<{rng.getrandbits(96):024x}@{domain}>"


def incoming(rng: Random, envelope: Envelope) -> Headers:
    """The headers of a mail as it lies in our mailbox, in the order our server leaves them."""
    sender = "" if envelope.null_sender else envelope.address
    return (
        ("Return-Path", f"<{sender}>"),
        ("Delivered-To", envelope.to),
        *_trace(rng, envelope),
        ("Authentication-Results", _authentication(envelope)),
        *_letter_head(envelope),
    )


def outgoing(envelope: Envelope) -> Headers:
    """The headers of an answer as it lies in Sent: no trace."""
    return _letter_head(envelope)


def our_answer(
    rng: Random, agent: str, to: str, subject: str, at: datetime, references: tuple[str, ...]
) -> Envelope:
    """The envelope of an answer of ours: the corporate address, the agent's name."""
    name = f"{agent} ({NAME})" if agent else NAME
    return Envelope(name, ADDRESS, subject, at, message_id(rng, DOMAIN), to=to, references=references)


def _letter_head(envelope: Envelope) -> Headers:
    charset = envelope.charset
    head = [
        ("From", mailbox(envelope.name, envelope.address, charset)),
        ("To", envelope.to),
        ("Subject", encode_header(envelope.subject, charset)),
        ("Date", date_header(envelope.at)),
        ("Message-ID", envelope.message_id),
    ]
    if envelope.cc:
        head.insert(2, ("Cc", envelope.cc))
    if envelope.references:
        head += [("In-Reply-To", envelope.references[-1]), ("References", "\r\n ".join(envelope.references))]
    return (*head, *([_MAILERS[envelope.client]] if envelope.client in _MAILERS else ()))


def _trace(rng: Random, envelope: Envelope) -> Headers:
    queue, host = f"{rng.getrandbits(40):010X}", f"mail.{envelope.domain}"
    ip = f"192.0.2.{rng.randint(1, 254)}"  # TEST-NET-1 (RFC 5737)
    taken = date_header(envelope.at + timedelta(seconds=rng.randint(0, 4)))
    first = date_header(envelope.at)
    ours = f"by {AUTHSERV} with ESMTPS id {queue}\r\n\tfor <{ADDRESS}>; {taken}"
    theirs = f"by {host} with ESMTPSA id {queue.lower()};\r\n\t{first}"
    return (
        ("Received", f"from {host} ({host} [{ip}])\r\n\t{ours}"),
        ("Received", f"from [198.51.100.{rng.randint(1, 254)}] {theirs}"),
    )


def _authentication(envelope: Envelope) -> str:
    said, domain = envelope.authentication, envelope.domain
    if said == "none":
        return f"{AUTHSERV}; dmarc=none header.from={domain}; spf=none smtp.mailfrom={domain}"
    return (
        f"{AUTHSERV};\r\n\tdkim={said} header.d={domain};\r\n\tspf={said} smtp.mailfrom={domain};"
        f"\r\n\tdmarc={said} header.from={domain}"
    )
