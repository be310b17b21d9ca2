"""A mail as a frozen value: the bytes, and everything that can be read from them, read when asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailml.message.address import Address, parse_addresses
from mailml.message.dates import parse_date
from mailml.message.facts import address_facts, part_facts
from mailml.message.fields import Fields, Header, sound_type
from mailml.message.headers import Block, split
from mailml.message.ids import message_ids, own_id
from mailml.message.lazy import lazy
from mailml.message.part import Part
from mailml.message.structure import Structure, scan
from mailml.message.words import one_line, shown


@dataclass(frozen=True, repr=False)
class Message:
    """One mail. Equal when the bytes are equal; no property raises, whatever the bytes are.

    Dates are aware and in UTC, addresses lower-case. `too_complex` mail (nested over 100 deep, over 1,000
    parts, header over 256 KB) keeps its bytes and tells its header; it has no parts.
    """

    raw: bytes

    def __repr__(self) -> str:
        return f"Message({self.sha256[:12]}, {self.size} bytes)"

    @lazy
    def sha256(self) -> str:
        """SHA-256 of the raw bytes, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the raw message."""
        return len(self.raw)

    @lazy
    def _source(self) -> bytes:
        # Line ends of old Macs: the only case in which the bytes are rewritten before reading.
        bare = b"\n" not in self.raw and b"\r" in self.raw
        return self.raw.replace(b"\r", b"\n") if bare else self.raw

    @lazy
    def _block(self) -> Block:
        return split(self._source)

    @lazy
    def _fields(self) -> Fields:
        return self._block.fields

    @property
    def headers(self) -> tuple[Header, ...]:
        """The header fields in order, unfolded, not RFC 2047-decoded."""
        return self._fields.headers

    @property
    def header_names(self) -> frozenset[str]:
        """The names of all header fields, in lower case."""
        return self._fields.names

    def get(self, name: str) -> str | None:
        """The first value of a field, or None; the name in any case."""
        return self._fields.first(name.lower())

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a field in order; the name in any case."""
        return self._fields.all(name.lower())

    @lazy
    def subject(self) -> str:
        """The subject for people: decoded, on one line, without control characters."""
        return shown(self.get("subject") or "")

    @lazy
    def message_id(self) -> str:
        """ "<left@right>", or "" when there is none."""
        return own_id(self.get("message-id") or "")

    @lazy
    def in_reply_to(self) -> tuple[str, ...]:
        """The ids this mail says it answers."""
        return message_ids(" ".join(self.all("in-reply-to")))

    @lazy
    def references(self) -> tuple[str, ...]:
        """The ids of its ancestors, oldest first."""
        return message_ids(" ".join(self.all("references")))

    @property
    def is_reply(self) -> bool:
        """Whether it says that it answers another mail."""
        return bool(self.in_reply_to or self.references)

    def _addresses(self, name: str) -> tuple[Address, ...]:
        return tuple(address for value in self.all(name) for address in parse_addresses(value))

    @lazy
    def from_(self) -> Address | None:
        """The first address of From that can be read."""
        return next(iter(self._addresses("from")), None)

    @lazy
    def sender(self) -> tuple[Address, ...]:
        """The addresses of Sender."""
        return self._addresses("sender")

    @lazy
    def reply_to(self) -> tuple[Address, ...]:
        """The addresses of Reply-To."""
        return self._addresses("reply-to")

    @lazy
    def to(self) -> tuple[Address, ...]:
        """The addresses of To."""
        return self._addresses("to")

    @lazy
    def cc(self) -> tuple[Address, ...]:
        """The addresses of Cc."""
        return self._addresses("cc")

    @lazy
    def return_path(self) -> str | None:
        """The envelope sender: None when the field is absent, "" for the null sender <>."""
        value = self.get("return-path")
        if value is None:
            return None
        found = parse_addresses(value)
        return found[0].addr if found else ""

    @lazy
    def delivered_to(self) -> tuple[str, ...]:
        """The addresses of all Delivered-To fields; what is no address is kept as written, lower-case."""
        return tuple(
            found[0].addr if (found := parse_addresses(value)) else one_line(value).lower()
            for value in self.all("delivered-to")
        )

    @lazy
    def date(self) -> datetime | None:
        """When the sender says it was written (UTC)."""
        return parse_date(self.get("date") or "")

    @lazy
    def received_dates(self) -> tuple[datetime, ...]:
        """When each server says it took the mail (UTC), ours first; unreadable ones are left out."""
        stamps = (value.rpartition(";")[2] for value in self.all("received"))
        return tuple(when for stamp in stamps if (when := parse_date(stamp)) is not None)

    @lazy
    def _type(self) -> tuple[str, Mapping[str, str]]:
        return sound_type(self._fields.content, "text/plain")

    @property
    def content_type(self) -> str:
        """The type of the whole mail in lower case, "text/plain" where none can be read."""
        return self._type[0]

    @property
    def content_params(self) -> Mapping[str, str]:
        """The parameters of the whole mail's Content-Type, names in lower case."""
        return self._type[1]

    @lazy
    def _structure(self) -> Structure:
        return Structure((), (), True) if self._block.cut else scan(self._source, self._block)

    @property
    def too_complex(self) -> bool:
        """Whether a limit was passed, so that only the header was read."""
        return self._structure.too_complex

    @lazy
    def parts(self) -> tuple[Part, ...]:
        """The leaf parts in order; embedded messages are leaves."""
        return tuple(Part(self._source, leaf) for leaf in self._structure.leaves)

    @lazy
    def attachments(self) -> tuple[Part, ...]:
        """What a person would call attachments, in order."""
        return tuple(part for part in self.parts if part.is_attachment and part is not self._named_body)

    @lazy
    def _named_body(self) -> Part | None:
        """The only part of a mail when it is a text with a file name: some mailers name their bodies."""
        if len(self.parts) != 1 or self.parts[0].disposition == "attachment":
            return None
        return self.parts[0] if self.parts[0].content_type.startswith("text/") else None

    def _body(self, kind: str) -> str:
        found = [part for part in self.parts if part.content_type == kind]
        texts = [part.text for part in found if part is self._named_body or not part.is_attachment]
        return "\n".join(texts)

    @lazy
    def plain(self) -> str:
        """The text/plain body; several inline ones are joined by a newline."""
        return self._body("text/plain")

    @lazy
    def html(self) -> str:
        """The text/html body as it was sent; several inline ones are joined by a newline."""
        return self._body("text/html")

    @lazy
    def defects(self) -> tuple[str, ...]:
        """Sentences on everything that was repaired, guessed or cut while reading."""
        found = dict.fromkeys((*self._block.defects, *self._structure.defects))
        for part in self.parts:
            found.update(dict.fromkeys(part.defects))
        return tuple(found)

    def facts(self) -> dict[str, Any]:
        """What can be said of the mail, as JSON-able values; times are ISO 8601 in UTC."""
        return {
            "sha256": self.sha256,
            "size": self.size,
            "message_id": self.message_id,
            "subject": self.subject,
            "from": address_facts(self.from_) if self.from_ else None,
            "to": [address_facts(address) for address in self.to],
            "cc": [address_facts(address) for address in self.cc],
            "date": self.date.isoformat() if self.date else None,
            "received": [when.isoformat() for when in self.received_dates],
            "in_reply_to": list(self.in_reply_to),
            "references": list(self.references),
            "content_type": self.content_type,
            "parts": [part_facts(part) for part in self.parts],
            "attachments": [part.filename for part in self.attachments],
            "is_reply": self.is_reply,
            "too_complex": self.too_complex,
            "defects": list(self.defects),
        }


def parse(raw: bytes) -> Message:
    """The message in these bytes; total, in time linear in its size."""
    return Message(bytes(raw))
