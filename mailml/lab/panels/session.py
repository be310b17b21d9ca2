"""Labelling without a widget: one message after another, every label on disk before it counts."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mailml.errors import LabelError
from mailml.lab.labels import Label, Labels
from mailml.lab.panels.candidates import Candidate

AUTOMATED = "automated"  # what key `a` says: no person wrote this


class Session:
    """A walk over messages that records what a person says of each.

    `put`, `skip` and `undo` return only after the label file is on disk. `done` is what has been said, in
    order, with None for a message that was skipped. `by` is who says it; the login name unless given.
    """

    def __init__(
        self,
        items: Sequence[Candidate],
        store: Labels,
        categories: Sequence[str],
        *,
        by: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not categories or len(categories) > 9 or len(set(categories)) != len(categories):
            what = f"{len(categories)} categories ({', '.join(categories)}) do not fit the keys 1 to 9"
            raise LabelError(what, cure="Give one to nine different categories")
        self.items, self.store, self.categories = tuple(items), store, tuple(categories)
        self.by = by or login()
        self.done: list[tuple[str, str | None]] = []
        self._clock = clock
        self._known = {item.message for item in self.items}

    def __repr__(self) -> str:
        return f"Session({len(self.done)} done, {self.left} left, {self.store.path})"

    @property
    def left(self) -> int:
        """How many messages wait."""
        return len(self.items) - len(self.done)

    @property
    def current(self) -> Candidate | None:
        """The message to look at now; None when all are done."""
        seen = {message for message, _ in self.done}
        return next((item for item in self.items if item.message not in seen), None)

    def put(self, label: str, message: str = "", note: str = "") -> None:
        """Say what the current message (or the one with this SHA-256) is; LabelError for unknown ones."""
        message = self._named(message)
        if label != AUTOMATED and label not in self.categories:
            cure = f"The categories are {', '.join(self.categories)} and {AUTOMATED}"
            raise LabelError(f"{label!r:.60} is no category of this session", cure=cure)
        self._write(message, label, note)
        self.done.append((message, label))

    def skip(self, message: str = "") -> None:
        """Leave the current message unlabelled and go on."""
        self.done.append((self._named(message), None))

    def undo(self) -> str:
        """Take back the last label or skip; returns the message it was about ("" when there is none).

        The label file keeps both lines: what was said, and that it was withdrawn.
        """
        if not self.done:
            return ""
        message, label = self.done[-1]
        if label is not None:
            self._write(message, "", "undone")
        self.done.pop()
        return message

    def _named(self, message: str) -> str:
        if not message:
            if self.current is None:
                raise LabelError("all messages of this session are done", cure="Start a new session")
            return self.current.message
        if message not in self._known:
            raise LabelError(f"the message {message[:12]}… is not part of this session")
        return message

    def _write(self, message: str, label: str, note: str) -> None:
        self.store.add([Label(message, label, self.by, "panel", self._clock(), note=note)])


def login() -> str:
    """Who sits here: the login name, or "analyst" where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # containers without a password entry
        return "analyst"
