"""What text as it was written says of its folded form, for every letter that there is."""

from __future__ import annotations

import re
import unicodedata

import pytest
import re2

from mailml.flow.folding import fold, fold_expected
from mailml.flow.letters import AS_THEY_ARE, LOOKED_AT, changing, turned, unsteady

KNOWN = [chr(code) for low, high in (*LOOKED_AT, *AS_THEY_ARE) for code in range(low, high + 1)]
LETTERS = [letter for letter in KNOWN if not "\ud800" <= letter <= "\udfff"]


class TestTurned:
    @pytest.mark.parametrize(
        ("letter", "becomes"),
        [
            ("ß", ""),  # ss, which everybody allows for
            ("ẞ", "ss"),  # folded text may hold what no look at ß would find
            ("ö", ""),  # stays a letter beyond ASCII
            ("\u212a", "k"),  # the Kelvin sign
            ("ſ", "s"),
            ("ﬁ", "fi"),
            ("Ａ", "a"),
            ("…", "..."),
            ("\u037e", ";"),
            ("\u00a0", ""),  # a blank
            ("\u3000", ""),
            ("²", "2"),
            ("’", ""),
            ("漢", ""),
            ("😀", ""),
        ],
    )
    def test_what_becomes_of_a_letter(self, letter: str, becomes: str) -> None:
        """Only letters that folding turns into ASCII are named, apart from blanks and ss."""
        assert turned(letter) == becomes

    def test_a_dotted_capital_i_counts(self) -> None:
        """İ folds to an i with a dot above, in which an ASCII i stands."""
        assert "i" in turned("İ")
        assert "i" in fold("İstanbul")

    def test_every_letter_outside_the_class_folds_without_ascii(self) -> None:
        """All letters at once: without one that changes, folding makes no ASCII but blanks and ss."""
        search = re2.compile(changing())
        steady = [letter for letter in LETTERS if not search.search(letter)]
        assert len(steady) > 50_000
        left = re.sub("ss| ", "", fold("x".join(steady)).replace("x", ""))
        assert not re.search("[\x00-\x7f]", left)

    @pytest.mark.parametrize("letter", ["\U00020000", "\U0002f800", "\u3400\U0010ffff"])
    def test_letters_nobody_looked_at_may_become_anything(self, letter: str) -> None:
        """Rare planes are in the class, so that their text is folded to be sure."""
        assert re2.compile(changing()).search(letter)


class TestUnsteady:
    @pytest.mark.parametrize("letter", ["\u0301", "\u0323", "\u212a", "\u212b", "\u1161", "\u11ab", "\u09be"])
    def test_letters_that_nfc_changes(self, letter: str) -> None:
        """Combining marks, signs with another spelling, and vowels that join what stands before them."""
        assert ord(letter) in unsteady()

    @pytest.mark.parametrize("letter", ["é", "ß", "’", "€", "漢", "가", "ш", "ﬁ", "😀"])
    def test_letters_that_stay(self, letter: str) -> None:
        """What most mail is written in needs no composing."""
        assert ord(letter) not in unsteady()

    def test_text_of_steady_letters_is_composed(self) -> None:
        """Every steady letter beside others, in two orders, is NFC as it stands."""
        steady = [letter for letter in LETTERS if ord(letter) not in unsteady()]
        for text in ("".join(steady), "".join(reversed(steady)), "a".join(steady)):
            assert unicodedata.is_normalized("NFC", text)

    def test_nothing_that_composes_with_its_neighbour_was_forgotten(self) -> None:
        """Whatever stands second in a composition was looked at and is unsteady, or was not looked at."""
        inside = {ord(letter) for letter in LETTERS}
        for letter in map(chr, range(0x110000)):
            parts = unicodedata.decomposition(letter).split()
            if len(parts) == 2 and not parts[0].startswith("<") and int(parts[1], 16) in inside:
                assert int(parts[1], 16) in unsteady()


class TestEdges:
    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            (" b\t", " b "),
            ("\u2028b\u3000", " b "),
            ("\x1fb", "\x1fb"),  # a control is no blank, though Python thinks so
            ("\x00", "\x00"),
            (" \n ", ""),
            ("", ""),
            ("ẞ", "ss"),
            ("Σίσυφος", "σίσυφοσ"),
        ],
    )
    def test_what_is_expected_keeps_blanks_at_its_edges(self, text: str, folded: str) -> None:
        """Blanks as `fold` knows them, and nothing else, count at the edges of what a rule expects."""
        assert fold_expected(text) == folded
