"""Two evaluators, one meaning: a flow over columns decides as it does message by message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.errors import InputError
from mailml.flow import Ask, Facts, Flow, Rule, Then, ready, source
from mailml.flow.batch import Batch, folded, frame
from mailml.flow.folding import fold
from mailml.message import parse
from mailml.text import own_words
from mailml.verdict import Outcome
from tests.growth import CLEAR, growth
from tests.laws import flows as made

pl = pytest.importorskip("polars")
HEADERS = ("X-Tag", "x-y_z")
BROAD = """
default = "General"
[[rule]]
name = "tagged"
when = { any = [{ subject = { matches = '(?i)\\bre:|\\d{3}' } }, { text = { contains = "ß" } }] }
then = { tags = ["x"], priority = 3, continue = true }
[[rule]]
name = "words"
when = { text = { contains = ["please find", "invoice", "über"] }, not = { is_reply = true } }
then = { queue = "A" }
[[rule]]
name = "patterns"
when = { text = { matches = ['\\bthe\\b', '\\d+[.,]\\d\\d'], scope = "everything" }, has_attachment = false }
then = { queue = "B", sla = "1 hour" }
[[rule]]
name = "people"
when = { any = [{ cc = { exists = true } }, { from_domain = { ends_with = ".org" } }] }
then = { queue = "C", ack = false, continue = true }
[[rule]]
name = "headers"
when = { header.List-Id = { exists = true }, size = { at_least = "3 KB" } }
then = { file = "Automated/Lists" }
"""


def outcomes(batch: Batch, flow: Flow) -> list[dict[str, object]]:
    """What the columns say, row by row."""
    return batch.run(flow).to_dicts()


def plain(outcome: Outcome) -> dict[str, object]:
    """What one run says, but for its trace."""
    names = ("queue", "priority", "ack", "ack_template", "sla", "file", "rule")
    return {**{name: getattr(outcome, name) for name in names}, "tags": list(outcome.tags)}


@settings(max_examples=150, deadline=None)
@given(made.flows(), st.lists(made.facts(), max_size=4))
def test_columns_decide_as_single_messages_do(flow: Flow, messages: list[Facts]) -> None:
    """For any flow and any messages the two evaluators give the same outcomes."""
    batch = Batch(frame(messages, headers=HEADERS))
    assert outcomes(batch, flow) == [plain(flow.run(one)) for one in messages]


@settings(max_examples=200, deadline=None)
@given(made.asks, st.lists(made.facts(), min_size=1, max_size=3))
def test_every_question_has_one_answer(ask: Ask, messages: list[Facts]) -> None:
    """Question by question, a bitmap holds what the single message answers."""
    flow = Flow((Rule("r", ask, Then("Q")),), "D")
    found = Batch(frame(messages, headers=HEADERS)).fits(ask)
    assert list(found) == [flow.run(one).queue == "Q" for one in messages]


@given(st.lists(st.none() | st.text(max_size=20), max_size=6))
def test_columns_fold_as_single_texts_do(texts: list[str | None]) -> None:
    """A folded column holds `fold` of every text, and null where there is none."""
    expected = [None if text is None else fold(text) for text in texts]
    assert folded(pl.Series(texts, dtype=pl.String)).to_list() == expected


def test_real_mail_in_both_evaluators(shared: Path) -> None:
    """On real and malformed mail a broad flow and the guide's decide alike in columns and one by one."""
    listed = [json.loads(line) for line in (shared / "mail" / "manifest.jsonl").read_text().splitlines()][::4]
    mails = [parse(path.read_bytes()) for path in sorted((shared / "mail").glob("*/*.eml"))[::4]]
    messages = [Facts(mail, own_words(mail)) for mail in mails if mail.size < 200_000]
    assert len(messages) > len(listed) / 2
    batch = Batch(frame(messages, headers=("List-Id", "X-Auto-Response-Suppress", "Auto-Submitted")))
    for flow in (source.loads(BROAD), ready.load("guide")):
        single = [plain(flow.run(one)) for one in messages]
        assert outcomes(batch, flow) == single
        assert len({json.dumps(one, sort_keys=True) for one in single}) > 1


class TestReuse:
    def batch(self) -> Batch:
        mails = [
            parse(f"Subject: {word}\n\n{word} text\n".encode()) for word in ("one", "two", "three", "four")
        ]
        return Batch(frame(Facts(mail, own_words(mail)) for mail in mails))

    def rule(self, name: str, word: str) -> Rule:
        return Rule(name, Ask("subject", "contains", (word,)), Then(name))

    def test_reordering_scans_nothing_and_an_edit_scans_one(self) -> None:
        """Bitmaps are kept: the same questions in another order cost no scan, an edited one costs one."""
        batch, rules = self.batch(), [self.rule("a", "o"), self.rule("b", "t"), self.rule("c", "f")]
        first = batch.run(Flow(tuple(rules), "D"))["queue"].to_list()
        assert (first, batch.asked) == (["a", "a", "b", "a"], 3)
        assert batch.run(Flow(tuple(reversed(rules)), "D"))["queue"].to_list() == ["a", "b", "b", "c"]
        assert batch.asked == 3
        batch.run(Flow((*rules[:2], self.rule("c", "four")), "D"))
        assert batch.asked == 4

    def test_thousands_of_words_in_one_rule(self) -> None:
        """A long list of words is found as by single messages, in a time that grows as the list does."""
        mails = [parse(f"\nsome word{n} or other\n".encode()) for n in range(0, 2_000, 50)]
        messages = [Facts(mail, own_words(mail)) for mail in mails]
        columns = frame(messages)

        def asked(words: int) -> Ask:
            return Ask("text", "contains", tuple(f"word{n} " for n in range(words)))

        found = Batch(columns).matches(asked(1_000))
        assert list(found) == [Flow((Rule("r", asked(1_000)),), "").run(m).trace[0].hit for m in messages]
        assert growth(lambda words: Batch(columns).count(asked(words)), 500) < CLEAR

    def test_hits_are_those_of_every_rule_by_itself(self) -> None:
        """Coverage counts what a condition fits, whatever stands before it."""
        hits = self.batch().hits(Flow((self.rule("a", "o"), self.rule("b", "t")), "D"))
        assert [list(hits[name]) for name in "ab"] == [[True, True, False, True], [False, True, True, False]]

    def test_a_column_that_is_not_there_is_named(self) -> None:
        """A flow that asks for a header which the archive's columns lack is told so."""
        with pytest.raises(InputError, match=r"header\.X-Other"):
            self.batch().run(Flow((Rule("r", Ask("header.X-Other", "exists", (True,)), Then("Q")),), "D"))

    def test_no_messages_at_all(self) -> None:
        """An empty archive gives an empty table with all its columns."""
        table = Batch(frame([])).run(ready.load("default"))
        assert (table.height, "queue" in table.columns) == (0, True)
