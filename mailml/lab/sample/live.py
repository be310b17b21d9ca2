"""The mails of the demo: some forty, sent while the service runs, each with what must become of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from importlib import resources
from random import Random
from typing import Any

from mailml.lab.sample import attachments, automated
from mailml.lab.sample.automated.written import Answer
from mailml.lab.sample.desk import ADDRESS, DOMAIN
from mailml.lab.sample.mime import Draft, Part, date_header, encode_header, mailbox, render, text_part
from mailml.lab.sample.outside import as_sent_out, broken_mails
from mailml.message import parse

_MACHINES = (
    *("exchange out-of-office", "gmail vacation", "sieve vacation", "silent out-of-office"),
    *("postfix bounce", "postfix delay", "exchange bounce", "qmail bounce"),
    *("read receipt", "calendar answer", "calendar invitation", "dmarc report"),
    *("newsletter", "mailing list", "shop robot", "cron", "foreign help desk", "loop look-alike"),
)
_STRANGERS = (("Joan Carver", "en"), ("Dieter Vogt", "de"), ("Inès Picard", "fr"), ("Óscar Vega", "es"))


@dataclass(frozen=True, slots=True)
class LiveMail:
    """One mail to send, and what is expected.

    `kind` and `ack` are what the table of automated mail must say (`ack` False also where the conversation
    has been acknowledged already); `queue` is where it must end, "" where that is up to the classifier or
    where it is filed; `not_queue` is where it must not end.
    """

    name: str
    about: str
    mail_from: str  # "" is the null sender
    recipient: str
    raw: bytes = field(repr=False)
    kind: str
    ack: bool
    queue: str = ""
    not_queue: str = ""

    @property
    def message_id(self) -> str:
        """The mail's Message-ID ("" for one so broken that it has none)."""
        return parse(self.raw).message_id


def live_mails(seed: int = 7, at: datetime | None = None) -> tuple[LiveMail, ...]:
    """The mails in sending order, dated `at` (now, unless said): people, machines, broken ones.

    A mail that answers another follows it. The same seed and time give the same bytes.
    """
    rng, at = Random(f"live {seed}"), (at or datetime.now(UTC)).replace(microsecond=0)
    source = resources.files(__package__).joinpath("words", "live.toml").read_text(encoding="utf-8")
    people = [_person(entry, rng, at) for entry in tomllib.loads(source)["mail"]]
    machines = [machine_mail(name, rng, at, _stranger(rng)) for name in _MACHINES]
    return (*people, *machines, *(_broken(name, raw) for name, raw in broken_mails(rng, at)))


def machine_mail(name: str, rng: Random, at: datetime, about: Answer) -> LiveMail:
    """What a machine sends about a mail of ours, as it comes over the line."""
    made = automated.write(automated.maker(name), rng, at, about, "")
    sender = parse(made.raw).return_path or ""
    raw = as_sent_out(made.raw)
    return LiveMail(name, name, sender, ADDRESS, raw, made.truth["kind"], made.truth["ack"])


def _stranger(rng: Random) -> Answer:
    who, language = rng.choice(_STRANGERS)
    address = f"{who.split()[1].lower()}@mailhaus.example"
    return Answer(who, address, "Your request", f"<{rng.getrandbits(80):x}@{DOMAIN}>", language)


def _person(entry: Mapping[str, Any], rng: Random, at: datetime) -> LiveMail:
    name, address = parseaddr(entry["from"])
    recipient, charset = entry.get("to", ADDRESS), entry.get("charset", "utf-8")
    headers = [
        ("From", mailbox(name, address, charset)),
        ("To", recipient),
        ("Subject", encode_header(entry["subject"], charset)),
        ("Date", date_header(at)),
        ("Message-ID", _identifier(entry["name"], at, address)),
    ]
    if "answers" in entry:
        answered = _identifier(entry["answers"], at, address)
        headers += [("In-Reply-To", answered), ("References", answered)]
    headers += entry.get("headers", {}).items()
    plain = text_part(entry["text"], "plain", charset, rng)
    page = text_part(_html(entry["text"]), "html", charset, rng) if entry.get("html") else None
    raw = render(Draft(tuple(headers), plain, page, (), _files(entry, rng), charset), rng)
    return LiveMail(
        entry["name"],
        entry["about"],
        entry.get("envelope", address),
        recipient,
        raw,
        kind="human",
        ack=entry.get("ack", True),
        queue=entry.get("queue", ""),
        not_queue=entry.get("not_queue", ""),
    )


def _identifier(name: str, at: datetime, address: str) -> str:
    """Known beforehand, so that a mail can answer another one of the list."""
    return f"<{name}.{int(at.timestamp())}@{address.partition('@')[2]}>"


def _html(text: str) -> str:
    return "<html><body>" + "".join(f"<p>{block}</p>" for block in text.split("\n\n")) + "</body></html>"


def _files(entry: Mapping[str, Any], rng: Random) -> tuple[Part, ...]:
    makers = {"picture": attachments.picture, "log": attachments.log, "pdf": attachments.pdf}
    return (makers[entry["attach"]](rng),) if "attach" in entry else ()


def _broken(name: str, raw: bytes) -> LiveMail:
    return LiveMail(
        name, f"broken: {name}", parseaddr(parse(raw).get("From") or "")[1], ADDRESS, raw, "human", True
    )
