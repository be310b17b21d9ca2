"""One question of the doctor's, its answer, and the cure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mailml.errors import MailmlError

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One question, its answer, and the cure; `state` is ok, warning or failed."""

    name: str
    state: str
    found: str
    cure: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The check as JSON-able values."""
        return asdict(self)


def failed(name: str, error: MailmlError) -> Check:
    """An error of ours as a failed check."""
    found = f"{error.where}: {error.what}" if error.where else error.what
    return Check(name, FAILED, found, error.cure or "See serve/README.md")


def judged(name: str, good: bool, found: str, cure: str = "", *, otherwise: str = FAILED) -> Check:
    """A check that is ok or, when not, `otherwise` with its cure."""
    return Check(name, OK if good else otherwise, found, "" if good else cure)
