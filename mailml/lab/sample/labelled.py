"""Hand labels for the sample: a CSV of Message-IDs and categories that `mailml label --csv` reads."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

from mailml.lab.sample.mailbox import Sample


def write_labels(sample: Sample, path: Path, count: int = 300) -> Path:
    """Write `count` customers' mails with their true category, from all over the year; give back the path.

    Columns: message (a Message-ID), label, note. Mixed mails are among them, as a person would meet them.
    """
    pool = [
        message.truth for message in sample if message.truth["role"] == "customer" and message.truth["topic"]
    ]
    pool = [truth for truth in pool if truth["shape"] != "hostile"]
    chosen = Random(f"labels {sample.seed}").sample(pool, min(count, len(pool)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("message", "label", "note"))
        for truth in sorted(chosen, key=lambda truth: truth["message_id"]):
            note = "two matters, the first to be solved" if truth["shape"] == "mixed" else ""
            writer.writerow((truth["message_id"], truth["category"], note))
    return path
