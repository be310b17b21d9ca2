"""The label panel with plain ipywidgets: slower than keys, and there where anywidget is not."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from mailml.errors import MailmlError
from mailml.lab.escape import esc, plain_text
from mailml.lab.panels.frame import CLASS, framed, words
from mailml.lab.panels.session import AUTOMATED, Session


class ButtonPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Buttons for each category, automated, skip and undo; `session` holds what was said.

    Mail is shown as escaped words and in a read-only Textarea: neither reads markup or formulas.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._status, self._subject = words(), words()
        self._body = widgets.Textarea(disabled=True, rows=12, layout={"width": "46rem"})
        self._guess = widgets.Textarea(disabled=True, rows=10, layout={"width": "46rem", "display": "none"})
        self._shown = widgets.Checkbox(description="show what the bundle says of it", indent=False)
        self._shown.observe(lambda _change: self._draw(), "value")
        buttons = [self._button(name, lambda name=name: session.put(name)) for name in session.categories]
        buttons += [
            self._button(AUTOMATED, lambda: session.put(AUTOMATED)),
            self._button("skip", session.skip),
            self._button("undo", session.undo),
        ]
        rows = [self._status, self._subject, self._body, widgets.HBox(buttons), self._shown, self._guess]
        super().__init__(framed(rows), _dom_classes=[CLASS])
        self._draw()

    def _button(self, name: str, act: Any) -> Any:
        button = widgets.Button(description=plain_text(name, 24), tooltip=name)

        def pressed(_button: object) -> None:
            try:
                act()
            except (MailmlError, OSError) as error:
                self._status.value = esc(f"NOT saved: {error}")
            else:
                self._draw()

        button.on_click(pressed)
        return button

    def _draw(self) -> None:
        item, done = self.session.current, self.session.done
        labelled = sum(label is not None for _, label in done)
        self._status.value = f"{labelled} labelled and on disk, {self.session.left} left"
        self._subject.value = f"<b>{esc(item.subject, 120)}</b>" if item else "All done."
        self._body.value = item.body if item else f"The labels are in {self.session.store.path}"
        told = "\n\n".join(part for part in (item.guess, item.trace) if part) if item else ""
        self._guess.value = told or "no bundle was given"
        self._guess.layout.display = "" if item and self._shown.value else "none"
