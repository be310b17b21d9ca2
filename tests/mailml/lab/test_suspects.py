"""Labels that are probably wrong come first."""

from __future__ import annotations

from mailml.lab.suspects import suspects
from mailml.lab.train import train
from tests.mailml.lab.tickets import tickets


def test_planted_errors_are_found() -> None:
    """Twelve labels turned round on purpose: most of the first twelve suspects are they."""
    made = tickets(220, noise=0.0)
    turn = {"billing": "technical", "technical": "general", "general": "billing"}
    wrong = set(range(5, 221, 19))
    labels = [turn[label] if i in wrong else label for i, label in enumerate(made.labels)]
    trained = train(made.texts, labels, senders=made.senders)
    found = suspects(trained, len(wrong))
    position = {message: i for i, message in enumerate(trained.examples.messages)}
    hits = [position[message] in wrong for message in found["message"]]
    assert sum(hits) >= 0.75 * len(wrong)
    assert found["probability"].is_monotonic_increasing
    assert (found["label"] != found["model_says"]).all()
    assert (found["with"] >= found["probability"]).all()


def test_as_many_as_asked_for_at_most() -> None:
    """A short list stays short."""
    made = tickets(150, noise=0.3)
    assert len(suspects(train(made.texts, made.labels), 3)) == 3
