"""Bytes -> Message: frozen, total, linear in time, bounded in memory."""

from mailml.message.address import Address, parse_addresses
from mailml.message.authentication import authenticated
from mailml.message.fields import Header
from mailml.message.model import Message, parse
from mailml.message.part import Part
from mailml.message.words import decode_words

__all__ = [
    "Address",
    "Header",
    "Message",
    "Part",
    "authenticated",
    "decode_words",
    "parse",
    "parse_addresses",
]
