"""Made-up conditions, flows and messages that meet often enough for laws to bite."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st

from mailml.flow import Ask, Facts, Flow, Not, Rule, Then
from mailml.flow.conditions import WEEKDAYS, Condition, all_of, any_of
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Category, Kind

WORDS = [
    "invoice",
    "Straße",
    "STRASSE",
    "ﬁne print",
    "[URGENT]",
    "a b",
    " b ",
    "über",
    "u\u0308ber",
    "٣",
    "ss",
    "x",
]
PATTERNS = [
    r"(?i)invoice|strasse",
    r"\d+",
    r"^a",
    r"b\b",
    "über",
    r"(?s)a.b",
    r"\bx",
    "",
    r"\Qa b\E",
    "(?P<n>x)",
]
ADDRESSES = ["ann@a.example", "bob@b.a.example", "eve@EVIL.example"]
EDGES = ["is", "contains", "starts_with", "ends_with"]
_BOUNDS = st.sampled_from(["is", "at_least", "at_most"])
LABELS = ["billing", "technical", "general"]
TEXTS = ["subject", "header.X-Tag", "header.x-y_z", "mailbox", "attachment_name"]


def _ask(field: str, operator: str, values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[Ask]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(
        lambda expected: Ask(field, operator, tuple(expected))
    )


def _texts() -> st.SearchStrategy[Ask]:
    word, operators = st.sampled_from(WORDS), ["is", "contains", "starts_with", "ends_with"]
    plain = [_ask(field, operator, word) for field in TEXTS for operator in operators]
    people = [
        _ask(field, operator, st.sampled_from([*ADDRESSES, "@a", ".example", "a.example"]))
        for field in ("from_address", "from_domain", "to", "cc")
        for operator in operators
    ]
    patterns = [_ask(field, "matches", st.sampled_from(PATTERNS)) for field in ("subject", "text", "to")]
    present = st.builds(
        lambda field, there: Ask(field, "exists", (there,)),
        st.sampled_from([*TEXTS, "text", "from_address", "to", "cc", "language"]),
        st.booleans(),
    )
    body = st.builds(
        lambda operator, expected, scope: Ask("text", operator, (expected,), scope),
        st.sampled_from(operators),
        word,
        st.sampled_from(["", "everything"]),
    )
    return st.one_of(*plain, *people, *patterns, present, body)


def _others() -> st.SearchStrategy[Ask]:
    flags = st.builds(
        lambda field, value: Ask(field, "is", (value,)),
        st.sampled_from(["has_attachment", "is_reply", "authenticated"]),
        st.booleans(),
    )
    hours = st.builds(
        lambda operator, hour: Ask("received.hour", operator, (hour,)),
        st.sampled_from(["is", "at_least", "at_most"]),
        st.integers(0, 23),
    )
    chances = st.builds(
        lambda operator, chance: Ask("category", operator, (chance,)),
        st.sampled_from(["at_least", "at_most"]),
        st.sampled_from([0.0, 0.5, 0.8, 1.0]),
    )
    sizes = st.builds(
        lambda operator, size: Ask("size", operator, (size,)),
        st.sampled_from(["at_least", "at_most"]),
        st.integers(0, 600),
    )
    return st.one_of(
        flags,
        hours,
        chances,
        sizes,
        _ask("kind", "is", st.sampled_from([str(kind.value) for kind in Kind])),
        _ask("received.weekday", "is", st.sampled_from(WEEKDAYS)),
        _ask("category", "is", st.sampled_from(LABELS)),
    )


asks: st.SearchStrategy[Condition] = st.one_of(_texts(), _others())
conditions: st.SearchStrategy[Condition] = st.recursive(
    asks,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: all_of(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: any_of(*parts)),
        inner.map(Not),
    ),
    max_leaves=5,
)
_narrow_asks = st.one_of(
    st.builds(lambda operator, hour: Ask("received.hour", operator, (hour,)), _BOUNDS, st.integers(8, 12)),
    *(
        _ask(field, operator, st.sampled_from(ADDRESSES))
        for field in ("from_address", "to")
        for operator in EDGES
    ),
    *(_ask("from_domain", operator, st.sampled_from(["a.example", "example"])) for operator in EDGES),
    *(_ask("subject", operator, st.sampled_from(["x", " b ", "a b", "STRASSE"])) for operator in EDGES),
    _ask("category", "is", st.sampled_from(LABELS)),
    st.builds(lambda there: Ask("subject", "exists", (there,)), st.booleans()),
)
# questions on few fields with few values, so that one often implies another
narrow: st.SearchStrategy[Condition] = st.recursive(
    _narrow_asks,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: all_of(*parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: any_of(*parts)),
        inner.map(Not),
    ),
    max_leaves=3,
)
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
_outcomes = st.builds(
    Then,
    queue=names,
    priority=st.none() | st.integers(-100, 100),
    tags=st.lists(names, max_size=2, unique=True).map(tuple),
    ack=st.none() | st.booleans(),
    sla=st.sampled_from(["", "4 business hours", "30 minutes"]),
)
_templated = st.builds(Then, queue=names, ack=st.just(True), ack_template=names)
_filed = st.builds(Then, file=names.map(lambda name: f"Automated/{name}"))


@st.composite
def flows(draw: st.DrawFn, most: int = 6) -> Flow:
    """A flow of a few rules with different names; those that file never go on."""
    rules = []
    for n in range(draw(st.integers(0, most))):
        then = draw(st.one_of(_outcomes, _templated, _filed))
        go_on = not then.file and draw(st.booleans())
        if go_on and draw(st.booleans()):
            then = replace(then, queue="")
        rules.append(Rule(f"rule {n} {draw(names)}", draw(conditions), then, go_on))
    return Flow(tuple(rules), draw(names))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """A small message made of the words that conditions look for, and what is known beside it."""
    words = st.lists(st.sampled_from([*WORDS, "filler", "\u00a0", "42"]), max_size=4).map(" ".join)
    lines = [f"Subject: {draw(words)}"] if draw(st.booleans()) else []
    for name in ("From", "To", "Cc"):
        if draw(st.booleans()):
            people = st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=1 if name == "From" else 2)
            lines.append(f"{name}: {', '.join(draw(people))}")
    lines += [f"X-Tag: {draw(words)}" for _ in range(draw(st.integers(0, 2)))]
    lines += ["In-Reply-To: <1@a.example>"] if draw(st.booleans()) else []
    body = f"{draw(words)}\n{draw(words)}\n\nOn Monday, Bob <bob@a.example> wrote:\n> {draw(words)}\n"
    message = parse("\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", body]).encode())
    category = draw(
        st.none()
        | st.builds(Category, st.sampled_from([*LABELS, None]), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
    )
    return Facts(
        message,
        own_words(message),
        kind=draw(st.sampled_from(Kind)),
        category=lambda: category,
        mailbox=draw(st.sampled_from(["", "Straße", "invoice"])),
        received_local=draw(st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 8))),
        authenticated=draw(st.booleans()),
        echoes_subject=draw(st.booleans()),
    )


__all__ = ["EDGES", "asks", "conditions", "facts", "flows", "names", "narrow", "own_words", "parse"]
