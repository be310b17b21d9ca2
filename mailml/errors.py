"""Every error mailml raises.

    MailmlError
    ├── InputError            a file, path or argument that cannot be used
    │   ├── ConfigError       a configuration with faults, all of them listed
    │   │   └── FlowError     a flow with faults, each with rule and key
    │   ├── TemplateError     an acknowledgement template that cannot be rendered
    │   ├── LabelError        labels that cannot be read or contradict the archive
    │   └── NotEnoughData     too few messages or labels for an honest answer
    ├── BundleError           a bundle that cannot be read or written
    │   ├── BundleVersionError   a format number this version does not read
    │   └── BundleDamagedError   a hash, shape, size or golden text that does not match
    ├── ArchiveError          an archive that is not one, or a part that is damaged
    ├── MissingExtraError     a part of the workbench that is not installed
    └── TransportError        a mail server that did not do what was asked
        ├── ConnectError      unknown host, refused, timed out
        ├── TLSError          a certificate that is not trusted
        ├── AuthError         a login or token that was refused
        ├── FolderError       a folder that does not exist or may not be opened
        ├── ThrottledError    the server asks to come back later (`retry_after` seconds)
        ├── DisconnectedError the connection broke in the middle
        ├── SmtpTemporaryError   4xx: try again later
        ├── SmtpPermanentError   5xx: never try again
        └── SmtpUncertainError   nobody can say whether the mail was taken

Each says what was wrong, where, and what to do next: `str(error)` is one sentence for a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class MailmlError(Exception):
    """What was wrong, where it was, and what to do about it."""

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what, self.where, self.cure = what, where, cure
        super().__init__(what, where, cure)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        # what a server said may end in a full stop of its own
        return f"{head.rstrip('.')}. {self.cure}" if self.cure else head


class InputError(MailmlError):
    """A file, path or argument that cannot be used."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration: the place (`rule "billing", key "when.subject"`), what, and the cure."""

    where: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. {self.cure}" if self.cure else line


class ConfigError(InputError):
    """A configuration with one or more faults; `faults` holds all of them, in file order."""

    def __init__(self, faults: Iterable[Fault], *, where: str = "") -> None:
        self.faults = tuple(faults)
        count = f"{len(self.faults)} fault" + ("s" if len(self.faults) != 1 else "")
        super().__init__(count, where=where)

    def __str__(self) -> str:
        return "\n".join([f"{super().__str__()}:", *(f"  - {fault}" for fault in self.faults)])


class FlowError(ConfigError):
    """A flow with one or more faults."""


class TemplateError(InputError):
    """An acknowledgement template that cannot be read or rendered."""


class LabelError(InputError):
    """Labels that cannot be read, or that name messages or classes nobody knows."""


class NotEnoughData(InputError):  # noqa: N818 - it is an answer, and reads like one
    """Too few messages or labels for an honest answer."""


class BundleError(MailmlError):
    """A bundle that cannot be read or written."""


class BundleVersionError(BundleError):
    """A bundle whose format number this version does not read."""


class BundleDamagedError(BundleError):
    """A bundle whose hash, shapes, sizes or golden texts do not match its manifest."""


class ArchiveError(MailmlError):
    """A folder that is not an archive, or a part of one that is damaged."""


class MissingExtraError(MailmlError):
    """A part of the workbench that is not installed."""


class TransportError(MailmlError):
    """A mail server that did not do what was asked."""


class ConnectError(TransportError):
    """The server could not be reached: unknown host, refused, timed out."""


class TLSError(TransportError):
    """The server's certificate is not trusted, or TLS could not be agreed on."""


class AuthError(TransportError):
    """The server or the identity provider refused the login."""


class FolderError(TransportError):
    """A folder that does not exist or may not be opened."""


class ThrottledError(TransportError):
    """The server asks to come back later.

    `retry_after` is in seconds.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "", retry_after: float = 60.0) -> None:
        self.retry_after = retry_after
        super().__init__(what, where=where, cure=cure)


class DisconnectedError(TransportError):
    """The connection broke in the middle."""


class SmtpTemporaryError(TransportError):
    """The server said 4xx: the mail was not taken; try again later."""


class SmtpPermanentError(TransportError):
    """The server said 5xx: the mail was not taken and never will be."""


class SmtpUncertainError(TransportError):
    """The connection ended where nobody can say whether the mail was taken."""
