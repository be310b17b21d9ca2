"""Phrases and nearness: exact sums, words as written, no filler alone, and a turning point that turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailml.classifier import Model, Policy
from mailml.classifier.phrases import fillers, phrases, word_weights
from mailml.classifier.why import why
from tests.mailml.lab.trained import trained

CHARGED = "Hello,\n\nI was charged twice for the Mobile App and want a REFUND!\nThanks"


@pytest.fixture(scope="module")
def model() -> Model:
    """The model trained on made-up tickets."""
    return trained().model


def contributions(model: Model, text: str, label: str) -> float:
    """The sum of all n-grams' contributions by the model's own account."""
    found = model.explain(text, label, n=100_000)
    return sum(weight for side in (found.words, found.against) for _, weight in side)


PIECES = ["charged", "twice", "the app", "Crash!", "İ", "😀", "\n", "refund"]


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80) | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_word_weights_add_up(text: str) -> None:
    """Whatever the text, its words' weights sum to the model's own, and explaining never fails."""
    model = trained().model
    for label in model.classes:
        total = float(word_weights(model, text, label).sum())
        assert total == pytest.approx(contributions(model, text, label), abs=1e-3)
        for phrase in (*phrases(model, text, label)[0], *phrases(model, text, label)[1]):
            assert phrase.text.strip()
    told = why(model, text)
    assert told.about in model.classes


def test_phrases_are_as_the_customer_wrote_them(model: Model) -> None:
    """Overlapping n-grams become one phrase, in the customer's own letters, at its place in the text."""
    pro, _ = phrases(model, CHARGED, "billing")
    told = [phrase.text for phrase in pro]
    assert "charged twice" in told
    assert any("REFUND" in phrase for phrase in told)
    for phrase in pro:
        assert " ".join(CHARGED[phrase.start : phrase.end].split()).startswith(phrase.text.split()[0])
        assert phrase.weight > 0
    assert list(pro) == sorted(pro, key=lambda p: -p.weight)


def test_no_filler_stands_alone(model: Model) -> None:
    """ "for", "the" and "I" may join a phrase and never are one; nor does a phrase begin or end with one."""
    for text in (CHARGED, "the the for and with you I", "can we visit your office to see the router"):
        for label in model.classes:
            for side in phrases(model, text, label):
                for phrase in side:
                    words = phrase.text.lower().strip("!.,").split()
                    assert words[0] not in fillers()
                    assert words[-1] not in fillers()


def test_phrases_do_not_cross_lines_or_sentences(model: Model) -> None:
    """What stands in two sentences or lines is not one phrase."""
    pro, _ = phrases(model, "I was charged.\nTwice charged! charged twice", "billing")
    assert all("\n" not in phrase.text and ". " not in phrase.text for phrase in pro)


def test_an_unknown_class_is_refused(model: Model) -> None:
    """A label that is no class is a ValueError."""
    with pytest.raises(ValueError, match=r"sales"):
        phrases(model, CHARGED, "sales")


def test_the_turning_point_turns(model: Model) -> None:
    """Just above the named probability the answer is the same, just below it is another."""
    told = why(model, CHARGED)
    assert told.category.label == "billing"
    point = float(told.near.partition("from a probability of ")[2].partition(" on")[0])
    p = np.array([share for _, share in told.category.probabilities])
    at = model.classes.index("billing")

    def answer(share: float) -> str | None:
        moved = p * ((1 - share) / (p.sum() - p[at]))
        moved[at] = share
        return model.policy.choose(moved.tolist(), told.known).label

    assert answer(point + 0.01) == "billing"
    assert answer(point - 0.02) != "billing"


def test_thresholds_and_abstentions_say_how_near(model: Model) -> None:
    """Under a threshold, unsure, withheld, foreign, empty: each says what was missing."""
    strict = model.with_policy(Policy(model.classes, thresholds={"billing": 1.01}))
    assert "under its threshold" in why(strict, CHARGED).near
    silent = model.with_policy(Policy(model.classes, withheld="not enough data"))
    assert "always abstains; without that it would choose billing" in why(silent, CHARGED).near
    foreign = why(model, "Ζητώ επιστροφή χρημάτων γιατί χρεώθηκα δύο φορές")
    assert foreign.category.abstained
    assert "is needed to answer" in foreign.near
    empty = why(model, "")
    assert (empty.near, empty.spoke_for, empty.category.reason) == ("", (), "the message has no text")


def test_without_a_phrase_the_answer_may_be_another(model: Model) -> None:
    """The answers without each strong phrase are those the model gives on the rest of the text."""
    told = why(model, "charged twice the planner crashes with an error")
    assert told.without
    for one in told.turned:
        assert one.category.label != told.category.label
    assert why(model, "charged twice").turned
