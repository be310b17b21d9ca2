"""Made-up support mail for the classifier's tests: three categories that share words, many senders."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_OPENERS = ("Hello,", "Hi team,", "Good morning,", "Dear support,", "Hey,", "")
_CLOSERS = ("Thanks", "Kind regards", "Please help", "Any news?", "Cheers", "")
_TOPICS = {
    "billing": (
        "the invoice for {thing} shows the wrong amount",
        "I was charged twice for {thing} and want a refund",
        "please send the receipt for {thing} to accounting",
        "our payment for {thing} was declined although the card works",
        "the price of {thing} on the bill is not what we agreed",
    ),
    "technical": (
        "{thing} crashes with an error after the update",
        "I cannot log in to {thing}, the password reset fails",
        "{thing} no longer syncs and the log is full of timeouts",
        "the connection to {thing} drops every few minutes",
        "{thing} shows a blank screen since yesterday",
    ),
    "general": (
        "do you have a brochure about {thing}",
        "can we visit your office to see {thing}",
        "who is the right person to ask about {thing}",
        "we would like a training for {thing} next month",
        "is {thing} also sold in your shop in town",
    ),
}
_THINGS = (
    "the planner",
    "the mobile app",
    "the basic licence",
    "the scanner",
    "the cloud archive",
    "the router",
)
_FILLERS = (
    "It worked last week.", "We are a small team.", "This is the second time I write.",
    "My colleague asked too.",
    "We need an answer by Friday.", "I attached a picture.", "You were very kind on the phone.",
    "Nothing changed on our side.", "The account is the old one.", "Our boss is waiting.",
)  # fmt: skip


@dataclass(frozen=True)
class Tickets:
    """Columns of one length."""

    texts: list[str]
    labels: list[str]
    senders: list[str]
    threads: list[str]
    times: list[datetime]


def tickets(n: int = 240, seed: int = 3, *, noise: float = 0.05, senders: int = 120) -> Tickets:
    """`n` made-up mails, a share of `noise` labelled at random; the first sender leaves traces of himself."""
    rng = random.Random(seed)
    made = Tickets([], [], [], [], [])
    for number in range(n):
        topic = rng.choice(sorted(_TOPICS))
        who = rng.randrange(senders)
        body = rng.choice(_TOPICS[topic]).format(thing=rng.choice(_THINGS))
        words = [
            rng.choice(_OPENERS),
            body + ".",
            *rng.sample(_FILLERS, rng.randint(0, 3)),
            rng.choice(_CLOSERS),
        ]
        rng.shuffle(words[1:-1])
        if who == 0:
            words.append("Bartholomew Quackenbush, bart@quackenbush.example, customer 4711-0815")
        made.texts.append(f"Question {rng.randint(1, 99)}\n" + " ".join(filter(None, words)))
        made.labels.append(rng.choice(sorted(_TOPICS)) if rng.random() < noise else topic)
        made.senders.append(f"person{who}@customer{who % 40}.example")
        made.threads.append(f"thread-{number // 2 if rng.random() < 0.3 else n + number}")
        made.times.append(datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(hours=7 * number))
    return made
