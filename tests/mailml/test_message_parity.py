"""Two parsers written by others as witnesses: where they and we disagree is counted and bounded."""

from __future__ import annotations

import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import fast_mail_parser
import mailparser
import pytest

from mailml.message import Message, parse


def folded(value: object) -> str:
    """The value on one line; mail-parser gives lists where a field stands twice."""
    first = value[0] if isinstance(value, list) and value else value
    return re.sub(r"\s+", " ", str(first or "")).strip()


@pytest.fixture(scope="module")
def sound(shared: Path) -> list[tuple[bytes, Message]]:
    """The well-formed part of the shared mail: nothing was repaired while reading it."""
    logging.getLogger("mailparser").setLevel(logging.CRITICAL)
    paths = (path for path in sorted((shared / "mail").glob("*/*.eml")) if path.parent.name != "malformed")
    pairs = [(raw, parse(raw)) for raw in (path.read_bytes() for path in paths)]
    return [(raw, message) for raw, message in pairs if not message.defects]


def names(parts: Any) -> list[str]:
    """File names without folders; mail-parser invents random ones for parts without a name."""
    return sorted(folded(part["filename"]).replace("\\", "/").rsplit("/", 1)[-1] for part in parts)


def test_mail_parser_agrees(sound: list[tuple[bytes, Message]]) -> None:
    """Subject, From, Message-ID and file names are those mail-parser finds, but for a counted few."""
    differ: Counter[str] = Counter()
    sample = sound[::3]
    for raw, message in sample:
        theirs = mailparser.parse_from_bytes(raw)
        sender = theirs.from_[0][1].lower() if theirs.from_ else ""
        ours = {part.filename for part in message.parts if part.filename}
        differ["subject"] += folded(theirs.subject) != folded(message.subject)
        differ["from"] += sender != (message.from_.addr if message.from_ else "")
        differ["id"] += folded(theirs.message_id).strip("<>") != message.message_id.strip("<>")
        differ["names"] += not ours <= set(names(theirs.attachments))
    print(f"mail-parser differs on {dict(differ)} of {len(sample)}")
    assert len(sample) > 300
    # It reads a subject of two encoded words without the space between, drops addresses with comments, and
    # enters embedded messages, which we do not.
    assert differ["subject"] <= 5
    assert differ["from"] <= 5
    assert differ["id"] <= 2
    assert differ["names"] <= 8


def test_fast_mail_parser_agrees(sound: list[tuple[bytes, Message]]) -> None:
    """Subject and plain text are those fast-mail-parser finds, but for a counted few."""
    differ: Counter[str] = Counter()
    for raw, message in sound:
        try:
            theirs = fast_mail_parser.parse_email(raw)
        except fast_mail_parser.ParseError:
            differ["refused"] += 1
            continue
        differ["subject"] += folded(theirs.subject) != folded(message.subject)
        plain = folded(" ".join(theirs.text_plain).replace("\x00", ""))
        differ["plain"] += bool(message.plain.strip()) and folded(message.plain) not in plain
    print(f"fast-mail-parser differs on {dict(differ)} of {len(sound)}")
    assert differ["refused"] <= len(sound) // 50
    assert differ["subject"] <= len(sound) // 50
    assert differ["plain"] <= len(sound) // 20
