"""The keyboard label panel: an anywidget that shows mail as text and waits for the disk."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from mailml.errors import MailmlError
from mailml.lab.panels.session import AUTOMATED, Session

_HERE = files("mailml.lab.panels")


class KeyboardPanel(anywidget.AnyWidget):
    """The panel. `session` holds what was said; the page gets each message once, as plain text."""

    _esm = _HERE.joinpath("keyboard.js").read_text(encoding="utf-8")
    _css = _HERE.joinpath("keyboard.css").read_text(encoding="utf-8")
    items: Any = traitlets.List().tag(sync=True)
    categories: Any = traitlets.List().tag(sync=True)
    automated = traitlets.Unicode(AUTOMATED).tag(sync=True)
    done: Any = traitlets.List().tag(sync=True)
    where = traitlets.Unicode().tag(sync=True)

    def __init__(self, session: Session) -> None:
        self.session = session
        super().__init__(
            items=[asdict(item) for item in session.items],
            categories=list(session.categories),
            done=_done(session),
            where=str(session.store.path),
        )
        self.on_msg(self._heard)

    def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
        """One key of the page: write it down, then acknowledge its number; a refusal is told in words."""
        number = content.get("seq") if isinstance(content, dict) else None
        try:
            self._do(content)
        except (MailmlError, OSError) as error:
            self.send({"refused": number, "why": str(error)})
            return
        # a view that opens later (or again) starts from what is on disk, not from what was typed
        self.done = _done(self.session)
        self.send({"ack": number})

    def _do(self, content: Any) -> None:
        kind, message = content.get("type"), str(content.get("message", ""))
        if kind == "label":
            self.session.put(str(content.get("label")), message)
        elif kind == "skip":
            self.session.skip(message)
        elif kind == "undo":
            self.session.undo()


def _done(session: Session) -> list[list[str | None]]:
    return [[message, label] for message, label in session.done]
