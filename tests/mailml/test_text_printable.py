"""Text of strangers for terminals and logs: on one line where meant, nothing hidden, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailml.text.printable import json_text, lines, one_line
from tests.growth import growth

WILD = "a\x1b[31mred\x9b2J\r\n\u2028b\u202egpj.exe\u2066\x00\x07\ufeff\U000e0041 ok"


def test_one_line_is_one_printable_line() -> None:
    """Escapes, line ends of every kind and direction marks become blanks; what is long is cut visibly."""
    assert one_line(WILD) == "a [31mred 2J b gpj.exe ok"
    assert one_line("Größe 日本") == "Größe 日本"
    assert one_line("x" * 500, 10) == "x" * 9 + "…"
    assert one_line(" " * 5000 + "x", 10).endswith("…")
    assert one_line("") == ""


def test_lines_keep_their_ends_and_nothing_else() -> None:
    """Only the line feed survives of what is not printable."""
    shown = lines("fault\n  - one\x1b]0;title\x07\u202e")
    assert shown == "fault\n  - one\ufffd]0;title\ufffd\ufffd"


@given(st.text(st.characters()) | st.just(WILD))
def test_json_says_the_same_and_shows_nothing_invisible(text: str) -> None:
    """Whatever the text, its JSON reads back as that text and is itself printable."""
    told = json_text({"subject": text})
    assert json.loads(told) == {"subject": text}
    hidden = [char for char in told if not char.isprintable() and char in WILD]
    assert not hidden


@pytest.mark.parametrize("act", [one_line, lines, json_text])
def test_time_grows_with_the_text_alone(act: Callable[[str], str]) -> None:
    """Hostile characters take their length in time, no more."""
    assert growth(act, "\x1b\u202e \n" * 20_000) < 9
