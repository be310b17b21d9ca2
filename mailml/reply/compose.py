"""The acknowledgement, which cannot loop, and an agent's reply, which carries none of its marks."""

from __future__ import annotations

import html
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from mailml.errors import InputError
from mailml.message import Message
from mailml.reply.headers import (
    address_spec,
    date_field,
    mailbox_field,
    message_ids,
    one_line,
    raw_field,
    text_field,
)
from mailml.reply.policy import AckPolicy
from mailml.reply.templates import Values, render
from mailml.verdict import Ack, Identity

ACK_MAIL_FROM = ""  # MAIL FROM:<>: a bounce of an acknowledgement goes nowhere (RFC 3834 3.3)
LOOP_HEADER = "X-Mailml-Loop"
_MOST_REFERENCES = 20  # RFC 5322 3.6.4 allows cutting from the middle; the first and the last ones join
_TOKEN = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,200}")
_LINK = re.compile(r"://|www\.|[@<>]")
_REPLY_MARK = re.compile(r"\s*(?:re|aw|sv|antw|odp|vs|vá|ynt|res|rép)\s*(?:\[\d+\])?\s*:\s*", re.IGNORECASE)


def compose_ack(
    *,
    message: Message,
    decision_ack: Ack,
    reference: str,
    message_id: str,
    identity: Identity,
    policy: AckPolicy,
    sla_target: str,
    customer_name: str,
    loop_token: str,
    date: datetime,
) -> bytes:
    """The acknowledgement of a message, as RFC 5322 bytes with CRLF; send it with MAIL FROM `ACK_MAIL_FROM`.

    `message_id` is ours and signed (`thread.own_message_id`), `loop_token` the same signed token for the loop
    header; both must be stable across retries, and so is the result. Where `decision_ack` does not echo,
    nothing the sender wrote comes back: neither subject nor name. RFC 3834 section 3, RFC 5230 section 5.
    Raises `InputError` on an address or id that cannot be used, `TemplateError` on a template that fails.
    """
    echo = decision_ack.echo_subject
    values = Values(
        reference=one_line(reference, 40),
        subject=one_line(message.subject) if echo else "",
        customer_name=_shown_name(customer_name) if echo else "",
        sla_target=one_line(sla_target, 80),
    )
    words = policy.words(decision_ack.template)
    subject = render(
        words.subject if echo and values.subject else policy.fixed_subject, values, where="subject"
    )
    fields = [
        *_addressing(identity, [decision_ack.to], subject, date, message_id),
        *_threading(message),
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        raw_field(LOOP_HEADER, [_token(loop_token)]),
    ]
    markup = render(words.body_html, values, where="body_html", markup=True) if words.body_html else ""
    return _written(fields, render(words.body, values, where="body"), markup)


def compose_reply(
    *,
    message: Message,
    to: str,
    reference: str,
    message_id: str,
    identity: Identity,
    body: str,
    date: datetime,
    agent_name: str = "",
    cc: Iterable[str] = (),
) -> bytes:
    """An agent's answer, as RFC 5322 bytes with CRLF: from the corporate address, into the customer's thread.

    It carries none of the automatic marks: a person wrote it. The reference stands in the subject once.
    Raises `InputError` on an address or id that cannot be used.
    """
    subject = one_line(message.subject)
    while mark := _REPLY_MARK.match(subject):
        subject = subject[mark.end() :]
    tag = f"[#{one_line(reference, 40)}]"
    subject = f"Re: {subject}" if tag.lower() in subject.lower() else f"Re: {tag} {subject}"
    person = (
        f"{agent_name} ({identity.name})" if agent_name and identity.name else agent_name or identity.name
    )
    fields = _addressing(identity, [to], subject, date, message_id, shown=person)
    fields.insert(1, mailbox_field("Reply-To", identity.name, identity.address))
    copies = [address_spec(address) for address in cc]
    if copies:
        fields.insert(3, raw_field("Cc", [f"{one}," for one in copies[:-1]] + copies[-1:]))
    return _written([*fields, *_threading(message)], body)


@dataclass(frozen=True, slots=True)
class Preview:
    """An acknowledgement as its reader will see it; a notebook shows it with everything escaped."""

    subject: str
    body: str
    body_html: str = ""

    def _repr_html_(self) -> str:
        # without the class JupyterLab sets what stands between two dollars as a formula
        subject = f"<b class='mathjax_ignore'>{html.escape(self.subject)}</b>"
        shown = f"{subject}<pre>{html.escape(self.body)}</pre>"
        # a frame without any right: no script, no form, no way to the page around it
        frame = (
            f'<iframe sandbox="" width="100%" height="240" srcdoc="{html.escape(self.body_html)}"></iframe>'
        )
        return shown + frame if self.body_html else shown


def preview(
    policy: AckPolicy,
    *,
    subject: str = "Printer on fire",
    customer_name: str = "Jane Doe",
    reference: str = "K7Q2-9M4D",
    sla_target: str = "4 business hours",
    template: str = "",
    echo_subject: bool = True,
) -> Preview:
    """How an acknowledgement reads under a policy, without sending anything."""
    words = policy.words(template)
    shown = (one_line(subject), _shown_name(customer_name)) if echo_subject else ("", "")
    values = Values(reference, *shown, sla_target)
    head = words.subject if shown[0] else policy.fixed_subject
    markup = render(words.body_html, values, markup=True) if words.body_html else ""
    return Preview(one_line(render(head, values)), render(words.body, values), markup)


def _addressing(
    identity: Identity, to: list[str], subject: str, date: datetime, message_id: str, shown: str = ""
) -> list[str]:
    if not identity.address:
        raise InputError("the desk has no address of its own to write from", cure="Set identity.addresses")
    if not message_ids([message_id]):
        raise InputError(f"{message_id[:100]!r} is not a Message-ID", cure="Use thread.own_message_id")
    return [
        mailbox_field("From", shown or identity.name, identity.address),
        *(mailbox_field("To", "", address) for address in to),
        text_field("Subject", subject),
        date_field(date),
        raw_field("Message-ID", [message_id]),
    ]


def _threading(message: Message) -> list[str]:
    own = message_ids([message.message_id])
    if not own:
        return []
    ancestors = [one for one in message_ids(message.references or message.in_reply_to) if one not in own]
    if len(ancestors) > _MOST_REFERENCES:
        ancestors = [ancestors[0], *ancestors[-_MOST_REFERENCES + 1 :]]
    return [raw_field("In-Reply-To", own), raw_field("References", [*ancestors, *own])]


def _written(fields: list[str], body: str, markup: str = "") -> bytes:
    """The mail; with `markup` its HTML stands behind the text, as the better of two (RFC 2046 5.1.4)."""
    head = [*fields, "MIME-Version: 1.0"]
    if not markup:
        return "\r\n".join([*head, ""]).encode("ascii") + _part("plain", body)
    # "=_" never stands in quoted-printable (RFC 2045 6.7), and a retry must give the same bytes
    boundary = f"=_{sha256(chr(10).join(fields).encode('ascii')).hexdigest()[:32]}"
    head.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    parts = [_part("plain", body, quoted=True), _part("html", markup, quoted=True)]
    opened = [f"--{boundary}\r\n".encode("ascii") + part for part in parts]
    end = f"--{boundary}--\r\n".encode("ascii")
    return "\r\n".join([*head, "", ""]).encode("ascii") + b"".join([*opened, end])


def _part(kind: str, words: str, *, quoted: bool = False) -> bytes:
    text = words.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").rstrip("\n") + "\n"
    data = text.encode("utf-8", "replace")
    plain = not quoted and text.isascii() and all(len(line) <= 78 for line in text.split("\n"))
    head = [
        f'Content-Type: text/{kind}; charset="utf-8"',
        f"Content-Transfer-Encoding: {'7bit' if plain else 'quoted-printable'}",
    ]
    encoded = data if plain else quopri.encodestring(data)
    return "\r\n".join([*head, "", ""]).encode("ascii") + encoded.replace(b"\n", b"\r\n")


def _token(value: str) -> str:
    if not _TOKEN.fullmatch(value.strip("<>")):
        raise InputError(f"{value[:100]!r} is not a loop token", cure="Use thread.own_message_id")
    return value.strip("<>")


def _shown_name(name: str) -> str:
    """A name fit to greet with: a display name that carries a link or an address is payload, not a name."""
    shown = one_line(name, 80)
    return "" if _LINK.search(shown) or len(shown) > 60 else shown
