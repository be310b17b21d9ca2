"""What every maker of automated mail is given and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from mailml.lab.sample.desk import ADDRESS, AUTHSERV
from mailml.lab.sample.envelope import Envelope, Headers, incoming, message_id
from mailml.lab.sample.mime import CRLF, Draft, encode_header, render, text_part


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail of ours that a machine answers: who got it, its subject and identifier."""

    name: str
    address: str
    subject: str
    message_id: str
    language: str

    @property
    def domain(self) -> str:
        """The recipient's domain."""
        return self.address.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Order:
    """One automated mail to be made: when, about which answer of ours, with which stream of chance."""

    rng: Random
    at: datetime
    about: Answer


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes and what is true of them beyond the maker's own kind."""

    raw: bytes
    message_id: str
    sender: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Maker:
    """One product's automated mail: its kind, the folder agents file it in, and how often it comes."""

    name: str
    kind: str
    folder: str
    weight: float
    write: Callable[[Order], Written]
    ack: bool = False


def letter(order: Order, envelope: Envelope, extra: Headers, text: str, *, language: str = "en") -> Written:
    """A text mail with these headers on top of the usual ones."""
    part = text_part(text, "plain", envelope.charset, order.rng)
    raw = render(Draft((*incoming(order.rng, envelope), *extra), part, charset=envelope.charset), order.rng)
    return Written(raw, envelope.message_id, envelope.address, language)


def from_machine(
    order: Order, name: str, address: str, subject: str, *, null_sender: bool = False
) -> Envelope:
    """The envelope of a mail that answers nothing."""
    identifier = message_id(order.rng, address.partition("@")[2])
    return Envelope(
        name, address, subject, order.at, identifier, null_sender=null_sender, authentication="none"
    )


def by_hand(
    order: Order, envelope: Envelope, extra: Headers, body: bytes, *, language: str = "en"
) -> Written:
    """A mail whose body (with its own Content-Type) is ready: reports and calendar parts."""
    head = [f"{name}: {value}".encode() for name, value in (*incoming(order.rng, envelope), *extra)]
    raw = CRLF.join([*head, b"MIME-Version: 1.0"]) + CRLF + body
    return Written(raw, envelope.message_id, envelope.address, language)


def original_headers(about: Answer) -> str:
    """The headers of our mail as reports return them."""
    subject = encode_header(about.subject, "utf-8")
    return (
        f"From: Acme Support <{ADDRESS}>\r\nTo: {about.address}\r\nSubject: {subject}\r\n"
        f"Message-ID: {about.message_id}\r\nReceived: by {AUTHSERV}\r\n"
    )
