"""What a pattern or a phrase cannot do without: never too much, and enough to be worth looking for."""

from __future__ import annotations

import pytest
import re2

from mailml.flow import Ask
from mailml.flow.batch.plans import plan_of
from mailml.flow.patterns import Needs, needs_of
from mailml.flow.runs import LONGEST, members, rarer, rarest


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "pieces"),
        [
            ("invoice", ("invoice",)),
            ("(?i)INVOICE", ("invoice",)),
            ("refund|chargeback", ("chargeback", "refund")),
            (r"\b(refund|chargeback)\b", ("chargeback", "refund")),
            (r"order\s+no\.?\s*\d{6}", ("order",)),
            ("^paid$", ("paid",)),
            ("(?m)^paid$", ("paid",)),
            (r"\Apaid\z", ("paid",)),
            ("(?:paid)+", ("paid",)),
            ("(?P<what>paid) x", ("paid x",)),
            ("paid??late", ("late",)),
            ("ab{2,}cd", ("cd",)),
            ("ab{0}cd", ("cd",)),
            ("[a-z]late", ("late",)),
            (r"a\.b", ("a.b",)),
            ("(paid)?", ()),
            ("paid|x*", ()),
            ("paid|", ()),
            ("über", ("ber",)),  # the letter may be composed of two
            ("x", ()),  # a single letter stands in every mail
            ("", ()),
            (".*", ()),
            (r"[^a]", ()),
            (r"\Qa.b\E", ()),  # not understood: anything may match
            (r"\pL{3}", ()),
            (r"\x41bc", ()),
        ],
    )
    def test_pieces(self, pattern: str, pieces: tuple[str, ...]) -> None:
        """The longest literal text of a pattern is named, and none where it can match without."""
        assert needs_of(pattern).pieces == pieces

    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            ("(?i)paid in full", "Paid In Full"),
            (r"(?i)paid\b|\d{3}", "xx 123"),
            (r"(a|bc){2}d", "abcd"),
            (r"a{2}b{1,2}", "aabb"),
            ("(?s)a.b", "a\nb"),
            (r"[\d.]+", "1.2"),
            ("a|b|", ""),
            (r"\x00", "\x00"),
        ],
    )
    def test_what_matches_has_its_pieces_and_runs(self, pattern: str, text: str) -> None:
        """Where RE2 finds a match in ASCII text, a piece and the run stand."""
        needs, lower = needs_of(pattern), text.lower()
        assert re2.search(pattern, text)
        assert not needs.pieces or any(piece in lower for piece in needs.pieces)
        places = range(len(text) - len(needs.run) + 1)
        assert any(all(text[at + n] in one for n, one in enumerate(needs.run)) for at in places)

    @pytest.mark.parametrize("pattern", ["(" * 2_000 + "a" + ")" * 2_000, "a" * 2_000, "(a|b)" * 400])
    def test_long_patterns_end(self, pattern: str) -> None:
        """Deep or long patterns are understood or given up, and never fail."""
        assert isinstance(needs_of(pattern), Needs)


class TestRuns:
    def test_an_account_number_has_a_run(self) -> None:
        """Two capitals and two digits stand in what has no literal text; the digits are looked for first."""
        run = needs_of(r"\b[A-Z]{2}\d{2}(\s?[A-Z0-9]{4}){3,7}\b").run
        assert [one[0] for one in run[:4]] == ["A", "A", "0", "0"]
        assert rarest(run) in (2, 3)

    def test_frequent_letters_are_not_worth_looking_for(self) -> None:
        """Small letters stand everywhere: no place of such a run is looked for."""
        assert rarest(needs_of("[a-z]{4}").run) is None
        assert rarest(()) is None

    def test_a_run_is_cut(self) -> None:
        """A run is as long as is useful and no longer."""
        assert len(needs_of(r"\d{500}").run) <= LONGEST
        assert needs_of(r"\d{500}").run

    def test_the_rarer_of_two(self) -> None:
        """More places, and fewer characters at each, are rarer."""
        assert rarer((members("[0-9]"),), (members("[0-9]"),) * 3) == (members("[0-9]"),) * 3
        assert rarer((members(r"\w"),), ("x",)) == ("x",)
        assert members(r"\d") == "0123456789"


class TestPlans:
    @pytest.mark.parametrize(
        ("operator", "expected", "pieces"),
        [
            ("contains", ("credit note",), ("credit",)),
            ("contains", ("STRASSE",), ("tra",)),  # a double s may have been ß, one at the edge a half of it
            ("contains", ("ss",), ()),
            ("contains", ("credit", "ß"), ()),
            ("is", ("über uns",), ("ber",)),
            ("starts_with", ("Re: x",), ("re",)),
            ("ends_with", (".example",), ("example",)),
            ("matches", ("refund|paid", "x{2}"), ()),
        ],
    )
    def test_pieces(self, operator: str, expected: tuple[str, ...], pieces: tuple[str, ...]) -> None:
        """A question names a piece for each value that fits, or nothing."""
        assert plan_of(Ask("text", operator, expected)).pieces == pieces

    @pytest.mark.parametrize(
        ("expected", "sure"), [("note", True), (" note", False), ("Zoë", False), ("a b", True)]
    )
    def test_what_can_be_sure(self, expected: str, sure: bool) -> None:
        """Text as it was written settles ASCII without blanks at its edges, and nothing else."""
        plan = plan_of(Ask("text", "contains", (expected,)))
        assert (bool(plan.sure), bool(plan.hint)) == (sure, sure)

    def test_only_foreign_text_can_hold_foreign_letters(self) -> None:
        """A value with a letter beyond ASCII is looked for in text that has some."""
        assert plan_of(Ask("text", "contains", ("漢字",))).foreign
        assert not plan_of(Ask("text", "contains", ("漢字", "kanji"))).foreign
