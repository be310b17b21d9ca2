"""The training sample of row 13, made by mailml itself: what machines answer, and what people write.

The sentences stand in autoreply_phrases.toml, in 30 languages; no real mail is among them. People who write
about being away, echoed subjects, forwarded bounces and pasted automatic words are there too, so that the
model must read how words stand together.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mailml.lab.sample import generate
from mailml.message import parse
from mailml.text import own_words

SEED = 7
DESK_SEED = 1_007  # not the seed of the mailbox that is demonstrated and measured
_WEIGHT = {"en": 8, "de": 3, "fr": 2, "es": 2, "ja": 2, "zh": 2, "ru": 2}  # of a language in the sample
_PER_LANGUAGE = 300  # examples of each class and unit of weight


Phrases = dict[str, list[str]]

_NAMES = (
    "Jane Doe",
    "Karl Meier",
    "Sophie Martin",
    "Luca Rossi",
    "Ana Silva",
    "田中",
    "Ivan Petrov",
    "김민수",
    "Ola",
)
_LOCALS = (
    "jane.doe",
    "k.meier",
    "info",
    "sales",
    "service",
    "office",
    "support",
    "contact",
    "smartin",
    "ivan",
)
_DATES = (
    "5 May",
    "12.08.2026",
    "2026-07-01",
    "Monday",
    "3rd of June",
    "24/12",
    "8月15日",
    "01.09.",
    "next week",
)
_GREETINGS: dict[str, tuple[str, ...]] = {
    "en": ("Hello,", "Hi,", "Hi {name},", "Dear Sir or Madam,", "Dear sender,", "Good morning,", ""),
    "de": ("Guten Tag,", "Hallo,", "Sehr geehrte Damen und Herren,", ""),
    "fr": ("Bonjour,", "Madame, Monsieur,", ""),
    "es": ("Hola:", "Buenos días,", "Estimados señores:", ""),
    "it": ("Buongiorno,", "Gentili Signori,", ""),
    "ja": ("お世話になっております。", "{name}様", ""),
    "zh": ("您好，", "你好：", ""),
    "ru": ("Здравствуйте!", "Добрый день,", ""),
}
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_FACTS = (
    "{date}",
    "{n}",
    "{mail}",
    "{n} / {n}",
    "{date}: {n}",
    "({mail})",
    "https://example.org/{n}",
    "{n} €",
    "tel. {n}",
)
_CLOSINGS = (
    "Best regards\n{name}",
    "Kind regards,\n{name}",
    "Thanks\n{name}",
    "{name}",
    "--\n{name}\n{n}",
    "",
    "",
)


@dataclass(frozen=True, slots=True)
class Example:
    """One made-up mail as the model sees it; `group` is the sentence it is built on, for splitting."""

    subject: str
    sender: str
    text: str
    answers_ours: bool
    seconds_since_ours: float | None
    automated: bool
    group: str


@cache
def phrases() -> dict[str, Phrases]:
    """Our own sentences by language."""
    source = files("mailml.lab").joinpath("autoreply_phrases.toml").read_text("utf-8")
    loaded: dict[str, Phrases] = tomllib.loads(source)
    return loaded


def sample(seed: int = SEED, per_language: int = _PER_LANGUAGE) -> list[Example]:
    """The training sample: the same examples for the same arguments, in every run and on every machine."""
    rng = random.Random(seed)
    made: list[Example] = []
    for language in phrases():
        count = per_language * _WEIGHT.get(language, 1)
        made += [_automatic(rng, language) for _ in range(count)]
        made += [_human(rng, language) for _ in range(count)]
        made += [_other_words(rng, language) for _ in range(count // 2)]
    made += _desk_mail(rng, 8 * per_language)
    rng.shuffle(made)
    return made


def _desk_mail(rng: random.Random, messages: int) -> list[Example]:
    """Customers of the sample mailbox, written without automatic mail in mind; held out by topic."""
    made = []
    for one in generate(seed=DESK_SEED, messages=messages):
        if one.truth["role"] == "customer" and one.truth["kind"] == "human":
            message = parse(one.raw)
            example = Example(
                subject=message.subject,
                sender=message.from_.local if message.from_ else "",
                text=own_words(message).own,
                answers_ours=rng.random() < 0.5,
                seconds_since_ours=rng.choice((None, rng.uniform(120, 900_000))),
                automated=False,
                group=f"desk {one.truth['language']} {one.truth['topic']}",
            )
            made += [example, example]
    return made


def _automatic(rng: random.Random, language: str) -> Example:
    said = phrases()[language]
    core = rng.choice(said["away"] if rng.random() < 0.7 else said["acks"])
    absent = core in said["away"]
    lines = [rng.choice(said[kind]) for kind in ("back", "contact") if absent and rng.random() < 0.6]
    lines.insert(rng.randrange(len(lines) + 1) if rng.random() < 0.2 else 0, core)
    if rng.random() < 0.12:  # many responders say it twice, in two languages
        other = phrases()[rng.choice(("en", "de", "fr", "es"))]
        lines += ["", rng.choice(other["away" if absent else "acks"])]
    subject = rng.choice([*said["subjects"], "Re: {topic}", "{topic}"])
    seconds = rng.choice((None, None, rng.uniform(1, 90), rng.uniform(1, 90), rng.uniform(90, 9_000)))
    return _example(rng, language, lines, subject, True, core, answers=rng.random() < 0.6, seconds=seconds)


def _human(rng: random.Random, language: str) -> Example:
    said = phrases()[language]
    plain = [*said["human"], *said.get("prose", ())]
    core = rng.choice(said["about"] if rng.random() < 0.3 else plain)
    lines = [core, *rng.sample(plain, min(len(plain), rng.choice((0, 0, 1, 1, 2, 3, 6, 10))))]
    if rng.random() < 0.4:  # numbers, dates and addresses are nobody's mark
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(_FACTS))
    if rng.random() < 0.1:  # people ask to be called, too
        lines.append(rng.choice(said["contact"]))
    if rng.random() < 0.08:  # and paste the automatic words they complain of below their own
        lines += ["", '"' + rng.choice([*said["away"], *said["acks"]]) + '"']
    elsewhere = ("Re: Automatic reply: {topic}", "Fwd: Undeliverable: {topic}", "{topic}?", "", "Re: {name}")
    subject = rng.choice(["{topic}", "{topic}", "Re: {topic}", "Re: {topic}", *elsewhere])
    seconds = rng.choice((None, None, None, rng.uniform(120, 9_000), rng.uniform(9_000, 900_000)))
    return _example(rng, language, lines, subject, False, core, answers=rng.random() < 0.5, seconds=seconds)


def _other_words(rng: random.Random, language: str) -> Example:
    """People in words the sample has no sentence for: shuffled, rare, or nearly none.

    Without them the model calls "test" and every topic it never read automatic; with them single words weigh
    little, and what counts is how they stand together.
    """
    pool = _pool(language)
    words = [
        rng.choice(pool) if rng.random() < 0.7 else _invented(rng)
        for _ in range(rng.choice((0, 1, 2, 6, 15, 40, 80)))
    ]
    words += [rng.choice(_FACTS) for _ in range(rng.choice((0, 0, 1, 3)))]
    rng.shuffle(words)
    lines = [" ".join(words)] if language not in ("ja", "zh", "th") else ["".join(words)]
    subject = rng.choice(("{topic}", "Re: {topic}", rng.choice(pool), _invented(rng), "", "Re: {name}"))
    seconds = rng.choice((None, None, rng.uniform(1, 90), rng.uniform(90, 900_000)))
    group = f"shuffled {rng.randrange(40)}"
    return _example(rng, language, lines, subject, False, group, answers=rng.random() < 0.6, seconds=seconds)


@cache
def _pool(language: str) -> tuple[str, ...]:
    joined = " ".join(line for lines in phrases()[language].values() for line in lines)
    plain = re.sub(r"\{\w+\}|[\[\]|]", " ", joined)
    if language in ("ja", "zh", "th"):
        return tuple(sorted({plain[at : at + 2] for at in range(0, len(plain) - 1, 2)}))
    return tuple(sorted(set(plain.split())))


def _invented(rng: random.Random) -> str:
    return "".join(rng.choice("aeiou" if at % 2 else "bdfgklmnprstvz") for at in range(rng.randrange(2, 11)))


def _example(
    rng: random.Random,
    language: str,
    lines: list[str],
    subject: str,
    automated: bool,
    group: str,
    *,
    answers: bool,
    seconds: float | None,
) -> Example:
    fill = _filler(rng, language)
    greeting = rng.choice(_GREETINGS.get(language, ("", "Hello,")))
    joined = (" " if rng.random() < 0.5 else "\n").join(lines)
    text = "\n\n".join(part for part in (greeting, joined, rng.choice(_CLOSINGS)) if part)
    return Example(
        subject=fill(subject),
        sender=rng.choice(_LOCALS),
        text=fill(text),
        answers_ours=answers,
        seconds_since_ours=seconds,
        automated=automated,
        group=f"{language}: {group}",
    )


def _filler(rng: random.Random, language: str) -> Callable[[str], str]:
    topic = " ".join(rng.choice(phrases()[language]["human"]).split()[: rng.randrange(2, 6)])

    def fill(text: str) -> str:
        text = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), text)
        filled = text.replace("{topic}", topic).replace("{name}", rng.choice(_NAMES))
        filled = filled.replace("{date}", rng.choice(_DATES)).replace("{n}", str(rng.randrange(100, 99_999)))
        return filled.replace("{mail}", f"{rng.choice(_LOCALS)}@example.{rng.choice(('com', 'org', 'net'))}")

    return fill
