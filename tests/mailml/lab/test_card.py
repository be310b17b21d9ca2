"""The card: self-contained, safe whatever a class is called, and without a word of any customer."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from mailml.lab import card
from mailml.lab.evaluate import evaluate
from mailml.lab.train import train
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import judged, trained

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def html() -> str:
    """The card of the model trained on made-up tickets."""
    return card.html(judged(), MADE)


def test_says_what_a_manager_asks(html: str) -> None:
    """Verdict, comparison, classes, confusion, calibration, coverage, languages, and its making."""
    for heading in ("Verdict", "Comparison", "Classes", "Confusion", "Calibration", "Coverage", "Languages"):
        assert f">{heading}" in html
    assert "Enough data: saves" in html
    assert "all to general" in html
    assert "shuffled labels (control)" in html
    assert "2026-03-01 12:00" in html
    assert "whole groups" in html


def test_asks_nobody_for_anything(html: str) -> None:
    """One file: no script, no address that would be fetched."""
    assert "<script" not in html.lower()
    fetched = re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]+)""", html)
    assert all(link.startswith(("data:", "#")) for link in fetched), fetched


def test_holds_no_word_of_a_customer(html: str) -> None:
    """No text, name, address, domain or number of the made-up customers."""
    for trace in ("Quackenbush", "bart@", "customer1.example", "4711", "person1@", "the planner"):
        assert trace not in html


def test_the_same_report_is_the_same_bytes() -> None:
    """Nothing random and no clock in it."""
    assert card.html(evaluate(trained(), control=False), MADE) == card.html(
        evaluate(trained(), control=False), MADE
    )


def test_hostile_class_names_are_text() -> None:
    """A folder may be called anything; its name never becomes markup."""
    made = tickets(120)
    evil = "<img src=x onerror=alert(1)>"
    labels = [evil if label == "billing" else label for label in made.labels]
    shown = evaluate(train(made.texts, labels, senders=made.senders), control=False)
    for text in (card.html(shown, MADE), shown._repr_html_()):
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text


def test_shows_itself_in_a_notebook() -> None:
    """The report's own HTML is the inside of the card, not a document in a document."""
    inside = judged()._repr_html_()
    assert "Comparison" in inside
    assert "<html" not in inside


def test_a_model_the_data_cannot_support_is_called_that() -> None:
    """The verdict is at the top, in words."""
    made = tickets(200)
    shown = card.html(evaluate(train(made.texts, (["billing", "general"] * 100)), control=False), MADE)
    assert "Not enough data" in shown
    assert "abstains, so the flow" in shown


def test_many_classes_are_listed_not_drawn() -> None:
    """Twenty classes: a table instead of an unreadable picture, and it still is a card."""
    words = [f"{chr(97 + k)}{chr(98 + k)}{chr(99 + k)}ology" for k in range(20)]
    texts = [f"please help with {words[k]} {chr(97 + n) * 3}" for k in range(20) for n in range(8)]
    labels = [f"class {k}" for k in range(20) for _ in range(8)]
    shown = card.html(evaluate(train(texts, labels), control=False), MADE)
    assert "class 19" in shown
    assert "20 classes" in shown
