"""Near-duplicates: found where texts are alike, never claimed unproven, in linear time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.lab import duplicates
from mailml.lab.duplicates import likeness, shingles, twins
from tests.growth import growth

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]


def text(rng: random.Random, length: int = 60) -> str:
    """Words at random."""
    return " ".join(rng.choices(WORDS, k=length))


def test_equal_words_are_exact_twins() -> None:
    """Case, digits and punctuation make no difference; empty texts are like nothing."""
    found = twins(["Order 11 is late!", "order 12 IS LATE", "", "!!", "order is early"])
    assert found.exact.tolist() == [0, 0, -1, -1, 4]
    assert found.alike.tolist() == [0, 0, -1, -1, 4]


def test_near_twins_are_nearly_always_found() -> None:
    """Of 200 mails sent again with one word changed, at least 199 are found, and no stranger is."""
    rng = random.Random(3)
    first = [text(rng) for _ in range(200)]
    again = [" ".join(["xyz" if at == 20 else word for at, word in enumerate(t.split())]) for t in first]
    found = twins([*first, *again]).alike
    assert sum(found[i] == found[200 + i] for i in range(200)) >= 199
    assert len(set(found[:200].tolist())) == 200


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS[:12]), max_size=14).map(" ".join), max_size=12))
def test_what_is_called_alike_is_alike(texts: list[str]) -> None:
    """Every text is chained to its group by a likeness that holds, or equal in words to one of it."""
    found = twins(texts)
    for row, group in enumerate(found.alike.tolist()):
        mates = [i for i, other in enumerate(found.alike.tolist()) if other == group and i != row]
        if group >= 0 and mates:
            same = any(texts[i] == texts[row] for i in mates)
            shares = [likeness(shingles(texts[i]), shingles(texts[row])) for i in mates]
            assert same or max(shares) >= duplicates.ALIKE


def test_likeness() -> None:
    """From 0, nothing in common, to 1, all of it; nothing is like nothing."""
    one = shingles("a b c d e f g")
    assert likeness(one, one) == pytest.approx(1)
    assert likeness(one, shingles("t u v w x y z")) == pytest.approx(0)
    assert likeness(frozenset(), frozenset()) == pytest.approx(0)


def test_a_template_a_thousand_times_is_still_linear() -> None:
    """Time grows with the number of mails although all are alike."""
    body = [f"{' '.join(WORDS[:40])} {word}" for word in WORDS]
    assert growth(twins, body) < 9
