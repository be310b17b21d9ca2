"""One meaning of text on both paths, whatever the text: any alphabet, NUL, any line end, 15 KB.

What is expected is cut out of the texts themselves and spelled another way, so that questions are met often.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.flow import Ask, Facts, Flow, Rule, Then
from mailml.flow.batch import Batch, frame
from mailml.flow.folding import fold_expected
from mailml.message import parse
from mailml.text import Text
from tests.laws.test_flow import TRICKY, compare

pytest.importorskip("polars")
EMPTY = parse(b"\n")
# signs that NFC makes ASCII of; NUL and other controls; letters that compose, Hangul's among them; two
# alphabets from right to left and a turn of direction; emoji of several code points; a final sigma
MORE = "\u037e\u1fef\x00\x1f\x7f\r\ufeff\ufffd\u00ad\u200d\ud7a3\u1112\u1161\u11ab\u0323"
MORE += "שלםعربي\u202eΣσς😀👩🏽\u2764\ufe0f"
LETTERS = st.sampled_from(TRICKY + MORE) | st.characters(exclude_categories=["Cs"])
FILLERS = ["", "", "", "\r\n", "Lorem ipsum dolor sit amet.\r\n" * 40, "früh " * 3_000, "\x00 " * 900]
SPELLINGS: list[Callable[[str], str]] = [
    *(str, str.upper, str.lower, str.casefold, str.swapcase, str.strip),
    *(lambda text, form=form: unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")),
    *(lambda text, to=to: text.replace(" ", to) for to in ("\r\n", "\u3000 ")),
]
PATTERNS = [r"^\s*\S", r"\S\s*$", r"(?m)^\S+$", r"\r\n", r"\x00", r"(?s)^.{3}.", r"\bs", r"(?i)[^k]k"]
PATTERNS += [r"(?i)ss|\d+", "é", r"\w{5}", r"[[:upper:]]{2}\d?", r"(?U)a+ ", "e.", r"\x{301}", r"[ßſ]"]
PATTERNS += [r"\C\n", r"\pL{4}"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A few letters before, between and behind much text."""
    parts = draw(st.lists(st.text(LETTERS, max_size=6), min_size=1, max_size=3))
    return draw(st.sampled_from(FILLERS)).join(parts)


@st.composite
def asks(draw: st.DrawFn, known: list[str]) -> Ask:
    """A question for a piece of one of the texts, spelled in another way."""
    text = draw(st.sampled_from(known))
    start = draw(st.integers(0, max(len(text) - 1, 0)))
    piece = draw(st.sampled_from(SPELLINGS))(text[start : start + draw(st.integers(1, 6))])
    operator = draw(st.sampled_from(["is", "contains", "contains", "starts_with", "ends_with", "matches"]))
    if operator == "matches":
        quoted = draw(st.sampled_from(["", "(?i)"])) + re2.escape(piece)
        return Ask("text", operator, (draw(st.sampled_from([quoted, quoted, *PATTERNS])),))
    if operator == "is" and draw(st.booleans()):
        piece = draw(st.sampled_from(SPELLINGS))(text)
    return Ask("text", operator, (piece if fold_expected(piece) else "x",))


def messages(known: list[str]) -> list[Facts]:
    """Messages whose own words are these texts."""
    return [Facts(EMPTY, Text(own=text, everything=text)) for text in known]


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_text_has_one_answer(data: st.DataObject) -> None:
    """Live, in columns and for an oracle a question has the same answer, whatever is asked beside it."""
    known = data.draw(st.lists(texts(), min_size=1, max_size=4))
    asked = data.draw(st.lists(asks(known), min_size=1, max_size=5, unique=True))
    flow = Flow(tuple(Rule(f"r{n}", ask, Then("Q"), True) for n, ask in enumerate(asked)), "D")
    columns = Batch(frame(messages(known))).hits(flow)
    for row, facts in enumerate(messages(known)):
        live = [tried.hit for tried in flow.run(facts).trace]
        assert live == [bool(columns[rule.name][row]) for rule in flow.rules]
        text = facts.text.own
        assert live == [bool(text.strip()) and compare(a.operator, text, str(a.expected[0])) for a in asked]
