"""`lab.trace`: why one message goes where, as the same short tree that `mailml explain` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailml.decide import decide
from mailml.errors import InputError
from mailml.explain import explain
from mailml.lab.escape import esc, mask, plain_text
from mailml.message import parse
from mailml.verdict import Context, Decision

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.message import Message

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a mail that does not say when it came


@dataclass(frozen=True)
class Traced:
    """A decision and the tree that tells it; addresses are masked unless they were asked for."""

    decision: Decision
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre style='line-height:1.45'>{esc(self.text)}</pre>"


def trace(
    archive: Archive, sha256: str, bundle: Bundle, *, addresses: bool = False, alone: bool = False
) -> Traced:
    """Why a message of an archive goes where, with every rule that was tried.

    It is decided as it stood in its conversation, which takes a replay of the archive the first time; with
    `alone` as if it opened one. Raises InputError for a message that is not in the archive, or is ours.
    """
    message = parse(archive.raw(sha256))
    context = _alone(message) if alone else _in_history(archive, sha256, bundle)
    decision = decide(message, bundle, context)
    text = plain_text(explain(sha256[:12], message, decision, bundle, context.received_at))
    return Traced(decision, text if addresses else mask(text))


def _alone(message: Message) -> Context:
    at = message.received_dates[0] if message.received_dates else message.date or _NEVER
    return Context(received_at=at, now=at)


def _in_history(archive: Archive, sha256: str, bundle: Bundle) -> Context:
    from mailml.lab.replay import replayed

    replay = replayed(archive, bundle)
    known: dict[str, Context | None] = dict(zip(replay.rows["sha256"], replay.contexts, strict=True))
    context = known.get(sha256)
    if context is None:
        what = f"{sha256[:12]} is our own mail, a draft or deleted: nobody decides it"
        raise InputError(what, cure="Give the SHA-256 of a message that came in")
    return context
