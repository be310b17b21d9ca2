"""The error panel: a confusion matrix of buttons, the messages behind each, why, and "the label is wrong"."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from mailml.errors import MailmlError
from mailml.lab.escape import esc
from mailml.lab.panels.frame import CLASS, framed, words
from mailml.lab.panels.mistakes import Mistake, Mistakes
from mailml.lab.panels.session import AUTOMATED

_PAGE = (
    "white-space:pre-wrap;max-height:16em;overflow:auto;max-width:60rem;margin:0.4em 0;padding:0.5em;"
    "border:1px solid #ccc"
)
_WIDE = {"width": "60rem", "max_width": "100%"}


class ErrorPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The panel. `mistakes` does the same from code. Mail is escaped on its way into the page."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes
        self._shown: tuple[Mistake, ...] = ()
        self._told = words("Choose a number: rows are the labels, columns what was answered.")
        self._list = widgets.Select(options=[], rows=8, layout=_WIDE)
        self._list.observe(lambda _change: self._read(), "index")
        self._words, self._why = widgets.HTML(), widgets.HTML()
        self._what = widgets.Dropdown(
            options=[*mistakes.trained.classes, AUTOMATED], description="It is", layout={"width": "16rem"}
        )
        wrong = widgets.Button(
            description="The label is wrong", tooltip="Write the category at the left as label"
        )
        wrong.on_click(lambda _button: self._correct())
        row = widgets.HBox([self._what, wrong])
        children = [self._matrix(), self._told, self._list, self._words, self._why, row]
        super().__init__(framed(children), _dom_classes=[CLASS])

    def _matrix(self) -> Any:
        counts = self.mistakes.confusion()
        cells = [words("label \\ answer"), *(words(name, 20) for name in counts.columns)]
        for truth in counts.index:
            cells.append(words(truth, 20))
            cells += [self._cell(truth, said, int(counts.loc[truth, said])) for said in counts.columns]
        columns = f"10rem repeat({len(counts.columns)}, 7rem)"
        return widgets.GridBox(cells, layout={"grid_template_columns": columns})

    def _cell(self, truth: str, said: str, count: int) -> Any:
        style = "" if not count else "success" if truth == said else "warning"
        tip = f"labelled {truth}, answered {said}"
        button = widgets.Button(
            description=f"{count:,}",
            tooltip=tip,
            button_style=style,
            disabled=not count,
            layout={"width": "6rem"},
        )
        button.on_click(lambda _button: self._show(truth, said))
        return button

    def _show(self, truth: str, said: str) -> None:
        self._shown = self.mistakes.cell(truth, said)
        self._told.value = esc(f"{len(self._shown):,} labelled {truth} and answered {said}, the surest first")
        self._what.value = said if said in self._what.options else truth
        # an index observed from -1 to 0 would not fire when the list before it stood at 0 too
        self._list.index = None
        self._list.options = [(self._title(m), at) for at, m in enumerate(self._shown)]
        self._list.index = 0 if self._shown else None
        self._read()

    def _title(self, mistake: Mistake) -> str:
        done = self.mistakes.corrected.get(mistake.message)
        return f"{'✓ now ' + done if done else f'{mistake.sure:.0%}'}  {mistake.title}"

    @property
    def current(self) -> Mistake | None:
        """The message that is looked at."""
        at = self._list.index
        return None if at is None else self._shown[at]

    def _read(self) -> None:
        mistake = self.current
        self._words.value = _page(self.mistakes.read(mistake), "The message") if mistake else ""
        self._why.value = _page(self.mistakes.reasons(mistake), "Why") if mistake else ""

    def _correct(self) -> None:
        mistake, at = self.current, self._list.index
        if mistake is None:
            self._told.value = "Choose a message first."
            return
        try:
            self.mistakes.correct(mistake, self._what.value)
        except (MailmlError, OSError) as error:
            self._told.value = esc(f"NOT saved: {error}")
            return
        self._list.options = [(self._title(m), i) for i, m in enumerate(self._shown)]
        self._list.index = at
        where = self.mistakes.labels.path if self.mistakes.labels else ""
        self._told.value = esc(f"Saved in {where}. Train again to see what it changes.")


def _page(text: str, name: str) -> str:
    """Text to scroll in, by keyboard as well."""
    return f"<pre class='mailml-text' tabindex='0' aria-label='{name}' style='{_PAGE}'>{esc(text)}</pre>"
