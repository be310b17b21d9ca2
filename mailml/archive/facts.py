"""Raw messages -> columns of facts, as the workbench reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mailml.archive._arrow import arrow, facts_schema
from mailml.message import Message, parse
from mailml.text import own_words

# A header of a hostile mail may hold megabytes; a column is for reading and joining.
LONGEST = 4096
MOST = 1000
_SURROGATES = re.compile("[\ud800-\udfff]")


def facts_table(raws: Iterable[bytes]) -> Any:
    """The facts of these messages as a table, in order."""
    pa, schema = arrow(), facts_schema()
    rows = [_row(raw) for raw in raws]
    arrays = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _row(raw: bytes) -> dict[str, Any]:
    message = parse(raw)
    try:
        return facts_row(message)
    except Exception as error:  # noqa: BLE001 - one mail nobody foresaw must not keep 100,000 from the workbench
        return facts_row(parse(b"")) | {"defects": [f"could not be read: {type(error).__name__}"]}


def facts_row(message: Message) -> dict[str, Any]:
    """One message's columns. Texts are cut at 4,096 characters, lists at 1,000 entries; `own` is whole."""
    sender = message.from_
    return {
        "message_id": _text(message.message_id),
        "in_reply_to": _texts(message.in_reply_to),
        "references": _texts(message.references),
        "subject": _text(message.subject),
        "from_addr": _text(sender.addr) if sender else "",
        "from_name": _text(sender.name) if sender else "",
        "to": _texts(address.addr for address in message.to),
        "cc": _texts(address.addr for address in message.cc),
        "reply_to": _texts(address.addr for address in message.reply_to),
        "date": message.date,
        "received": list(message.received_dates[:MOST]),
        "is_reply": message.is_reply,
        "attachments": _texts(part.filename or "" for part in message.attachments),
        "has_html": bool(message.html),
        "own": _clean(own_words(message).own),
        "defects": _texts(message.defects),
    }


def _clean(text: str) -> str:
    # A lone surrogate is a valid str and not valid UTF-8: Arrow would refuse the whole part for it.
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _text(text: str) -> str:
    return _clean(text[:LONGEST])


def _texts(texts: Iterable[str]) -> list[str]:
    cut: list[str] = []
    for text in texts:
        if len(cut) == MOST:
            break
        cut.append(_text(text))
    return cut
