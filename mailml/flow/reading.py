"""The facts of one message as a flow asks for them: each field read, folded and encoded at most once."""

from __future__ import annotations

import re
import unicodedata

from mailml.flow.conditions import WEEKDAYS, Facts, fold
from mailml.text import detect_language
from mailml.verdict import Category

CUT = 120  # characters of a found value that a trace keeps
_COLON = re.compile("[:：]")


class Reading:
    """One run's view of the facts; forgotten with the run."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._values: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}
        self._encoded: dict[str, tuple[bytes, ...]] = {}
        self._shown: dict[str, str] = {}
        self._category: Category | None = None
        self._asked = False

    def values(self, field: str) -> tuple[str, ...]:
        """The values of a text field as written (`text/everything` too); empty when the message lacks it."""
        known = self._values.get(field)
        if known is None:
            known = self._values[field] = self._read(field)
        return known

    def folded(self, field: str) -> tuple[str, ...]:
        """The values of a text field as `fold` sees them."""
        known = self._folded.get(field)
        if known is None:
            known = self._folded[field] = tuple(map(fold, self.values(field)))
        return known

    def encoded(self, field: str) -> tuple[bytes, ...]:
        """The values of a text field as RE2 reads them: composed (NFC), in UTF-8."""
        known = self._encoded.get(field)
        if known is None:
            composed = (unicodedata.normalize("NFC", value) for value in self.values(field))
            known = self._encoded[field] = tuple(value.encode("utf-8", "replace") for value in composed)
        return known

    def shown(self, field: str) -> str:
        """The values of a text field for a trace: cut, and of a long text only its length."""
        known = self._shown.get(field)
        if known is None:
            values = self.values(field)
            if field.startswith("text"):
                known = (
                    f"{sum(map(len, values))} characters"  # a trace must not store every mail a second time
                )
            else:
                known = cut(", ".join(values)) if values else "(none)"
            self._shown[field] = known
        return known

    @property
    def category(self) -> Category | None:
        """The classifier's answer, asked for now if nobody did before."""
        if not self._asked:
            self._category, self._asked = self.facts.category(), True
        return self._category

    def _read(self, field: str) -> tuple[str, ...]:
        facts, message = self.facts, self.facts.message
        if field.startswith("header."):
            return message.all(field[7:])
        if field == "to":
            return tuple(address.addr for address in message.to)
        if field == "cc":
            return tuple(address.addr for address in message.cc)
        if field == "attachment_name":
            return tuple(part.filename for part in message.attachments if part.filename)
        one = self._one(field, facts)
        return (one,) if one.strip() else ()

    def _one(self, field: str, facts: Facts) -> str:
        message = facts.message
        if field == "subject":
            # behind "Automatic reply:" stands our own subject, which says nothing of this mail
            return _COLON.split(message.subject, 1)[0] if facts.echoes_subject else message.subject
        if field == "text":
            return facts.text.own
        if field == "text/everything":
            return facts.text.everything
        if field in ("from_address", "from_domain"):
            sender = message.from_
            return "" if sender is None else sender.addr if field == "from_address" else sender.domain
        if field == "language":
            return detect_language(facts.text.own)
        if field == "received.weekday":
            return WEEKDAYS[facts.received_local.weekday()] if facts.received_local else ""
        return {"kind": str(facts.kind.value), "mailbox": facts.mailbox}[field]

    def number(self, field: str) -> int | None:
        """The value of `size` or `received.hour`; None when it is not known."""
        if field == "size":
            return self.facts.message.size
        local = self.facts.received_local
        return local.hour if local else None

    def flag(self, field: str) -> bool:
        """The value of `has_attachment`, `is_reply` or `authenticated`."""
        if field == "has_attachment":
            return bool(self.facts.message.attachments)
        return self.facts.message.is_reply if field == "is_reply" else self.facts.authenticated


def cut(text: str) -> str:
    """The text on one line, at most 120 characters of it."""
    flat = " ".join(text[: CUT * 4].split())
    return flat if len(flat) <= CUT else flat[: CUT - 1] + "…"
