"""How good a bundle's classifier is, as a section: read from the card inside the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mailml.lab.report.drawings import confusion
from mailml.lab.report.page import Section, Tile, table

if TYPE_CHECKING:
    from mailml.bundle import Bundle


def quality_tile(bundle: Bundle) -> Tile:
    """The accuracy with its interval, or that there is no classifier."""
    accuracy = bundle.card.get("overall", {}).get("accuracy")
    if not accuracy:
        return Tile("classifier", "none", "this bundle routes by rules alone")
    low, high = accuracy["low"], accuracy["high"]
    note = f"95% interval {low:.0%} to {high:.0%}, on mail it never saw"
    return Tile(
        "classifier right", f"{accuracy['value']:.0%}", note, "good" if bundle.card["enough_data"] else "bad"
    )


def quality_section(bundle: Bundle) -> Section:
    """Precision and recall per class with intervals, the confusion, and what it must beat."""
    card = bundle.card
    if "per_class" not in card:
        return Section("The classifier", str(card.get("verdict", "This bundle holds no classifier.")))
    lead = f"{str(card['verdict']).capitalize()}. Judged on {card['how']}."
    labels = [row["label"] for row in card["per_class"]]
    counts, actions = card["confusion"]["counts"], card["confusion"]["actions"]
    picture = None
    if list(actions) == labels and len(labels) <= 8:
        picture = confusion(
            counts, labels, "Truth against the classifier's answers; the table has the numbers."
        )
    rows = [
        (row["label"], _interval(row["precision"]), _interval(row["recall"]), row["support"])
        for row in card["per_class"]
    ]
    classes = table(("class", "precision", "recall", "messages"), rows, "95% intervals in brackets")
    confused = [(name, *row) for name, row in zip(labels, counts, strict=True)]
    numbers = table(("truth", *actions), confused, "Truth in rows, answers in columns", folded=True)
    lines = [(row["name"], _interval(row["accuracy"]), _cost(row["cost"])) for row in card["comparison"]]
    beaten = table(
        ("decided by", "right", "cost a message"), lines, "The same messages decided in other ways"
    )
    return Section("The classifier", lead, picture, (classes, numbers, beaten))


def _interval(value: Mapping[str, Any]) -> str:
    if None in (value["value"], value["low"], value["high"]):
        return "unknown"
    return f"{value['value']:.1%} ({value['low']:.1%} to {value['high']:.1%})"


def _cost(value: Mapping[str, Any]) -> str:
    if None in (value["value"], value["low"], value["high"]):
        return "unknown"
    return f"{value['value']:.2f} ({value['low']:.2f}–{value['high']:.2f})"
