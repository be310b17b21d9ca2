"""Rows 6, 7 and 7b: automatic replies, by headers that say so and by localised subjects."""

from __future__ import annotations

from collections.abc import Iterator

from mailml.autoreply.case import Case, Finding

# Each header is its responder's own; a value of "no" or "0" takes it back.
_MARKS = (
    "X-Autoreply",  # many; Discourse, Zendesk and Kayako document it
    "X-Auto-Reply",
    "X-Autorespond",  # qmail autorespond, DirectAdmin
    "X-Autoresponder",
    "X-Autoresponse",
    "X-AutoReply-From",  # Amazon, Parallels
    "X-Mail-Autoreply",  # Mail.ru, Parallels
    "X-Mail-Autoresponse",
    "X-Amazon-Auto-Reply",
    "X-Vacation",
    "X-Autoreply-Domain",
    "X-Autoreply-Version",
)
# Responders that name themselves as their mail program: vacation(1), gnarwl, qmail-autoresponder, Plesk's.
_RESPONDERS = (
    "vacation",
    "gnarwl",
    "autorespond",
    "auto-respond",
    "autoreply",
    "auto-reply",
    "qmail-autoresponder",
)
_PRECEDENCES = frozenset({"auto_reply", "auto-reply", "autoreply"})
_LOWERED = frozenset({"bulk", "junk", "list"}) | _PRECEDENCES
_REPLIED = frozenset({"auto-replied", "auto-reply", "auto_replied"})
_NEGATIVE = frozenset({"no", "false", "0", "none"})


def certain(case: Case) -> list[Finding]:
    """Row 6: a responder says that it answered."""
    return list(_certain(case))


def by_subject(case: Case) -> list[Finding]:
    """Row 7: a localised prefix, plus one header that people's programs do not write."""
    echo = case.echo
    if echo is None or case.auto_submitted == "no":
        return []
    proof = list(_beside(case))
    if not proof and echo.sure and not (echo.mark or echo.dated):
        # "Re: Automatic reply: ..." with In-Reply-To is a person who answers an automatic reply; people
        # type "Out of office until Monday" too, and then in answer to us.
        proof = list(_answers(case))
    return [("Subject", case.message.subject), *proof] if proof else []


def by_subject_alone(case: Case) -> list[Finding]:
    """Row 7b: the prefix and nothing else; people write about being away too, so it is delivered."""
    echo = case.echo
    if echo is None or echo.mark or case.auto_submitted == "no":
        return []
    return [("Subject", case.message.subject)] if echo.sure or any(_answers(case)) else []


def _certain(case: Case) -> Iterator[Finding]:
    for name, value, word in case.tokens("Auto-Submitted"):
        if word in _REPLIED:
            yield name, value
    for name, value, word in case.tokens(*_MARKS):
        if word not in _NEGATIVE:
            yield name, value
    for name, value, word in case.tokens("Precedence", "X-Precedence"):
        if word in _PRECEDENCES:
            yield name, value
    yield from _vendors(case)


def _vendors(case: Case) -> Iterator[Finding]:
    for name, value in case.values("X-POST-MessageClass"):
        if "autoresponder" in value.lower():  # "9; Autoresponder"
            yield name, value
    for name, value, word in case.tokens("X-Apple-Action"):
        if word.startswith("vacation"):
            yield name, value
    for name, value, word in case.tokens("Delivered-To"):
        if word == "autoresponder":  # qmail's and Plesk's responders
            yield name, value
    for name, value, word in case.tokens("X-Mailer", "User-Agent"):
        if word.startswith(_RESPONDERS):
            yield name, value
    yield from _exchange(case)


def _exchange(case: Case) -> Iterator[Finding]:
    loop = [*case.values("X-MS-Exchange-Inbox-Rules-Loop")]
    if loop and "all" in case.suppress:
        # Inbox rules also forward people's mail; a forward keeps its sender and does not answer ours.
        if case.null_sender:
            yield from (loop[0], case.null_sender)
        elif case.context.thread.answers_ours:
            yield from (loop[0], ("In-Reply-To", " ".join(case.message.in_reply_to)))


def _beside(case: Case) -> Iterator[Finding]:
    if case.null_sender:
        yield case.null_sender
    if case.auto_submitted not in ("", "no"):
        yield "Auto-Submitted", case.auto_submitted
    for name, value, word in case.tokens("Precedence", "X-Precedence"):
        if word in _LOWERED:
            yield name, value
    if case.suppress & {"all", "autoreply"}:
        yield "X-Auto-Response-Suppress", ", ".join(sorted(case.suppress))


def _answers(case: Case) -> Iterator[Finding]:
    if case.message.in_reply_to:
        yield "In-Reply-To", case.message.in_reply_to[0]
    elif case.message.references:
        yield "References", case.message.references[-1]
