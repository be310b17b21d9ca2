"""Laws of the flow: it reads back what it writes, decides as an oracle does, proves only what holds."""

from __future__ import annotations

import re
import unicodedata

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.flow import Ask, Facts, Flow, Not, Rule, Then, source
from mailml.flow.conditions import WEEKDAYS, All, AnyOf, Condition
from mailml.flow.folding import fold, fold_expected
from mailml.flow.implies import implies, never
from mailml.flow.lint import lint
from mailml.text import detect_language
from mailml.verdict import canonical_json
from tests.laws import flows as made

conditions, some_facts, some_flows = made.conditions, made.facts(), made.flows()


def values(field: str, scope: str, facts: Facts) -> list[str]:
    """The oracle's reading of a text field."""
    message = facts.message
    subject = re.split("[:：]", message.subject)[0] if facts.echoes_subject else message.subject
    found = {
        "subject": [subject],
        "text": [facts.text.everything if scope else facts.text.own],
        "from_address": [message.from_.addr if message.from_ else ""],
        "from_domain": [message.from_.domain if message.from_ else ""],
        "to": [address.addr for address in message.to],
        "cc": [address.addr for address in message.cc],
        "attachment_name": [part.filename for part in message.attachments],
        "language": [detect_language(facts.text.own)],
        "kind": [facts.kind.value],
        "mailbox": [facts.mailbox],
        "received.weekday": [WEEKDAYS[facts.received_local.weekday()] if facts.received_local else ""],
    }
    if field.startswith("header."):
        return [header.value for header in message.headers if header.name.lower() == field[7:].lower()]
    return [value for value in found[field] if value.strip()]


def compare(operator: str, value: str, expected: str) -> bool:
    """The oracle's comparison of one value with one expected value."""
    if operator == "matches":
        return re2.search(expected, unicodedata.normalize("NFC", value)) is not None
    hay, needle = fold(value), fold_expected(expected)
    if operator == "is":
        return hay == needle.strip(" ")
    if operator == "starts_with":
        return f"{hay} ".startswith(needle.lstrip(" "))
    if operator == "ends_with":
        return f" {hay}".endswith(needle.rstrip(" "))
    return needle in (f" {hay} " if needle != needle.strip(" ") else hay)


def answer(ask: Ask, facts: Facts) -> bool:
    """The oracle's answer to one question, written down without any regard for speed."""
    first = ask.expected[0]
    numbers = {
        "at_least": lambda x: x >= first,
        "at_most": lambda x: x <= first,
        "is": lambda x: x in ask.expected,
    }
    if ask.field == "category":
        category = facts.category()
        if category is None or category.label is None:
            return ask.operator == "exists" and first is False
        if ask.operator == "exists":
            return first is True
        return (
            category.label in ask.expected
            if ask.operator == "is"
            else numbers[ask.operator](category.probability)
        )
    if ask.field in ("has_attachment", "is_reply", "authenticated"):
        flags = {"has_attachment": bool(facts.message.attachments), "is_reply": facts.message.is_reply}
        return flags.get(ask.field, facts.authenticated) is first
    if ask.field == "size":
        return numbers[ask.operator](facts.message.size)
    if ask.field == "received.hour":
        return facts.received_local is not None and numbers[ask.operator](facts.received_local.hour)
    found = values(ask.field, ask.scope, facts)
    if ask.operator == "exists":
        return bool(found) is first
    return any(compare(ask.operator, value, str(expected)) for value in found for expected in ask.expected)


def fits(condition: Condition, facts: Facts) -> bool:
    """The oracle's answer to a condition."""
    if isinstance(condition, Ask):
        return answer(condition, facts)
    if isinstance(condition, Not):
        return not fits(condition.of, facts)
    answers = [fits(part, facts) for part in condition.of]
    return all(answers) if isinstance(condition, All) else any(answers)


def alone(condition: Condition, facts: Facts) -> bool:
    """What the flow itself says of one condition."""
    return Flow((Rule("r", condition, Then(queue="Q")),), "D").run(facts).queue == "Q"


@settings(max_examples=150, deadline=None)
@given(some_flows)
def test_a_flow_reads_back_what_it_writes(flow: Flow) -> None:
    """loads(dumps(flow)) is the flow, and writing is deterministic."""
    text = source.dumps(flow)
    again = source.loads(text)
    assert again == flow
    assert source.dumps(again) == text


@settings(max_examples=200, deadline=None)
@given(some_flows, some_facts)
def test_a_flow_decides_as_the_oracle_does(flow: Flow, facts: Facts) -> None:
    """Every rule tried hits or misses as a naive evaluator says, in order, up to the first final hit."""
    trace = flow.run(facts).trace
    assert [tried.rule for tried in trace] == [rule.name for rule in flow.rules[: len(trace)]]
    for rule, tried in zip(flow.rules, trace, strict=False):
        assert tried.hit == fits(rule.when, facts), source.dumps(Flow((rule,), "D"))
    finals = [n for n, rule in enumerate(flow.rules) if not rule.continue_ and fits(rule.when, facts)]
    assert len(trace) == (finals[0] + 1 if finals else len(flow.rules))


@settings(max_examples=80, deadline=None)
@given(some_flows, some_facts)
def test_the_same_mail_gives_the_same_bytes(flow: Flow, facts: Facts) -> None:
    """A flow used before, and the flow as read from its file, give the outcome of a fresh one."""
    first = canonical_json(flow.run(facts))
    assert canonical_json(flow.run(facts)) == first
    assert canonical_json(source.loads(source.dumps(flow)).run(facts)) == first


@settings(max_examples=150, deadline=None)
@given(some_flows, some_facts)
def test_rules_that_miss_may_stand_anywhere(flow: Flow, facts: Facts) -> None:
    """Leaving out a rule that missed changes nothing but the trace."""
    outcome = flow.run(facts)
    hits = {tried.rule for tried in outcome.trace if tried.hit}
    lean = Flow(tuple(rule for rule in flow.rules if rule.name in hits), flow.default).run(facts)
    plain = ("queue", "priority", "tags", "ack", "ack_template", "sla", "file", "rule")
    assert [getattr(lean, name) for name in plain] == [getattr(outcome, name) for name in plain]


@settings(max_examples=100, deadline=None)
@given(conditions, some_facts)
def test_not_turns_every_answer_round(condition: Condition, facts: Facts) -> None:
    """`not` says the opposite of what a condition says, and `not not` the same."""
    assert alone(Not(condition), facts) != alone(condition, facts)
    assert alone(Not(Not(condition)), facts) == alone(condition, facts)


@settings(max_examples=100, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=3), some_facts)
def test_groups_mean_their_words(parts: list[Condition], facts: Facts) -> None:
    """`all` is every part, `any` is one of them."""
    answers = [alone(part, facts) for part in parts]
    assert alone(All(tuple(parts)), facts) == all(answers)
    assert alone(AnyOf(tuple(parts)), facts) == any(answers)


@settings(max_examples=300, deadline=None)
@given(made.narrow, made.narrow, some_facts)
def test_what_is_proven_holds(one: Condition, two: Condition, facts: Facts) -> None:
    """A proven implication holds for every message, and a proven contradiction fits none."""
    for given_, wanted in ((one, two), (All((one, two)), two), (one, AnyOf((two, one)))):
        if implies(given_, wanted):
            assert not fits(given_, facts) or fits(wanted, facts)
    for condition in (one, All((one, two)), Not(one)):
        assert not (never(condition) and fits(condition, facts))


@settings(max_examples=80, deadline=None)
@given(some_flows, some_facts)
def test_a_rule_called_shadowed_never_fires(flow: Flow, facts: Facts) -> None:
    """The linter takes any flow, and the rules it says can never fire do not."""
    dead = {found.rule for found in lint(flow) if found.sort in ("shadowed", "unreachable")}
    assert not dead & {tried.rule for tried in flow.run(facts).trace if tried.hit}


TRICKY = "sSßẞſkK\u212a \t\n\u00a0\u2028\u3000ＡaAáa\u0301ﬁfi….µμÅ\u0308İıⅸix漢ガｶ\uff9e’ﾞ²2"
tricky = st.text(st.sampled_from(TRICKY), min_size=1, max_size=6)


@settings(max_examples=250, deadline=None)
@given(st.lists(tricky.filter(fold_expected), min_size=2, max_size=4), st.sampled_from(made.EDGES), tricky)
def test_one_look_for_all_is_never_too_narrow(needles: list[str], operator: str, subject: str) -> None:
    """Rules that share a look at a field hit as each does alone, whatever letters fold into which."""
    rules = tuple(
        Rule(f"r{n}", Ask("mailbox", operator, (x,)), Then("Q"), True) for n, x in enumerate(needles)
    )
    message = made.parse(b"\n")
    facts = Facts(message, made.own_words(message), mailbox=subject)
    hits = [tried.hit for tried in Flow(rules, "D").run(facts).trace]
    assert hits == [bool(subject.strip()) and compare(operator, subject, needle) for needle in needles]


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once_for_whitespace(text: str) -> None:
    """Folded text has no white space but single blanks inside, and equal texts fold alike."""
    folded = fold(text)
    assert folded == folded.strip(" ")
    assert "  " not in folded
    assert not set(folded) & set("\n\r\t\v\f\x85\u2028\u2029\u00a0")
    assert fold(f" {text}\n") == folded


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_the_quick_fold_is_the_slow_fold(text: str) -> None:
    """The table for Latin-1 gives what NFKC and case folding give."""
    slow = unicodedata.normalize("NFKC", text).casefold()
    for space in "\n\r\t\v\f\x85":
        slow = slow.replace(space, " ")
    assert fold(text) == re.sub(" +", " ", slow).strip(" ")
