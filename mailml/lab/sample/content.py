"""What one customer writes about: topic, clarity and sentences. The knobs of the difficulty are here.

They are set so that a plain word(1-2) TF-IDF with logistic regression, split by thread, is right between 80
and 93 % of the time: tests/mailml/lab/test_sample.py measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from mailml.lab.sample.desk import CATEGORIES
from mailml.lab.sample.people import Customer
from mailml.lab.sample.values import Value, values
from mailml.lab.sample.wording import Bank, Pen, Topic, load

# Shapes of a first mail and their shares.
_SHAPES = ("plain", "short", "mixed", "unclear")
_SHARES = (74, 12, 9, 5)
_CATEGORY_SHARES = {"billing": 34, "technical": 38, "general": 28}
# Events of the year: from month to month of the sample, a topic is written about that much more.
_EVENTS = (
    ("sync fails", 4, 5, 9.0),  # a bad update
    ("cancel subscription", 8, 9, 3.5),  # a higher price
    ("reminder received", 8, 8, 2.5),
    ("delivery", 6, 7, 3.0),  # a new terminal is sold
    ("payment page error", 10, 11, 4.0),  # a new payment page
)


@dataclass(frozen=True, slots=True)
class Content:
    """A subject and sentences with their truth."""

    subject: str
    sentences: str
    category: str
    topic: Topic
    shape: str


def pen_for(customer: Customer, now: datetime, rng: Random) -> Pen:
    """A pen in the customer's language with the values of one conversation."""
    bank = load(customer.language)
    said: dict[str, Value] = dict(values(bank, now, rng))
    said |= {
        "email": customer.address,
        "company_name": customer.company or customer.name,
        "customer": customer.name,
        "agent": "Anna",
        "other_company": rng.choice([name for name in bank.lines["company"] if name != customer.company]),
    }
    return Pen(bank, rng, said)


def first_mail(pen: Pen, month: int) -> Content:
    """What a new conversation says, in the given month of the sample (0 is the first)."""
    rng = pen.rng
    shape = rng.choices(_SHAPES, _SHARES)[0]
    category = rng.choices(CATEGORIES, [_CATEGORY_SHARES[name] for name in CATEGORIES])[0]
    topic = choose_topic(rng, pen.bank, category, month)
    if shape == "unclear":
        return Content(pen.pick("generic_subject"), pen.pick("unclear"), category, topic, shape)
    if shape == "mixed":
        return _mixed(pen, topic, month)
    subject = pen.one(topic.subject) if rng.random() < 0.76 else pen.pick("generic_subject")
    said = _short(pen, topic) if shape == "short" else " ".join(_sentences(pen, topic))
    return Content(subject, said, category, topic, shape)


def choose_topic(rng: Random, bank: Bank, category: str, month: int) -> Topic:
    """A topic of the category; the events of the year make some more likely for a while."""
    topics = bank.of(category)
    return rng.choices(topics, [_weight(topic.name, month) for topic in topics])[0]


def _weight(name: str, month: int) -> float:
    return next(
        (times for topic, start, end, times in _EVENTS if topic == name and start <= month <= end), 1.0
    )


def _sentences(pen: Pen, topic: Topic) -> list[str]:
    """One to four sentences; what any customer could write stands between what gives the topic away."""
    rng = pen.rng
    said = [pen.one(topic.what)]
    if rng.random() < 0.6:
        said.append(pen.one(topic.more))
    for chance in (0.45, 0.2):
        if rng.random() < chance:
            said.insert(rng.randint(0, len(said)), pen.pick("shared"))
    ask = pen.one(topic.ask) if rng.random() < 0.55 else pen.pick("ask")
    return [_capital(line) for line in (*said, ask) if line]


def _short(pen: Pen, topic: Topic) -> str:
    """A mail in a hurry: one sentence, and not always the telling one."""
    lines = pen.rng.choice((topic.what, topic.more, topic.ask, topic.ask))
    return _capital(pen.one(lines))


def follow_up(pen: Pen, content: Content) -> str:
    """What a customer adds who has to write again: often the matter once more, sometimes just impatience."""
    line, topic = pen.pick("followup"), content.topic
    if pen.rng.random() < 0.3:
        return line
    return " ".join((line, _capital(pen.one(topic.what)), _capital(pen.one(topic.more))))


def detail(pen: Pen, content: Content) -> str:
    """The answer to a question of ours."""
    return " ".join(_capital(pen.one(lines)) for lines in (content.topic.more, content.topic.what))


def _mixed(pen: Pen, topic: Topic, month: int) -> Content:
    """Two matters in one mail; the truth is the one that the desk must solve first."""
    rng = pen.rng
    other = choose_topic(
        rng, pen.bank, rng.choice([name for name in CATEGORIES if name != topic.category]), month
    )
    parts = [_sentences(pen, topic), _sentences(pen, other)[: rng.randint(1, 2)]]
    subject = pen.one((topic if rng.random() < 0.5 else other).subject)
    if rng.random() < 0.4:
        parts.reverse()
    joined = rng.choice(("\n\n", " ")).join(" ".join(part) for part in parts)
    return Content(subject, joined, topic.category, topic, "mixed")


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]
