"""`lab.panels.label`: the keyboard panel, or plain buttons where anywidget is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mailml.lab.labels import Labels
from mailml.lab.panels.candidates import Candidate, candidates
from mailml.lab.panels.session import Session

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle

CATEGORIES = ("billing", "technical", "general")


def label(
    source: Archive | Sequence[Candidate],
    labels: str | os.PathLike[str] = "labels.jsonl",
    categories: Sequence[str] = CATEGORIES,
    *,
    bundle: Bundle | None = None,
    order: str = "random",
    n: int = 100,
    seed: int = 0,
    by: str = "",
    plain: bool = False,
    addresses: bool = False,
) -> Any:
    """A panel to label messages by keyboard: 1 2 3 for categories, a automated, s skip, u undo.

    g shows the guess of the bundle and t every rule it tried, on demand, so that neither leads the eye.
    Addresses are masked unless `addresses` asks for them.

    `source` is an archive, or messages chosen with `candidates`. Messages that have a person's label already
    are left out. Each label is on disk before the panel counts it. With `plain` (or without anywidget) the
    panel has buttons only. `panel.session` does the same from code.
    """
    store = Labels(labels)
    if isinstance(source, Sequence):
        items = source
    else:
        items = candidates(
            source, labels=store, bundle=bundle, order=order, n=n, seed=seed, addresses=addresses
        )
    session = Session(items, store, categories, by=by)
    if not plain:
        try:
            from mailml.lab.panels.keyboard import KeyboardPanel

            return KeyboardPanel(session)
        except ImportError:
            pass  # anywidget is not installed: buttons do as well, more slowly
    from mailml.lab.panels.buttons import ButtonPanel

    return ButtonPanel(session)
