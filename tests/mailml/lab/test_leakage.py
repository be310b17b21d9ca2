"""Leakage: relatives across a split are counted and listed, by what they share."""

from __future__ import annotations

import numpy as np

from mailml.lab import split
from mailml.lab.examples import from_lists
from mailml.lab.leakage import Leakage, leakage
from tests.mailml.lab.tickets import tickets

LONG = "the planner stopped working after the update of last night and nobody in the office can open it"


def test_grouped_folds_leak_nothing() -> None:
    """Folds of whole groups have no relatives across them, and that is said in a sentence."""
    made = tickets(120)
    examples = from_lists(made.texts, made.labels, threads=made.threads, senders=made.senders)
    groups = split.groups_of(made.texts, made.threads, made.senders)
    found = leakage(split.grouped(made.labels, groups), examples)
    assert found == Leakage(tested=120)
    assert str(found) == "No leakage: none of 120 test messages has a relative in training."
    assert found.to_frame().empty
    assert "No leakage" in found._repr_html_()


def test_a_random_split_leaks_and_the_pairs_are_listed() -> None:
    """Threads, senders and copied texts are told apart, and each pair is named by its hashes."""
    texts = [f"question {'abcdefghij'[n % 10]} number {'klmnopqrst'[n // 10]}" for n in range(60)]
    texts[40], texts[41] = f"{LONG} now", f"{LONG} again"
    texts[50], texts[51] = "Order 11 is late", "order 12 is late!"
    examples = from_lists(
        texts,
        ["a", "b"] * 30,
        threads=[f"t{n}" if n > 1 else "t" for n in range(60)],
        senders=["ada@x.example" if n in (10, 11) else f"s{n}@x.example" for n in range(60)],
    )
    rest = [n for n in range(60) if n not in (0, 10, 40, 50)]
    made = split.Split(np.array(rest), np.array([0, 10, 40, 50]), "by hand", np.array([], dtype=np.int64))
    found = leakage(made, examples)
    assert (found.tested, found.leaking) == (4, 4)
    assert (found.threads, found.senders, found.texts) == (1, 1, 2)
    assert "1 share a thread, 1 a sender and 2 a (nearly) equal text" in str(found)
    frame = found.to_frame()
    assert sorted(frame["shares"]) == ["same text", "sender", "similar text", "thread"]
    assert frame.iloc[0]["likeness"] == 1.0
    pairs = {pair.shares: pair for pair in found.pairs}
    assert pairs["same text"].test == examples.messages[50]
    assert pairs["same text"].train == examples.messages[51]
    assert pairs["similar text"].likeness >= 0.8
    page = found._repr_html_()
    assert examples.messages[50][:12] in page
    assert "Order 11" not in page


def test_a_web_form_is_no_relative() -> None:
    """A sender behind whom many people write leaks nothing."""
    texts = [f"alpha {'abcdefghij'[n % 10]} beta {'klmnopqrst'[n // 10]}" for n in range(60)]
    examples = from_lists(texts, ["a", "b"] * 30, senders=["form@us.example"] * 60)
    assert leakage(split.random(examples.labels), examples).senders == 0
