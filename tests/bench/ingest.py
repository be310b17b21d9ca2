"""Ingest (parse + own words + store) against the same through mail-parser, on real mail, in one run.

    python -m tests.bench.ingest [--quick 200] [--rounds 3]

In "parse + text + store" both sides store with the same archive and cut quotes with the same code: only who
parses differs. "As usually written" is the program one writes with mail-parser: inscriptis for HTML,
mail-parser-reply for the own words, a row per message in SQLite. CPU time, the least of some rounds. Last
comes the worst text per 100 KB of hostile input.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import mailparser

from mailml.archive import Archive, Arrival
from mailml.archive import facts as archive_facts
from mailml.message import parse
from mailml.text import html_to_text, own_words, split_reply
from tests.bench.hostile import HTML, TEXT
from tests.conftest import shared_folder

GOAL = 8.0
Row = tuple[str, float, float]  # what, our CPU microseconds per message, theirs (0 where there is none)


def through_mail_parser(raw: bytes) -> dict[str, Any]:
    """The archive's columns as mail-parser gives them; mail it cannot read has none."""
    try:
        mail = mailparser.parse_from_bytes(raw)
        return columns_of(mail, raw)
    except Exception:  # noqa: BLE001 - it raises three kinds on real mail, none documented
        return archive_facts.facts_row(parse(b""))


def columns_of(mail: Any, raw: bytes) -> dict[str, Any]:
    """What mail-parser found, under the archive's names."""
    sender = mail.from_[0] if mail.from_ else ("", "")
    plain = "\n".join(mail.text_plain) or html_to_text("\n".join(mail.text_html))
    return {
        "message_id": one(mail.message_id),
        "in_reply_to": one(mail.in_reply_to).split(),
        "references": one(mail.references).split(),
        "subject": one(mail.subject),
        "from_addr": clean(sender[1]),
        "from_name": clean(sender[0]),
        "to": [clean(pair[1]) for pair in mail.to],
        "cc": [clean(pair[1]) for pair in mail.cc],
        "date": mail.date,
        "received": [datetime.fromisoformat(hop["date_utc"]) for hop in mail.received if hop.get("date_utc")],
        "is_reply": bool(mail.in_reply_to or mail.references),
        "attachments": [clean(part["filename"]) for part in mail.attachments],
        "has_html": bool(mail.text_html),
        "own": clean(split_reply(plain).own),
        "defects": sorted(mail.defects_categories),
    }


def one(value: Any) -> str:
    """The first value where mail-parser gives a list."""
    return clean(str((value[0] if isinstance(value, list) and value else value) or ""))


def clean(text: str) -> str:
    """What Arrow takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def ingest(raws: Sequence[bytes], row: Callable[[bytes], dict[str, Any]] | None) -> float:
    """CPU seconds from raw bytes to a packed archive with facts; `row` replaces our parser."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(archive_facts, "_row", row or archive_facts._row),
    ):
        start = time.process_time()
        archive = Archive.open(Path(folder) / "archive", create=True)
        archive.append(Arrival("desk", "INBOX", 1, uid, raw) for uid, raw in enumerate(raws, 1))
        archive.index()
        return time.process_time() - start


def as_usual(raws: Sequence[bytes]) -> float | None:
    """CPU seconds of the program that one writes with mail-parser: its JSON, inscriptis for HTML,
    mail-parser-reply for the own words, a row per message in SQLite. None where they are not installed.
    """
    try:
        from inscriptis import get_text
        from mailparser_reply import EmailReplyParser
    except ImportError:
        return None
    replies = EmailReplyParser(languages=["en", "de", "fr", "es", "it", "nl", "pl", "sv"])
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder) / "mail.db") as database:
        database.execute("CREATE TABLE mail (id INTEGER PRIMARY KEY, raw BLOB, facts TEXT, own TEXT)")
        start = time.process_time()
        for raw in raws:
            with contextlib.suppress(Exception):  # what these libraries raise on real mail is not documented
                mail = mailparser.parse_from_bytes(raw)
                plain = "\n".join(mail.text_plain) or get_text("\n".join(mail.text_html))
                # Longer texts make mail-parser-reply hang.
                own = replies.parse_reply(text=plain[:20_000])
                database.execute(
                    "INSERT INTO mail (raw, facts, own) VALUES (?, ?, ?)",
                    (raw, clean(mail.mail_json), clean(own or "")),
                )
                database.commit()
        return time.process_time() - start


def stage(raws: Sequence[Any], work: Callable[[Any], object]) -> float:
    """CPU seconds of one piece of work on every message."""
    start = time.process_time()
    for raw in raws:
        work(raw)
    return time.process_time() - start


def their_parse(raw: bytes) -> object:
    """mail-parser's constructor and the properties that the archive needs."""
    try:
        mail = mailparser.parse_from_bytes(raw)
        return (mail.subject, mail.from_, mail.to, mail.cc, mail.date, mail.text_plain, mail.attachments)
    except Exception:  # noqa: BLE001
        return None


def our_parse(raw: bytes) -> object:
    """Every fact that the archive needs, without the own words."""
    mail = parse(raw)
    asked = (mail.subject, mail.from_, mail.to, mail.cc, mail.date, mail.received_dates, mail.references)
    return (*asked, mail.in_reply_to, mail.message_id, mail.plain, mail.attachments, mail.defects)


def measured(raws: Sequence[bytes], rounds: int) -> list[Row]:
    """The rows of the table."""
    texts = [own_words(parse(raw)).everything for raw in raws]
    ingest(raws[:20], None)  # imports and first use
    ingest(raws[:20], through_mail_parser)

    def ours(measure: Callable[[], float]) -> float:
        # The least of some rounds: what other work on the machine adds is left out.
        return min(measure() for _ in range(rounds)) / len(raws) * 1e6

    def theirs(measure: Callable[[], float]) -> float:
        return min(measure() for _ in range(min(rounds, 2))) / len(raws) * 1e6

    whole = ours(lambda: ingest(raws, None))
    rows: list[Row] = [
        ("parse", ours(lambda: stage(raws, our_parse)), theirs(lambda: stage(raws, their_parse))),
        ("own words of plain text", ours(lambda: stage(texts, split_reply)), 0.0),
        ("SHA-256", ours(lambda: stage(raws, hashlib.sha256)), 0.0),
        ("parse + text + store", whole, theirs(lambda: ingest(raws, through_mail_parser))),
    ]
    if (usual := as_usual(raws)) is not None:
        rows.append(("the same, as usually written", whole, usual / len(raws) * 1e6))
    return rows


def run(quick: int = 0, rounds: int = 3) -> list[Row]:
    """Measures on the shared mail (every n-th when `quick` limits it), prints the table, returns its rows."""
    logging.disable(logging.CRITICAL)
    paths = sorted((shared_folder() / "mail").glob("*/*.eml"))
    raws = [path.read_bytes() for path in paths[:: max(1, len(paths) // quick) if quick else 1]]
    rows = measured(raws, rounds)
    average = sum(map(len, raws)) // len(raws)
    print(f"{len(raws)} messages of {average} bytes on average; CPU microseconds per message")
    print(f"{'':30}{'mailml':>10}{'mail-parser':>13}{'ratio':>8}")
    for name, ours, theirs in rows:
        print(f"{name:30}{ours:10.0f}" + (f"{theirs:13.0f}{theirs / ours:8.1f}" if theirs else ""))
    if rows[-1][0] == "parse + text + store":
        print("(the row as usually written needs mail-parser-reply and inscriptis)")
    ratio = rows[-1][2] / rows[-1][1]
    print(f"goal: at least {GOAL:.0f} x; {'reached' if ratio >= GOAL else 'missed'} with {ratio:.1f} x")
    worst = hostile()
    print(f"worst hostile text: {worst[0]:.0f} ms per 100 KB of {worst[1]!r}; goal 20")
    return rows


def hostile() -> tuple[float, str]:
    """The most milliseconds that 100 KB of a repeated piece take, and the piece."""
    cases = [(split_reply, piece) for piece in TEXT] + [(html_to_text, piece) for piece in HTML]
    return max((best_of_three(work, piece * (100_000 // len(piece))), piece) for work, piece in cases)


def best_of_three(work: Callable[[str], object], text: str) -> float:
    """CPU milliseconds, the least of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work(text)
        taken.append((time.process_time() - start) * 1e3)
    return min(taken)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", type=int, default=0, metavar="N", help="about N messages only")
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    run(given.quick, given.rounds)
