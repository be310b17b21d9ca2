"""A mailbox of many messages, written straight into a Maildir: filling it over IMAP would take too long."""

from __future__ import annotations

import base64
import os
import random
import shutil
from collections.abc import Iterable, Iterator

from tests.servers.dovecot import User

# Fixed date, so that every run of a benchmark meets the same bytes.
START = 1_760_000_000
DATE = "Tue, 7 Oct 2025 10:00:00 +0000"


def messages(count: int, *, seed: int = 7, average: int = 24_000) -> Iterator[bytes]:
    """`count` distinct messages, text and HTML, three in ten with an attachment; `average` bytes each."""
    rng = random.Random(seed)
    scale = average / 24_000
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(5000)]
    sentences = [" ".join(rng.choices(words, k=rng.randint(5, 15))) for _ in range(4000)]
    blob = base64.encodebytes(rng.randbytes(200_000)).replace(b"\n", b"\r\n")
    for number in range(count):
        yield _message(rng, number, sentences, blob, scale)


def _message(rng: random.Random, number: int, sentences: list[str], blob: bytes, scale: float) -> bytes:
    text = ".\r\n".join(rng.choices(sentences, k=max(1, int(rng.randint(10, 80) * scale))))
    lines = [
        f"Received: from mx{rng.randint(1, 99)}.example.net by mail.example.test; {DATE}",
        f"From: Customer {number % 997} <c{number % 997}@example.org>",
        "To: support@example.test",
        f"Message-ID: <{number}.{rng.getrandbits(64):x}@example.org>",
        f"Subject: {rng.choice(sentences)}",
        f"Date: {DATE}",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n",
        text,
        "--b\r\nContent-Type: text/html; charset=utf-8\r\n",
        f"<html><body><p>{text}</p></body></html>",
    ]
    body = "\r\n".join(lines).encode()
    if rng.random() < 0.3:
        start = rng.randrange(0, len(blob) // 2)
        size = int(rng.randint(2_000, 100_000) * scale)
        body += (
            b"\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
        )
        body += b"Content-Transfer-Encoding: base64\r\n\r\n" + blob[start : start + size] + b"\r\n"
    return body + b"\r\n--b--\r\n"


def fill(user: User, count: int, *, seed: int = 7, average: int = 24_000) -> int:
    """Puts the messages into the user's INBOX and returns their bytes; the next open indexes them."""
    return put(user, messages(count, seed=seed, average=average))


def put(user: User, raws: Iterable[bytes]) -> int:
    """Puts any mails into the user's INBOX, in this order, and returns their bytes."""
    with user.client() as client:
        client.select_folder("INBOX")  # makes the Maildir
    new = user.maildir() / "cur"
    total = 0
    for number, raw in enumerate(raws):
        path = new / f"{START + number}.M{number:06d}P1.bench,S={len(raw)}:2,"
        path.write_bytes(raw)
        os.utime(path, (START + number, START + number))
        if os.getuid() == 0:
            shutil.chown(path, user.server.owner.pw_uid, user.server.owner.pw_gid)
        total += len(raw)
    return total
