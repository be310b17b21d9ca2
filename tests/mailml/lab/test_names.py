"""Customers' names: hidden where they are signatures, kept where they are words."""

from __future__ import annotations

import numpy as np

from mailml.lab import names, vocabulary
from mailml.lab.train import train
from tests.mailml.lab.tickets import tickets
from tests.mailml.lab.trained import frame_of

TEXTS = [
    "the invoice is wrong, Heike Krause",
    "please call me, Heike Krause",
    "the parcel service lost the invoice",
    "your service is fine, please call",
    "service please, Bo Lee",
    "Bo Lee wants the invoice",
]
SHOWN = ["Heike Krause", "Krause, Heike", "Parcel Service", "", "Bo Lee", "Bo Lee"]
ADDRESSES = [
    "heike.krause@a.example",
    "hk@b.example",
    "news@c.example",
    "x@d.example",
    "bo@e.example",
    "lee@f.example",
]


def public(shown: list[str], addresses: list[str]) -> set[str]:
    """Every term that may be known once names are hidden."""
    blocks = vocabulary.count(TEXTS, words=(1, 2), chars=(3, 5), limits=(999, 999))
    hidden = names.hide(blocks, np.arange(6), shown, addresses)
    return {str(term) for block in hidden for term in block.terms[block.public]}


def test_two_customers_of_one_name_are_hidden_all_the_same() -> None:
    """Neither the full name nor its parts, nor pairs with them, may be known."""
    terms = public(SHOWN, ADDRESSES)
    assert terms.isdisjoint({"heike", "krause", "heike krause", "krause heike", "wrong heike"})
    assert {"invoice", "the invoice", "please call"} <= terms


def test_short_names_are_hidden_as_pieces_too() -> None:
    """A three-letter name is a character n-gram of its own."""
    assert public(SHOWN, ADDRESSES).isdisjoint({"lee", " lee", "lee ", " lee ", "bo", "bo lee"})


def test_a_word_that_everybody_uses_is_no_name() -> None:
    """`service` is in a sender's name, and most who write it are others."""
    terms = public(SHOWN, ADDRESSES)
    assert "service" in terms
    assert "parcel service" not in terms


def test_addresses_name_people_where_display_names_are_missing() -> None:
    """`heike.krause@…` is enough to know a signature."""
    terms = public([], ["heike.krause@a.example", "heike.krause@b.example", *ADDRESSES[2:]])
    assert terms.isdisjoint({"heike", "krause", "heike krause"})


def test_training_on_a_frame_hides_display_names() -> None:
    """Two customers who share a name and sign with it leave no trace in the model."""
    made = tickets(160)
    rows = [i for i, sender in enumerate(made.senders) if sender.startswith(("person1", "person2"))]
    for i in rows:
        made.texts[i] += " Zebulon Fitzwilliam"
    frame = frame_of(made)
    frame["from_name"] = ["Zebulon Fitzwilliam" if i in set(rows) else "" for i in frame.index]
    labels = {sha: made.labels[i] for sha, i in zip(frame["sha256"], frame.index, strict=True)}
    named = train(frame.drop(columns="from_name"), labels)
    hidden = train(frame, labels)
    assert "fitzwilliam" in named.model.blocks[0].terms
    assert not [t for t in hidden.model.blocks[0].terms if "fitzwilliam" in t or "zebulon" in t]


def test_nobody_at_all_hides_nothing() -> None:
    """No names, no addresses: every public term stays."""
    assert public([], [""] * 6) == public([""] * 6, [""] * 6)
