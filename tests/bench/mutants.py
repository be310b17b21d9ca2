"""Mail as it comes when something went wrong, or somebody wants it to: seeded mutations of real messages."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

Mutation = Callable[[bytes, random.Random], bytes]


def mutants(messages: Sequence[bytes], count: int, seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """`count` (name of the mutation, bytes), the same in every run."""
    rng = random.Random(seed)
    names = [name for name, weight in _WEIGHTS.items() for _ in range(weight)]
    for _ in range(count):
        name = rng.choice(names)
        raw = rng.choice(messages)
        for _ in range(rng.choice((1, 1, 2))):
            raw = _MUTATIONS[name](raw, rng)
        yield name, raw


def _cut(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw) + 1)]


def _flipped(raw: bytes, rng: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(rng.randrange(1, 60)):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _bombed(raw: bytes, rng: random.Random) -> bytes:
    name = rng.choice(
        (b"X-A", b"References", b"Auto-Submitted", b"Return-Path", b"X-Mailml-Loop", b"Subject", b"To")
    )
    return (name + b": <a@b> (((((auto-replied\r\n") * rng.randrange(1_000, 20_000) + raw


def _nested(raw: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((50, 200, 1_000))
    levels = (b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return b"".join(levels) + raw


def _wide(raw: bytes, rng: random.Random) -> bytes:
    part = b"--x\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n"
    return b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + part * rng.choice((100, 2_000))


def _endless(raw: bytes, rng: random.Random) -> bytes:
    size = rng.choice((100_000, 1_000_000, 10_000_000))
    return (
        rng.choice((b"Subject: ", b"From: ", b"Content-Type: multipart/report; "))
        + b"(a " * (size // 3)
        + b"\r\n"
        + raw
    )


def _nulled(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + b"\x00" * rng.randrange(1, 40) + raw[at:]


def _recoded(raw: bytes, rng: random.Random) -> bytes:
    wrong = rng.choice((b"utf-16", b"x-none", b"iso-2022-jp", b"\xff\xfe", b"rot13", b"base64"))
    return raw.replace(b"utf-8", wrong).replace(b"UTF-8", wrong).replace(b"us-ascii", wrong)


def _shuffled(raw: bytes, rng: random.Random) -> bytes:
    lines = raw.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def _old_ends(raw: bytes, rng: random.Random) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", rng.choice((b"\r", b"\r\r\n", b"\n\r")))


_MUTATIONS: dict[str, Mutation] = {
    "cut": _cut,
    "bits flipped": _flipped,
    "header bomb": _bombed,
    "nested": _nested,
    "many parts": _wide,
    "endless line": _endless,
    "NUL": _nulled,
    "wrong charset": _recoded,
    "lines shuffled": _shuffled,
    "line ends": _old_ends,
}
_WEIGHTS = {
    name: {"endless line": 1, "header bomb": 2, "nested": 3, "many parts": 2}.get(name, 12)
    for name in _MUTATIONS
}
