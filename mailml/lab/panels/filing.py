"""The panel of `lab.panels.digest`: filed mail by kind and folder, a button to say that a person wrote it."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from mailml.errors import MailmlError
from mailml.lab.escape import esc, plain_text
from mailml.lab.panels.filed import Digest, Filed, in_words
from mailml.lab.panels.frame import CLASS, framed, words

_PAGE = 8  # mails at a time: more would be scrolled past


class DigestPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The digest with buttons; `digest` holds what was said.

    Mail is shown as escaped words and in the names of a dropdown: neither reads markup or formulas.
    """

    def __init__(self, digest: Digest) -> None:
        self.digest, self._groups, self._page = digest, digest.groups(), 0
        names = [
            (f"{in_words(kind)}, in {folder} ({len(mails)})", (kind, folder))
            for (kind, folder), mails in self._groups.items()
        ]
        self._choice = widgets.Dropdown(options=names, description="filed", layout={"width": "34rem"})
        self._choice.observe(self._chosen, "value")
        self._earlier, self._later = self._turner("earlier", -1), self._turner("later", 1)
        self._where, self._rows, self._status = words(), widgets.VBox(), words()
        self._command = widgets.Text(digest.command, disabled=True, layout={"width": "46rem"})
        turning = widgets.HBox([self._choice, self._earlier, self._where, self._later])
        said = "Nothing is changed here. Run this where the service runs to carry it out:"
        children = [turning, self._rows, self._status, words(said), self._command]
        super().__init__(framed(children), _dom_classes=[CLASS])
        self._draw()

    def _turner(self, name: str, by: int) -> Any:
        button = widgets.Button(description=name, layout={"width": "5rem"})

        def turned(_button: object) -> None:
            self._page += by
            self._draw()

        button.on_click(turned)
        return button

    def _chosen(self, _change: object) -> None:
        self._page = 0
        self._draw()

    def _draw(self) -> None:
        mails = self._groups.get(self._choice.value, ())
        pages = max(1, -(-len(mails) // _PAGE))
        self._page = min(max(self._page, 0), pages - 1)
        self._where.value = f"{self._page + 1} of {pages}"
        self._earlier.disabled, self._later.disabled = self._page == 0, self._page == pages - 1
        shown = mails[self._page * _PAGE : (self._page + 1) * _PAGE]
        self._rows.children = [self._row(mail) for mail in shown] or [words("No mail was filed.")]
        wanted = len(self.digest.wanted)
        told = (
            f"{wanted} to put back, written to {self.digest.undo}" if wanted else "Nothing to put back yet."
        )
        self._status.value = esc(told)

    def _row(self, mail: Filed) -> Any:
        marked = mail.message in self.digest.wanted
        button = widgets.Button(
            description="take back" if marked else "a person wrote it",
            button_style="warning" if marked else "",
            tooltip=plain_text(mail.subject, 80),
            layout={"width": "10rem", "min_width": "10rem"},
        )
        button.on_click(lambda _button: self._toggle(mail.message))
        wide = {"width": "auto", "margin": "0"}
        lines = [
            words(f"{mail.at}  {mail.sender}", layout=wide),
            widgets.HTML(f"<b>{esc(mail.subject, 120) or '(no subject)'}</b>", layout=wide),
            words(mail.evidence, 160, layout=wide, style={"text_color": "#666"}),
        ]
        return widgets.HBox(
            [button, widgets.VBox(lines, layout={"min_width": "0"})],
            layout={"border_bottom": "1px solid #ddd"},
        )

    def _toggle(self, message: str) -> None:
        try:
            if message in self.digest.wanted:
                self.digest.withdraw(message)
            else:
                self.digest.put_back(message)
        except (MailmlError, OSError) as error:
            self._status.value = esc(f"NOT saved: {error}")
        else:
            self._draw()
