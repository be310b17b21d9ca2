"""What all panels of plain widgets share: their own keys, a banner when the kernel is gone, mail as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import ipywidgets as widgets

from mailml.lab.escape import esc

CLASS = "mailml-panel"  # guard.js looks for it
_CSS = ".mailml-gone { background: #b91c1c; color: #fff; padding: 0.5em 0.8em; margin: 0; max-width: 60rem; }"


def framed(children: Sequence[Any]) -> list[Any]:
    """The children of a panel with the guard of its keys and its kernel, where anywidget is there to run it.

    Without anywidget the panel works by mouse; keys on a button are then JupyterLab's, and nothing tells that
    the kernel is gone.
    """
    try:
        guard = _guard()
    except ImportError:
        return list(children)
    return [guard(), *children]


def words(value: object = "", limit: int = 0, **options: Any) -> Any:
    """A stranger's words in a line of a panel, as text.

    No `Label`: it hands its text to MathJax, and "$5 instead of $9" becomes a formula.
    """
    return widgets.HTML(esc(value, limit), **options)


@cache
def _guard() -> Any:
    import anywidget

    class Guard(anywidget.AnyWidget):
        """Answers the page's question whether the kernel is there."""

        _esm = files("mailml.lab.panels").joinpath("guard.js").read_text(encoding="utf-8")
        _css = _CSS

        def __init__(self) -> None:
            super().__init__()
            self.on_msg(self._heard)

        def _heard(self, _widget: object, content: Any, _buffers: object) -> None:
            if isinstance(content, Mapping) and "alive" in content:
                self.send({"alive": content["alive"]})

    return Guard
