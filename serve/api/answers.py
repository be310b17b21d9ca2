"""Question -> mail -> answer: each through the very functions that the worker uses, so that both agree."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from mailml.autoreply import judge
from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.errors import InputError
from mailml.message import parse
from mailml.text import classifier_input, own_words
from mailml.verdict import Category, Context, Decision, Kind, RuleTrace, Thread

from .models import Classified, ClassifyAsked, DecideAsked, Decided, HeadersAsked, HeadersJudged


def classify(bundle: Bundle, asked: ClassifyAsked) -> Classified:
    """The category of a text, or an abstention with its reason."""
    message = parse(compose({"Subject": asked.subject}, asked.text, asked.html))
    if bundle.model is None:
        found = Category(None, reason="the bundle holds no classifier")
    else:
        found = bundle.model.categorize(classifier_input(message, own_words(message)))
    return Classified(
        category=found.label or "",
        probability=found.probability,
        abstained=found.abstained,
        reason=found.reason,
        words=", ".join(word for word, _ in found.words),
        bundle=bundle.id,
    )


def headers(bundle: Bundle, asked: HeadersAsked, now: datetime, key: bytes) -> HeadersJudged:
    """What kind of mail these headers are of."""
    fields = {
        "Return-Path": asked.return_path,
        "From": asked.from_,
        "To": asked.to,
        "Reply-To": asked.reply_to,
        "Subject": asked.subject,
        "Auto-Submitted": asked.auto_submitted,
        "X-Auto-Response-Suppress": asked.x_auto_response_suppress,
        "Precedence": asked.precedence,
        "List-Id": asked.list_id,
        "Content-Type": asked.content_type,
    }
    message = parse(compose(fields, asked.text, "", block=asked.headers))
    context = Context(received_at=now, now=now, loop_key=key)
    verdict = judge(message, own_words(message), bundle.desk.identity, context, bundle.text_model)
    first = verdict.evidence[0] if verdict.evidence else None
    return HeadersJudged(
        kind=verdict.kind.value,
        automated=verdict.kind is not Kind.HUMAN,
        disposition=verdict.disposition.value,
        folder=verdict.folder,
        row=verdict.row,
        ack_allowed=verdict.ack_allowed,
        ack_reason=verdict.ack_reason.value if verdict.ack_reason else "",
        evidence=f"{first.name}: {first.value}" if first else "",
        bundle=bundle.id,
    )


def dry_run(bundle: Bundle, asked: DecideAsked, now: datetime, key: bytes) -> Decided:
    """The whole decision on a mail; nothing is written down and nothing is done. Raises InputError."""
    received = asked.received_at or now
    if received.tzinfo is None:
        raise InputError("received_at has no time zone", cure="Write it as 2027-01-31T10:00:00Z")
    context = Context(
        received_at=received.astimezone(UTC),
        now=max(now, received.astimezone(UTC)),
        mailbox=asked.mailbox,
        thread=Thread(
            reference=asked.reference,
            joined_by="asked" if asked.reference else "new",
            acked=asked.acked,
            answered=asked.answered,
        ),
        known_sender=asked.known_sender,
        loop_key=key,
    )
    return _flat(decide(_mail(asked), bundle, context))


def _mail(asked: DecideAsked) -> bytes:
    if asked.raw:
        try:
            return base64.b64decode(asked.raw, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError(
                "raw is not base64", cure="Encode the whole mail, without line breaks"
            ) from error
    fields = {
        "From": asked.from_,
        "To": asked.to,
        "Cc": asked.cc,
        "Subject": asked.subject,
        "Message-ID": asked.message_id,
        "In-Reply-To": asked.in_reply_to,
        "References": asked.references,
    }
    return compose(fields, asked.text, asked.html, block=asked.headers)


def _flat(made: Decision) -> Decided:
    return Decided(
        kind=made.kind.value,
        disposition=made.disposition.value,
        queue=made.queue,
        folder=made.folder,
        priority=made.priority,
        category=(made.category.label or "") if made.category else "",
        probability=made.category.probability if made.category else 0.0,
        rule=made.rule,
        ack=made.ack.send,
        ack_reason=made.ack.reason.value if made.ack.reason else "",
        ack_to=made.ack.to,
        due_at=made.due.at.isoformat() if made.due else "",
        target=made.due.target if made.due else "",
        tags=", ".join(made.tags),
        trace="\n".join(_step(step) for step in made.trace),
        message=made.message,
        bundle=made.bundle,
        decision=made.to_json(),
    )


def _step(step: RuleTrace) -> str:
    return f"{'hit ' if step.hit else 'miss'} {step.rule}" + (f": {step.then}" if step.then else "")


def compose(fields: dict[str, str], text: str, html: str, *, block: str = "") -> bytes:
    """A mail of these pieces. Line ends in a field start no other one; the block is taken as it is.

    Letters outside ASCII stand in the head as UTF-8 (RFC 6532), which the parser reads.
    """
    lines = _block(block)
    present = {line.partition(":")[0].strip().lower() for line in lines if line[:1] not in " \t"}
    lines += [
        f"{name}: {' '.join(value.split())}"
        for name, value in fields.items()
        if value and name.lower() not in present
    ]
    if "content-type" not in {line.partition(":")[0].strip().lower() for line in lines}:
        kind = "html" if html and not text else "plain"
        lines.append(f"Content-Type: text/{kind}; charset=utf-8")
    lines = [line for line in lines if not line.lower().startswith("content-transfer-encoding:")]
    lines.append("Content-Transfer-Encoding: base64")
    body = base64.encodebytes((text or html).encode("utf-8", "replace"))
    head = "\r\n".join(lines).encode("utf-8", "replace")
    return head + b"\r\n\r\n" + body.replace(b"\n", b"\r\n")


def _block(block: str) -> list[str]:
    """The lines of a block of headers, up to the blank line that would end them."""
    lines = block.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n") if block.strip() else []
    return lines[: lines.index("")] if "" in lines else lines
