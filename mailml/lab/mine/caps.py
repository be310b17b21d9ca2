"""Caps: however much mail one sends, so much of it at most becomes training data.

Without them whoever sends a thousand mails that agents file patiently teaches the classifier what he likes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mailml.lab.mine.moves import PER_SENDER, PER_TEXT, PER_THREAD


@dataclass(frozen=True, slots=True)
class Caps:
    """The most labels from one sender, one thread, and one text (whoever sent it)."""

    per_sender: int = 20
    per_thread: int = 2
    per_text: int = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One message that could be labelled, and whose it is."""

    message: str
    confidence: float
    sender: str
    thread: str
    text: str


def capped(candidates: Iterable[Candidate], caps: Caps) -> dict[str, str]:
    """Message -> the cap it is over, for those that are. The surest are kept, then those of smallest hash.

    The hash is not salted: who chooses among his own mails chooses among mails of one content.
    """
    counts: dict[str, Counter[str]] = {why: Counter() for why in (PER_SENDER, PER_THREAD, PER_TEXT)}
    limits = {PER_SENDER: caps.per_sender, PER_THREAD: caps.per_thread, PER_TEXT: caps.per_text}
    over: dict[str, str] = {}
    for one in sorted(candidates, key=lambda item: (-item.confidence, item.message)):
        owners = {PER_SENDER: _person(one.sender), PER_THREAD: one.thread, PER_TEXT: _key(one.text)}
        why = next((name for name, key in owners.items() if key and counts[name][key] >= limits[name]), "")
        if why:
            over[one.message] = why
            continue
        for name, key in owners.items():
            counts[name][key] += 1
    return over


def _person(address: str) -> str:
    """The address without its plus part, which its owner makes up as he likes (RFC 5233)."""
    local, _, domain = address.lower().partition("@")
    return f"{local.partition('+')[0]}@{domain}" if domain else local


def _key(text: str) -> str:
    """The words of a text without numbers and punctuation, so that a counter in it makes no other text."""
    words = " ".join(re.findall(r"[^\W\d_]+", text[:2_000].casefold()))
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest() if words else ""
