"""`lab.preview`: one message as a person reads it, and what a bundle makes of it. Text only, never markup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailml.lab.escape import NO_MATH, esc, mask, plain_text
from mailml.message import Message, parse
from mailml.text import own_words

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.verdict import Category, Decision

_LONGEST = 4_000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Preview:
    """A message to look at, the customer's `own` words, and the `decision` where a bundle was given."""

    message: Message
    own: str
    decision: Decision | None
    masked: bool

    def lines(self) -> list[tuple[str, str]]:
        """What is shown, name by name."""
        message = self.message
        sender = f"{message.from_.name} <{message.from_.addr}>" if message.from_ else ""
        to = ", ".join(person.addr for person in message.to[:5])
        files = ", ".join(part.filename or part.content_type for part in message.attachments[:10])
        shown = [("from", sender), ("to", to), ("subject", message.subject), ("attached", files)]
        if self.masked:
            shown = [(name, mask(value)) for name, value in shown]
        return [(name, value) for name, value in [*shown, *_told(self.decision)] if value]

    def __str__(self) -> str:
        head = "\n".join(f"{name:>9}  {plain_text(value, 300)}" for name, value in self.lines())
        return f"{head}\n\n{plain_text(self.own, _LONGEST)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{esc(name)}</th>"
            f"<td style='text-align:left'>{esc(value, 300)}</td></tr>"
            for name, value in self.lines()
        )
        own = f"<pre style='white-space:pre-wrap'>{esc(self.own, _LONGEST)}</pre>"
        return f"<table class='{NO_MATH}'>{rows}</table>{own}"


def preview(
    archive: Archive, sha256: str, bundle: Bundle | None = None, *, addresses: bool = False
) -> Preview:
    """Show one message of an archive by its SHA-256; with a bundle also its decision and every rule tried.

    Addresses are masked unless `addresses` asks for them. The decision is of the message alone, as if it
    opened an interaction. Raises InputError when the message is not in the archive.
    """
    from mailml.decide import decide
    from mailml.verdict import Context

    message = parse(archive.raw(sha256))
    decision = None
    if bundle is not None:
        at = message.received_dates[0] if message.received_dates else message.date or _NEVER
        decision = decide(message, bundle, Context(received_at=at, now=at))
    return Preview(message, own_words(message).own, decision, masked=not addresses)


def _told(decision: Decision | None) -> list[tuple[str, str]]:
    if decision is None:
        return []
    ack = "yes" if decision.ack.send else f"no ({decision.ack.reason.value if decision.ack.reason else ''})"
    rules = ", ".join(f"{step.rule}: {'hit' if step.hit else 'miss'}" for step in decision.trace)
    told = [
        ("kind", decision.kind.value),
        ("goes to", decision.queue or f"filed in {decision.folder}"),
        ("because", decision.rule),
        ("rules", rules),
        ("ack", ack),
    ]
    category = decision.category
    if category is not None:
        told.append(("category", _category(category)))
    return told


def _category(category: Category) -> str:
    """The answer with its words; where there is none, why."""
    if category.label is None:
        return f"no answer: {category.reason}" if category.reason else "no answer"
    words = ", ".join(word for word, _ in category.words[:6])
    return f"{category.label} {category.probability:.0%}{f' ({words})' if words else ''}"
