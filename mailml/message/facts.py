"""Addresses and parts as JSON-able values, for one line of `mailml parse`."""

from __future__ import annotations

from typing import Any

from mailml.message.address import Address
from mailml.message.part import Part


def address_facts(address: Address) -> dict[str, str]:
    """Display name and address."""
    return {"name": address.name, "addr": address.addr}


def part_facts(part: Part) -> dict[str, Any]:
    """What a part says of itself, and the size of its payload in bytes."""
    return {
        "content_type": part.content_type,
        "disposition": part.disposition,
        "filename": part.filename,
        "content_id": part.content_id,
        "size": part.size,
    }
