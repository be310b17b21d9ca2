"""The frame of a panel: inside it keys belong to the panel, not to JupyterLab's shortcuts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import ipywidgets as widgets

CLASS = "mailml-panel"  # guard.js looks for it


def framed(children: Sequence[Any]) -> list[Any]:
    """The children of a panel with the guard of its keys, where anywidget is there to run it.

    Without anywidget the panel works by mouse; keys on a button are then JupyterLab's.
    """
    try:
        import anywidget
    except ImportError:
        return list(children)

    class KeyGuard(anywidget.AnyWidget):
        _esm = files("mailml.lab.panels").joinpath("guard.js").read_text(encoding="utf-8")

    return [KeyGuard(layout=widgets.Layout(display="none")), *children]
