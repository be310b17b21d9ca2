"""Made-up messages for the benches of the flow: a few parsed ones, or the columns of a million in Parquet."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from mailml.flow import Facts
from mailml.message import parse
from mailml.text import own_words

_COMMON = """
    order delivery printer account login screen error update change contract number please thanks regards
    since yesterday customer office meeting question about with would could have been there their which
    because after before still again never always server down data file
"""
WORDS = tuple(_COMMON.split())
ACCENTED = ("Straße", "größer", "naïve", "it’s")
PHRASES = (
    *("invoice", "my password", "order no. 123456", "server down", "a lawyer", "data\nprotection"),
    *(
        "credit note",
        "Two-Factor",
        "please UNSUBSCRIBE",
        "cancel my subscription",
        "DE89 3704 0044 0532 0130 00",
    ),
)
_PART, _NEW = 50_000, 1_000_000  # messages in a file, and those that are made from nothing
SUBJECTS = ("", "", "", "", "", " quote", " partnership", " [URGENT]", " refund")


def parsed(count: int = 200) -> list[Facts]:
    """Messages of which about one in three fits a rule, and one in three is not plain ASCII."""
    rng, found = random.Random(7), []
    for number in range(count):
        words = rng.choices(WORDS, k=rng.randint(40, 400))
        if number % 3 == 0:
            words += rng.choices(ACCENTED, k=8)
        if rng.random() < 0.2:
            words.insert(rng.randrange(len(words)), rng.choice(PHRASES[:6]))
        lines = "\n".join(" ".join(words[at : at + 12]) for at in range(0, len(words), 12))
        subject = " ".join(rng.choices(WORDS[:30], k=5)) + rng.choice(["", "", "", "", " quote"])
        head = f"From: c{number}@mail{number % 7}.example\nTo: support@acme.example\nX-Mailer: Mutt\n"
        head += f"Subject: {subject}\nContent-Type: text/plain; charset=utf-8\n"
        message = parse(f"{head}\n{lines}\n".encode())
        found.append(Facts(message, own_words(message), received_local=datetime(2026, 3, 2, 10)))
    return found


def write_archive(path: Path, rows: int, seed: int = 7) -> None:
    """The columns of so many messages, all different, with 1.3 KB of text each, as `frame` names them.

    Behind the first million the same texts come again beside other subjects and senders, each with a number
    of its own: made in a third of the time, written a part at a time.
    """
    rng = np.random.default_rng(seed)
    lines = pl.Series(_lines(rng, 40_000))
    for at in range(0, rows, _PART):
        part = min(_PART, rows - at)
        made = _part(rng, lines, part, at) if at < _NEW else _again(path, at, part)
        made.write_parquet(_path(path, at), compression="lz4", row_group_size=25_000)


def _path(folder: Path, at: int) -> Path:
    return folder / f"part-{at // _PART:04d}.parquet"


def _again(folder: Path, at: int, rows: int) -> pl.DataFrame:
    turn = at // _NEW
    frame = pl.read_parquet(_path(folder, at % _NEW)).head(rows)
    number = pl.int_range(at, at + rows, eager=True).cast(pl.String)
    text = pl.concat([frame["text"].slice(turn * 997), frame["text"].head(turn * 997)]) + "\n" + number
    return frame.with_columns(text=text)


def _lines(rng: np.random.Generator, count: int) -> list[str]:
    """Words as frequent as words are; some lines have letters beyond ASCII, some a phrase to be found."""
    letters = list("etaoinshrdlucmfwypvbgkjqxz")
    weights = 1 / np.arange(1, 27) ** 0.7
    made = [
        "".join(rng.choice(letters, rng.integers(2, 10), p=weights / weights.sum())) for _ in range(8_000)
    ]
    known = np.array([*WORDS, *made])
    chance = 1 / np.arange(1, len(known) + 1) ** 0.7
    words = known[rng.choice(len(known), (count, 11), p=chance / chance.sum())].tolist()
    for number, line in enumerate(words):
        if number % 9 == 0:
            line[3] = ACCENTED[number // 9 % len(ACCENTED)]
        if number % 50 == 0:
            line[5] = PHRASES[number // 50 % len(PHRASES)]
    return [" ".join(line) for line in words]


def _part(rng: np.random.Generator, lines: pl.Series, rows: int, at: int) -> pl.DataFrame:
    many = rng.integers(4, 30, rows)
    owners = np.repeat(np.arange(rows), many)
    chosen = lines[rng.integers(0, len(lines), len(owners))]
    text = (
        pl.DataFrame({"owner": owners, "line": chosen})
        .group_by("owner", maintain_order=True)
        .agg(pl.col("line").str.join("\n"))["line"]
    )
    number = pl.Series(np.arange(at, at + rows))
    subject = text.str.head(38).str.replace_all("\n", " ") + pl.Series(rng.choice(SUBJECTS, rows))
    domain = pl.Series([f"mail{n % 701}.example" if n % 97 else "enterprise-client.com" for n in number])
    one = pl.Series(["support@acme.example"]).reshape((1, 1)).arr.to_list()
    return pl.DataFrame(
        {
            "text": text,
            "subject": subject,
            "from_domain": domain,
            "from_address": pl.Series([f"c{n}@" for n in number]) + domain,
            "to": pl.concat([one] * rows),
            "header.X-Mailer": pl.Series(
                [["Mutt"] if n % 5 else [] for n in number], dtype=pl.List(pl.String)
            ),
        }
    )
