"""A decision told to a person: a short tree of what it is, where it goes, and why.

Nothing of it moves a terminal's cursor or breaks out of its line: what a mail says is shown on one line, cut,
without control characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from mailml.autoreply.reasons import REASONS, row_in_words
from mailml.bundle import Bundle
from mailml.classifier.phrases import Phrase
from mailml.classifier.why import why
from mailml.message import Message
from mailml.sla import length
from mailml.text import classifier_input, own_words
from mailml.thread import Joined
from mailml.verdict import Decision, Due, RuleTrace, Test

_LONGEST = 60  # characters of a mail's own words on one line
_PHRASES = 5  # for the answer, and as many against it
_NAME = 10  # width of the names of the branches
_UNKNOWN = 1970  # the year of a file that does not say when it arrived

_JOINED = {
    "own_message_id": "it answers a mail that we sent and signed",
    "references": "it answers a mail of that conversation",
    "subject_reference": "its subject names the reference, and the sender takes part",
    "same_subject": "it answers something nobody knows, under the one late subject of its sender",
    "same_message": "a copy of this very mail arrived there before",
    "new": "it answers nothing that was read before it",
}

Branch = tuple[str, list[str]]


def explain(
    name: str,
    message: Message,
    decision: Decision,
    bundle: Bundle,
    received_at: datetime,
    joined: Joined | None = None,
) -> str:
    """The decision as lines: the mail, where it goes, then one branch for each thing that was asked.

    `joined` tells which interaction the mail belongs to among those that were read before it, and why.
    """
    local = bundle.desk.calendar.local(received_at)
    arrived = "at an unknown time" if received_at.year == _UNKNOWN else f"{local:%a %d %b %Y %H:%M}"
    sender = message.from_.addr if message.from_ else "nobody"
    head = [
        f"== {one_line(name, 200)}",
        f"   {one_line(message.subject) or '(no subject)'}",
        f"   from {one_line(sender)}, arrived {arrived}",
        f"   → {_place(decision)}",
    ]
    thread: list[Branch] = [("thread", _thread(joined))] if joined is not None else []
    return "\n".join([*head, *_tree([*thread, *_branches(message, decision, bundle)]), ""])


def one_line(text: str, most: int = _LONGEST) -> str:
    """Text of a mail on one line of at most `most` characters, without what could move a cursor."""
    safe = "".join(char if char.isprintable() else " " for char in text)
    flat = " ".join(safe.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _thread(joined: Joined) -> list[str]:
    """Which interaction, on what evidence, and to which one its sender had no part."""
    why = _JOINED.get(joined.by, joined.by)
    seen = f" ({one_line(joined.evidence)})" if joined.evidence else ""
    opens = joined.by == "new"
    told = [f"{'opens' if opens else 'joins'} #{joined.reference}: {why}{seen}"]
    if joined.reopens:
        told.append("it was closed, and is opened again unless the mail is automatic or mere thanks")
    if joined.linked:
        told.append(
            f"points to #{joined.linked}, but the sender takes no part in that: kept apart, and linked"
        )
    return told


def _place(decision: Decision) -> str:
    if decision.folder:
        return f"filed in {one_line(decision.folder)}, in no queue ({decision.rule})"
    tags = f", tags {', '.join(decision.tags)}" if decision.tags else ""
    return f"{one_line(decision.queue)}, priority {decision.priority}{tags}, by rule {decision.rule}"


def _branches(message: Message, decision: Decision, bundle: Bundle) -> list[Branch]:
    verdict = decision.verdict
    seen = [f"{one_line(item.name)}: {one_line(item.value)}" for item in verdict.evidence]
    kind = f"{_words(verdict.kind)}: {row_in_words(verdict)} (row {verdict.row})"
    return [
        ("kind", [kind, *seen]),
        ("rules", _rules(decision.trace, filed=bool(decision.verdict.folder))),
        ("category", _category(message, decision, bundle)),
        ("answer", _ack(decision)),
        ("due", _due(decision.due, bundle)),
    ]


def _rules(trace: Iterable[RuleTrace], *, filed: bool) -> list[str]:
    """Each rule that was tried: hit or miss, what it asked, what it found, and what it did."""
    steps = list(trace)
    width = max((len(step.rule) for step in steps), default=0)
    lines = []
    for step in steps:
        asked = [_test(test) for test in step.tests] or ["asks nothing"]
        first, *rest = [*asked, f"so: {step.then}"] if step.then else asked
        lines.append(f"{'✓' if step.hit else '✗'} {step.rule:<{width}}  {first}")
        lines += [f"  {'':<{width}}  {line}" for line in rest]
    before = "the table of automated mail decides before the flow"
    return lines or [f"none was tried: {before if filed else 'the flow has no rules'}"]


def _test(test: Test) -> str:
    found = f"found {one_line(test.found, 40)}" if test.found else "found nothing"
    asked = f"{test.field} {test.operator} {one_line(test.expected, 40)}"
    return f"{asked}: {'yes' if test.hit else 'no'}, {found}"


def _category(message: Message, decision: Decision, bundle: Bundle) -> list[str]:
    """The answer with its phrases, and how near the call was."""
    category = decision.category
    if category is None:
        return ["no rule asked the classifier"]
    others = sorted(category.probabilities, key=lambda pair: -pair[1])
    shares = ", ".join(f"{label} {share:.1%}" for label, share in others)
    told = [f"cannot tell: {one_line(category.reason, 160)}"] if category.abstained else []
    told += [shares] if shares else []
    if bundle.model is None:
        return told
    echoed = decision.verdict.echoes_subject
    text = classifier_input(message, own_words(message), echoes_subject=echoed)
    found = why(bundle.model, text, n=_PHRASES)
    if not category.abstained and found.spoke_for:
        told.append(f"because of {_phrases(found.spoke_for)}")
    if not category.abstained and found.against:
        told.append(f"although there is {_phrases(found.against)}")
    turned = [
        f"without “{one_line(one.phrase)}”: {one.category.label or 'cannot tell'}" for one in found.turned
    ]
    return [*told, *([one_line(found.near, 200)] if found.near else []), *turned]


def _phrases(found: Iterable[Phrase]) -> str:
    return ", ".join(f"“{one_line(phrase.text)}” {phrase.weight:+.2f}" for phrase in found)


def _ack(decision: Decision) -> list[str]:
    ack = decision.ack
    if not ack.send:
        why = str(ack.reason or "")
        return [f"no acknowledgement: {REASONS.get(why, _words(why))}"]
    subject = "their subject" if ack.echo_subject else "a fixed subject: the sender is not proven"
    return [f"acknowledgement to {one_line(ack.to)}, with {subject}"]


def _due(due: Due | None, bundle: Bundle) -> list[str]:
    if due is None:
        return ["nobody waits for a first answer"]
    calendar = bundle.desk.calendar
    head = f"{calendar.local(due.at):%a %d %b %Y %H:%M} {calendar.zone}, in {due.target}"
    counted = [f"{length(step.minutes)} {_day(step.day)}" for step in due.steps if step.minutes]
    skipped = [f"{_day(step.day)} {step.note}" for step in due.steps if not step.minutes and step.note]
    lines = [head, " + ".join(counted)] if counted else [head]
    return [*lines, f"not counted: {', '.join(skipped)}"] if skipped else lines


def _tree(branches: list[Branch]) -> list[str]:
    lines = []
    for at, (name, told) in enumerate(branches):
        last = at == len(branches) - 1
        corner, stem = ("└─", "  ") if last else ("├─", "│ ")
        lines.append(f"   {corner} {name:<{_NAME}}{told[0]}")
        lines += [f"   {stem} {'':<{_NAME}}{line}" for line in told[1:]]
    return lines


def _day(day: str) -> str:
    return f"{date.fromisoformat(day):%a %d %b}"


def _words(name: str) -> str:
    return name.replace("_", " ")
