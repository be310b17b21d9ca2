"""The whole mailbox: conversations over the year, the automated mail around them, in order of arrival."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from mailml.lab.sample import automated, people, rhythm
from mailml.lab.sample.automated.written import Answer
from mailml.lab.sample.conversation import tell
from mailml.lab.sample.desk import ZONE
from mailml.lab.sample.hostile import attacks
from mailml.lab.sample.record import SampleMessage
from mailml.message import parse

END = datetime(2026, 10, 30, 16, 0, tzinfo=UTC)
_CUSTOMER_SHARE = 0.15  # people per message
_CONVERSATIONS = 0.325  # per message; each has two to three messages


Messages = list[SampleMessage]


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up mailbox: messages in order of arrival, and what is true of each."""

    seed: int
    messages: tuple[SampleMessage, ...]

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[SampleMessage]:
        return iter(self.messages)

    def folders(self) -> tuple[str, ...]:
        """Every folder of the mailbox, sorted."""
        return tuple(sorted({message.folder for message in self.messages}))

    def write_truth(self, path: Path) -> Path:
        """Write the truth of every message as JSON Lines and give back the path."""
        lines = (
            json.dumps(dict(message.truth), ensure_ascii=False, sort_keys=True) for message in self.messages
        )
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def generate(
    seed: int = 7, messages: int = 3000, months: int = 12, end: datetime = END, hostile: bool = False
) -> Sample:
    """Make the sample mailbox: the same arguments give the same bytes, on every machine and Python.

    `end` is when the mailbox is looked at; what came in its last two days lies unrouted in INBOX. `hostile`
    adds mails that attack readers (markup in subjects, header injection, broken MIME) on top of `messages`.
    """
    rng = Random(f"mailml sample {seed}")
    end = end.astimezone(ZONE)
    told = conversations(rng, messages, months, end)
    told += machines(rng, max(0, messages - len(told)), told, months, end)
    told += attacks(rng, end) if hostile else []
    return Sample(seed, tuple(sorted(told, key=lambda message: (message.received, message.truth["sha256"]))))


def conversations(rng: Random, messages: int, months: int, end: datetime) -> list[SampleMessage]:
    """Customers' mail and the desk's answers: close to nine tenths of the messages."""
    cast = people.customers(rng, max(8, int(messages * _CUSTOMER_SHARE)))
    start, days = _window(months, end)
    told: list[SampleMessage] = []
    for number, opened in enumerate(rhythm.arrivals(rng, int(messages * _CONVERSATIONS), start, days)):
        # A stream of its own: editing one conversation leaves all others as they are.
        own = Random(f"{rng.random()} {number}")
        if opened < end:
            month = int((opened.date() - start).days / 30.4)
            told += tell(f"t{number:05d}", rng.choice(cast), own, opened, end, month)
    return told


def machines(
    rng: Random, count: int, told: list[SampleMessage], months: int, end: datetime
) -> list[SampleMessage]:
    """`count` automated mails: each kind at least once, answers and bounces right after a mail of ours."""
    answers = [message for message in told if message.truth["role"] == "agent"]
    makers = [
        *automated.MAKERS,
        *rng.choices(automated.MAKERS, [one.weight for one in automated.MAKERS], k=count),
    ]
    start, days = _window(months, end)
    times = rhythm.arrivals(rng, count, start, days)
    found = []
    for number, (one, at) in enumerate(zip(makers[:count], rng.sample(times, len(times)), strict=False)):
        own = Random(f"{rng.random()} {number}")
        ours = own.choice(answers)
        about = answer_of(ours)
        moment = (
            at if one in automated.machines.MAKERS else ours.received + timedelta(seconds=own.randint(3, 900))
        )
        found.append(automated.write(one, own, min(moment, end).astimezone(ZONE), about, f"a{number:05d}"))
    return found


def answer_of(message: SampleMessage) -> Answer:
    """What a machine that answers one of our mails knows of it."""
    mail = parse(message.raw)
    name = mail.to[0].name if mail.to else ""
    return Answer(name, message.truth["customer"], mail.subject, mail.message_id, message.truth["language"])


def _window(months: int, end: datetime) -> tuple[date, int]:
    days = max(1, round(months * 30.4))
    return (end - timedelta(days=days - 1)).date(), days
