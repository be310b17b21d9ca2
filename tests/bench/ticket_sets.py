"""Labelled customer texts to measure on (never trained into anything that ships), and how they are cut."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

Row = tuple[str, str, str]  # text, category, intent
SETS = ("banking77", "bitext", "clinc150")

_BILLING = {
    "bitext": ("INVOICE", "PAYMENT", "REFUND", "CANCELLATION_FEE"),
    "banking77": ("charge", "fee", "refund", "exchange", "payment", "cash_withdrawal", "rate"),
    "clinc150": ("bill", "pay", "balance", "interest", "tax", "transaction", "credit", "spending", "rate",
                 "apr"),
}  # fmt: skip
_TECHNICAL = {
    "bitext": ("ACCOUNT", "ORDER"),
    "banking77": ("not_working", "pin", "passcode", "declined", "failed", "verify", "compromised",
                  "lost", "top_up"),
    "clinc150": ("wifi", "device", "setting", "sync", "pin", "account_blocked", "password", "volume",
                 "alarm", "phone"),
}  # fmt: skip


def load(name: str, folder: Path) -> list[Row]:
    """(text, category, intent) of one set, shuffled with a fixed seed; categories by words in the intent."""
    if name == "clinc150":
        data = json.loads((folder / "clinc150_full.json").read_text())
        pairs = [(text, intent) for part in ("train", "val", "test") for text, intent in data[part]]
        made = [(text, _category(name, intent), intent) for text, intent in pairs]
    elif name == "banking77":
        with open(folder / "banking77_train.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        made = [(row["text"], _category(name, row["category"]), row["category"]) for row in rows]
    else:
        with open(folder / "bitext_customer_support.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["category"] != "category"]
        made = [(row["utterance"], _category(name, row["category"]), row["intent"]) for row in rows]
    random.Random(1).shuffle(made)
    return made


def hold_out(rows: Sequence[Row], draw: int = 2, share: float = 0.3) -> tuple[list[Row], list[Row]]:
    """(known, unseen): whole intents of every category held out."""
    rng, unseen = random.Random(draw), set[str]()
    for name in ("billing", "general", "technical"):
        intents = sorted({intent for _, cat, intent in rows if cat == name})
        rng.shuffle(intents)
        unseen |= set(intents[: max(1, round(share * len(intents)))])
    return [r for r in rows if r[2] not in unseen], [r for r in rows if r[2] in unseen]


def texts(rows: Sequence[Row]) -> list[str]:
    """The texts of rows."""
    return [text for text, _, _ in rows]


def labels(rows: Sequence[Row]) -> list[str]:
    """Their categories."""
    return [category for _, category, _ in rows]


def _category(name: str, intent: str) -> str:
    """billing, technical or general, by what the intent is called."""
    low = intent if name == "bitext" else intent.lower()
    if any(word in low for word in _BILLING[name]):
        return "billing"
    return "technical" if any(word in low for word in _TECHNICAL[name]) else "general"
