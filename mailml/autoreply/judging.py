"""judge: the table, the text model and the refusals, read in this order into one Verdict."""

from __future__ import annotations

from dataclasses import replace

from mailml.autoreply.bounces import related
from mailml.autoreply.case import Case, bare, evidence
from mailml.autoreply.ours import original_sender
from mailml.autoreply.refusals import refusal
from mailml.autoreply.subjects import bounce_phrase
from mailml.autoreply.table import TEXT_MODEL, Row, first_match
from mailml.autoreply.text_model import TextModel
from mailml.message import Message
from mailml.text import Text
from mailml.verdict import Context, Disposition, Evidence, Identity, Kind, Verdict

_ABOUT_OURS = frozenset({Kind.BOUNCE, Kind.REPORT})


def judge(
    message: Message,
    text: Text,
    identity: Identity,
    context: Context,
    model: TextModel | None = None,
) -> Verdict:
    """What kind of mail it is and what may be done about it, with the evidence. Pure and total.

    The first row of `table.TABLE` with evidence wins. The text model is asked only when the table leaves an
    acknowledgement open, and may only withhold it. Nothing here deletes mail: it is delivered or filed.
    """
    case = Case(message, text, identity, context)
    row, findings = first_match(case)
    verdict = _verdict(case, row, evidence(row.number, findings))
    if verdict.ack_reason is None and model is not None and not case.web_form:
        verdict = _read(case, model, verdict)
    refused = refusal(case, verdict.reply_to) if verdict.ack_reason is None else None
    if refused is None:
        return verdict
    reason, finding = refused
    return replace(verdict, ack_reason=reason, evidence=verdict.evidence + evidence(row.number, [finding]))


def _verdict(case: Case, row: Row, found: tuple[Evidence, ...]) -> Verdict:
    # A person who wrote here lately may be the one who answers under an echoed subject.
    spared = row.number == "7" and case.context.thread.human_within_30_days
    filed = row.disposition is Disposition.FILE and not spared
    return Verdict(
        kind=row.kind,
        row=row.number,
        disposition=Disposition.FILE if filed else Disposition.DELIVER,
        ack_reason=row.reason,
        evidence=found,
        folder=row.folder if filed else "",
        reply_to=_reply_to(case, row),
        on_interaction=row.on_interaction and filed,
        echoes_subject=_echoes(case, row),
        priority_cap=row.priority_cap,
        related_message_id=related(case) if row.kind in _ABOUT_OURS else "",
        alarm=row.alarm,
    )


def _read(case: Case, model: TextModel, verdict: Verdict) -> Verdict:
    """Row 13: the words. It turns an open acknowledgement into none, and never files."""
    score = model.score(
        subject=case.message.subject,
        sender=case.sender_local,
        text=case.text.own,
        answers_ours=case.context.thread.answers_ours or case.message.is_reply,
        seconds_since_ours=case.context.thread.seconds_since_ours,
    )
    if score < model.threshold:
        return replace(verdict, model_version=model.version)
    found = Evidence(TEXT_MODEL.number, "text", f"{score:.6f}")
    return replace(
        verdict,
        kind=TEXT_MODEL.kind,
        row=TEXT_MODEL.number,
        ack_reason=TEXT_MODEL.reason,
        evidence=(*verdict.evidence, found),
        model_version=model.version,
    )


def _reply_to(case: Case, row: Row) -> str:
    """Where an acknowledgement would go: never to a third party that the sender merely names.

    The customer behind our web form; the writer of forwarded mail; else Reply-To if it is at the sender's own
    domain, since only that domain is authenticated; else From.
    """
    if case.web_form:
        return case.web_form
    if row.number == "8":
        return bare(original_sender(case))
    sender = case.from_
    if sender is None:
        return ""
    same = (address.addr for address in case.addresses("Reply-To") if address.domain == sender.domain)
    return bare(next((addr for addr in same if addr not in case.identity.addresses), sender.addr))


def _echoes(case: Case, row: Row) -> bool:
    """Whether the subject is our own, echoed after a prefix, so that no topic rule may read it."""
    if row.kind is Kind.AUTO_REPLY:
        return case.echo is not None and case.echo.echoed
    return (
        row.kind is Kind.BOUNCE and ":" in case.message.subject and bool(bounce_phrase(case.message.subject))
    )
