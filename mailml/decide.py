"""Message x Bundle x Context -> Decision: the one function that the notebook and the service share.

Pure: no clock, network, database or randomness. Whatever a decision depends on besides the raw bytes and the
bundle stands in the `Context` that is passed in, so a stored decision can be made again to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mailml.autoreply import judge
from mailml.bundle import Bundle
from mailml.flow.conditions import Facts
from mailml.message import Message, parse
from mailml.message.authentication import authenticated
from mailml.sla import due, parse_target
from mailml.text import Text, classifier_input, own_words
from mailml.verdict import (
    Ack,
    Category,
    Context,
    Decision,
    Disposition,
    Due,
    Kind,
    Outcome,
    Reason,
    Verdict,
)


def decide(message: Message | bytes, bundle: Bundle, context: Context) -> Decision:
    """Decide one message: kind, queue, priority, category, acknowledgement, due time, and the trace.

    `message` is a parsed message or its raw bytes. Raises nothing on content. Mail that the table of
    automated mail files away never enters the flow; everything else ends in a queue, or in the visible
    folder that a rule names.
    """
    if isinstance(message, bytes):
        message = parse(message)
    return conclude(examine(message, bundle, context), bundle, context)


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of a message before any rule or the classifier is asked.

    It depends on the message, the desk's identity, the text model and the context; a change of the flow does
    not change it, so that the workbench may keep it and conclude again.
    """

    message: Message
    text: Text
    verdict: Verdict
    trusted: bool  # our own server found the sender's domain to be genuine


def examine(message: Message, bundle: Bundle, context: Context, text: Text | None = None) -> Examined:
    """The first half of `decide`: the customer's own words (`text`, where known), the kind, the sender."""
    text = own_words(message) if text is None else text
    verdict = judge(message, text, bundle.desk.identity, context, bundle.text_model)
    return Examined(message, text, verdict, authenticated(message, bundle.desk.identity.authserv_ids))


def conclude(known: Examined, bundle: Bundle, context: Context) -> Decision:
    """The second half of `decide`: the flow, the classifier if a rule asks it, acknowledgement, due time."""
    message, verdict = known.message, known.verdict
    outcome, category = _routed(known, bundle, context)
    filed = bool(outcome.file)
    return Decision(
        message=message.sha256,
        bundle=bundle.id,
        verdict=verdict,
        disposition=Disposition.FILE if filed else Disposition.DELIVER,
        folder=outcome.file,
        queue="" if filed else outcome.queue,
        priority=_capped(outcome.priority, verdict.priority_cap),
        tags=outcome.tags,
        category=category,
        ack=_ack(verdict, outcome, bundle, context, trusted=known.trusted),
        due=_due(verdict, outcome, bundle, context),
        rule=outcome.rule,
        trace=outcome.trace,
    )


def facts_of(known: Examined, bundle: Bundle, context: Context) -> Facts:
    """What the flow may know of a message; `category` asks the classifier when it is called, once."""
    message, text, verdict = known.message, known.text, known.verdict
    ask = _Asked(bundle, lambda: classifier_input(message, text, echoes_subject=verdict.echoes_subject))
    return Facts(
        message=message,
        text=text,
        kind=verdict.kind,
        category=ask,
        mailbox=context.mailbox,
        received_local=bundle.desk.calendar.local(context.received_at),
        authenticated=known.trusted,
        echoes_subject=verdict.echoes_subject,
    )


def _routed(known: Examined, bundle: Bundle, context: Context) -> tuple[Outcome, Category | None]:
    """What the flow says, and the classifier's answer where a rule asked for it."""
    verdict = known.verdict
    if verdict.disposition is Disposition.FILE:
        return Outcome(queue="", file=verdict.folder, rule=f"table row {verdict.row}"), None
    facts = facts_of(known, bundle, context)
    outcome = bundle.flow.run(facts)
    return outcome, facts.category.answer if isinstance(facts.category, _Asked) else None


class _Asked:
    """The classifier behind a question: asked at most once, and only if a rule wants to know."""

    def __init__(self, bundle: Bundle, text: Callable[[], str]) -> None:
        self._bundle, self._text = bundle, text
        self.answer: Category | None = None

    def __call__(self) -> Category:
        if self.answer is None:
            model = self._bundle.model
            if model is None:
                self.answer = Category(None, reason="the bundle holds no classifier")
            else:
                self.answer = replace(model.categorize(self._text()), model=self._bundle.id)
        return self.answer


def _capped(priority: int, cap: int | None) -> int:
    return priority if cap is None else min(priority, cap)


def _ack(verdict: Verdict, outcome: Outcome, bundle: Bundle, context: Context, *, trusted: bool) -> Ack:
    """The acknowledgement, or the first reason for none, from the message outwards to the limiter."""
    policy = bundle.desk.ack
    known = trusted or context.known_sender
    reasons = (
        verdict.ack_reason,
        # a rule that files a message must not answer it either
        Reason.SWITCHED_OFF if outcome.file or outcome.ack is False or not policy.enabled else None,
        Reason.NO_SENDER if not verdict.reply_to else None,
        Reason.TOO_OLD if context.now - context.received_at > bundle.desk.cut_off else None,
        Reason.ALREADY_ACKED if context.thread.acked else None,
        Reason.ANSWERED if context.thread.answered else None,
        Reason.UNAUTHENTICATED if not known and policy.unauthenticated == "none" else None,
        Reason.LIMIT if context.limit else None,
    )
    reason = next((why for why in reasons if why is not None), None)
    if reason is not None:
        return Ack(send=False, reason=reason)
    # an acknowledgement that echoes a stranger's subject can be used to bomb a third party
    echo = known or policy.unauthenticated == "echo"
    return Ack(send=True, to=verdict.reply_to, template=outcome.ack_template, echo_subject=echo)


def _due(verdict: Verdict, outcome: Outcome, bundle: Bundle, context: Context) -> Due | None:
    """When the first human answer is due: for people who open an interaction, or where a rule says so."""
    if outcome.file or context.thread.reference:
        return None
    if verdict.kind is not Kind.HUMAN and not outcome.sla:
        return None
    target = parse_target(outcome.sla) if outcome.sla else bundle.desk.sla_target
    return due(context.received_at, target, bundle.desk.calendar)
