"""One leaf of a message: what it says of itself, and its bytes, decoded when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailml.message.charset import decode
from mailml.message.fields import Header, sound_type
from mailml.message.lazy import lazy
from mailml.message.params import filename
from mailml.message.structure import Leaf
from mailml.message.transfer import undo

_SIGNATURES = frozenset(f"application/{kind}-signature" for kind in ("pgp", "pkcs7", "x-pkcs7"))
_REPORTS = frozenset(
    {"message/delivery-status", "message/disposition-notification", "message/feedback-report"}
    | {"text/rfc822-headers", "message/global-delivery-status"}
)


@dataclass(frozen=True, eq=False)
class Part:
    """A leaf part. Embedded messages (message/rfc822) are leaves too: their payload is the embedded mail."""

    source: bytes
    leaf: Leaf

    def __repr__(self) -> str:
        return f"Part({self.content_type!r}, filename={self.filename!r})"

    @property
    def headers(self) -> tuple[Header, ...]:
        """The part's own header fields, in order."""
        return self.leaf.fields.headers

    @lazy
    def _type(self) -> tuple[str, Mapping[str, str]]:
        kind, params = sound_type(self.leaf.fields.content, self.leaf.default)
        # A multipart without its parts is a text.
        return ("text/plain" if kind.startswith("multipart/") else kind), params

    @property
    def content_type(self) -> str:
        """Lower case, "text/plain" where none is given."""
        return self._type[0]

    @property
    def params(self) -> Mapping[str, str]:
        """Content-Type parameters by lower-case name."""
        return self._type[1]

    @property
    def disposition(self) -> str:
        """ "attachment", "inline" or ""."""
        return self.leaf.fields.disposition[0]

    @lazy
    def filename(self) -> str:
        """The file's name without folders, "" if it has none."""
        return filename(self.leaf.fields.disposition[1], self._type[1])

    @property
    def content_id(self) -> str:
        """The Content-ID without its brackets, "" if it has none."""
        return (self.leaf.fields.first("content-id") or "").strip(" <>")

    @lazy
    def _decoded(self) -> tuple[bytes, str]:
        data = self.source[self.leaf.start : self.leaf.end]
        encoding = self.leaf.fields.encoding
        return undo(data, encoding) if encoding else (data, "")

    @property
    def payload(self) -> bytes:
        """The bytes with the transfer encoding undone."""
        return self._decoded[0]

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return len(self.payload)

    @lazy
    def _text(self) -> tuple[str, str]:
        if not self.content_type.startswith("text/"):
            return "", ""
        text, complaint = decode(self.payload, self.params.get("charset", ""))
        if "\x00" in text:
            text, complaint = text.replace("\x00", ""), complaint or "NUL bytes in the text removed"
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text, complaint

    @property
    def text(self) -> str:
        """The decoded text of a text part with "\\n" line ends; "" for anything else."""
        return self._text[0]

    @property
    def defects(self) -> tuple[str, ...]:
        """What was repaired while decoding."""
        return tuple(complaint for complaint in (self._decoded[1], self._text[1]) if complaint)

    @lazy
    def is_attachment(self) -> bool:
        """Whether a person would call it an attachment: not a body, an inline picture or a signature."""
        kind, disposition = self.content_type, self.disposition
        if kind in _SIGNATURES or kind in _REPORTS:
            return False
        if disposition == "attachment":
            return True
        if kind == "message/rfc822":
            return "multipart/report" not in self.leaf.within
        if self.content_id and kind.startswith("image/") and "multipart/related" in self.leaf.within:
            return False
        if self.filename:
            return True
        return not kind.startswith("text/")
