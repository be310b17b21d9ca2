"""The facts of a message as JSON-able values: one line of `mailml parse`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailml.message.address import Address
from mailml.message.part import Part

if TYPE_CHECKING:
    from mailml.message.model import Message


def facts_of(message: Message) -> dict[str, Any]:
    """Strings, numbers, booleans, lists and dicts; times are ISO 8601 in UTC."""
    return {
        "sha256": message.sha256,
        "size": message.size,
        "message_id": message.message_id,
        "subject": message.subject,
        "from": _address(message.from_) if message.from_ else None,
        "to": [_address(address) for address in message.to],
        "cc": [_address(address) for address in message.cc],
        "date": _time(message.date) if message.date else None,
        "received": [_time(when) for when in message.received_dates],
        "in_reply_to": list(message.in_reply_to),
        "references": list(message.references),
        "content_type": message.content_type,
        "parts": [_part(part) for part in message.parts],
        "attachments": [part.filename for part in message.attachments],
        "is_reply": message.is_reply,
        "too_complex": message.too_complex,
        "defects": list(message.defects),
    }


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "addr": address.addr}


def _time(when: datetime) -> str:
    return when.isoformat()


def _part(part: Part) -> dict[str, Any]:
    return {
        "content_type": part.content_type,
        "disposition": part.disposition,
        "filename": part.filename,
        "content_id": part.content_id,
        "size": part.size,
    }
