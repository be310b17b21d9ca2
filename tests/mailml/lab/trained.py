"""One model trained on made-up tickets, and the same tickets as a frame with a label store."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pandas as pd

from mailml.lab.evaluate import Report, evaluate
from mailml.lab.labels import Label, Labels
from mailml.lab.train import Trained, train
from tests.mailml.lab.tickets import Tickets, tickets


@cache
def trained(n: int = 240) -> Trained:
    """Trained once per test run."""
    made = tickets(n)
    return train(made.texts, made.labels, threads=made.threads, senders=made.senders, times=made.times)


@cache
def judged() -> Report:
    """Its evaluation with every control, made once per test run."""
    return evaluate(trained())


def frame_of(made: Tickets) -> pd.DataFrame:
    """The tickets as `lab.frame` would give them."""
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in made.texts]
    columns = {"sha256": hashes, "text": made.texts, "thread": made.threads, "from_addr": made.senders}
    return pd.DataFrame({**columns, "received": made.times, "folder": "INBOX"}).drop_duplicates("sha256")


def store_of(path: Path, made: Tickets) -> Labels:
    """The tickets' labels in a store."""
    store, frame = Labels(path / "labels.jsonl"), frame_of(made)
    rows = zip(frame["sha256"], frame.index, strict=True)
    store.add([Label(sha, made.labels[i], "anna", "panel", made.times[i]) for sha, i in rows])
    return store
