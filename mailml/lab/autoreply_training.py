"""Trains the text model of row 13 on a sample of our own: 30 languages, and people who sound like machines.

The sample holds no header and no real mail. `python -m mailml.lab.autoreply_training` writes the model that
mailml ships; a bundle takes that one or one trained here: both are scored by `mailml.autoreply.text_model`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mailml.autoreply.text_model import BUCKETS, TextModel, bucket, root
from mailml.autoreply.wording import features

SEED = 7
TOLERATED = 0.004  # of human mail in sentences the model never saw; it sets the threshold
_WEIGHT = {"en": 8, "de": 3, "fr": 2, "es": 2, "ja": 2, "zh": 2, "ru": 2}  # of a language in the sample
_PER_LANGUAGE = 300  # examples of each class and unit of weight

Phrases = dict[str, list[str]]
Floats = npt.NDArray[np.float64]

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
    rng.shuffle(made)
    return made


def train(examples: Sequence[Example], seed: int = SEED, tolerated: float = TOLERATED) -> TextModel:
    """The calibrated model of a sample; scores it to six places as scikit-learn would.

    Calibration and threshold come from predictions on sentences that were held out (GroupKFold), so that they
    speak of mail the model has not read. Raises nothing on a sample of `sample`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict

    matrix, truth = _matrix(examples), np.array([one.automated for one in examples])
    groups = np.array([one.group for one in examples])
    estimator = LogisticRegression(C=10.0, solver="liblinear", random_state=seed)
    held_out = cross_val_predict(
        estimator, matrix, truth, groups=groups, cv=GroupKFold(5), method="decision_function"
    )
    sigmoid = LogisticRegression(C=1e3).fit(held_out.reshape(-1, 1), truth)
    estimator.fit(matrix, truth)
    scale, shift = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    weights = np.round(estimator.coef_[0], 3).astype(np.float32)
    threshold = _threshold(_sigmoid(scale * held_out + shift)[~truth], tolerated)
    return TextModel(
        weights=weights,
        bias=round(float(estimator.intercept_[0]), 6),
        scale=round(scale, 6),
        shift=round(shift, 6),
        threshold=threshold,
        version=hashlib.sha256(weights.tobytes()).hexdigest()[:12],
    )


def write(model: TextModel, folder: Path) -> None:
    """Write text_model.json and text_model.npz, the form that `TextModel.shipped` reads."""
    meta, arrays = model.to_arrays()
    (folder / "text_model.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", "utf-8")
    np.savez_compressed(folder / "text_model.npz", allow_pickle=False, **arrays)


def score_all(model: TextModel, examples: Iterable[Example]) -> Floats:
    """The model's probability for each example, through the same code that decides in production."""
    return np.array(
        [
            model.score(
                subject=one.subject,
                sender=one.sender,
                text=one.text,
                answers_ours=one.answers_ours,
                seconds_since_ours=one.seconds_since_ours,
            )
            for one in examples
        ]
    )


def _threshold(human: Floats, tolerated: float) -> float:
    """The lowest probability, in hundredths and at least one half, that at most this share of people reach."""
    steps = (step / 100 for step in range(50, 99))
    return next((step for step in steps if float(np.mean(human >= step)) <= tolerated), 0.99)


def _sigmoid(logit: Floats) -> Floats:
    squashed: Floats = 1 / (1 + np.exp(-logit))
    return squashed


def _matrix(examples: Sequence[Example]) -> Any:
    from scipy.sparse import csr_array

    rows, columns, values = [], [], []
    for row, one in enumerate(examples):
        found = features(one.subject, one.sender, one.text, one.answers_ours, one.seconds_since_ours)
        for name in found:
            rows.append(row)
            columns.append(bucket(name))
            values.append(1 / root(found))
    places = (np.array(rows, dtype=np.int32), np.array(columns, dtype=np.int32))
    return csr_array((np.array(values), places), shape=(len(examples), BUCKETS))


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


def main() -> None:
    """Train on the standard sample and write the model that mailml ships."""
    examples = sample()
    model = train(examples)
    write(model, Path(str(files("mailml.autoreply"))))
    print(f"{len(examples)} examples, threshold {model.threshold}, version {model.version}")


if __name__ == "__main__":
    main()
