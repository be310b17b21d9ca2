"""`lab.panels.digest`: filed mail by kind and folder, one click to say that a person wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mailml.lab.labels import Labels
from mailml.lab.panels.filed import Digest, filed

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.panels.filing import DigestPanel


def digest(
    source: Archive | pd.DataFrame | Sequence[Mapping[str, Any]] | str | os.PathLike[str],
    bundle: Bundle | None = None,
    *,
    undo: str | os.PathLike[str] = "undo.jsonl",
    labels: Labels | str | os.PathLike[str] = "labels.jsonl",
    days: float | None = None,
    by: str = "",
) -> DigestPanel:
    """A panel over filed mail, grouped by kind and folder, with the evidence, the sender and the time.

    `source` is an archive with the `bundle` that decides it, a replay, or what `mailml-serve filed list
    --json` prints. A click labels the mail as a person's and writes a request to `undo`; nothing else is
    changed, and the command that carries it out stands below. `panel.digest` does the same from code.
    """
    # ipywidgets is loaded when a panel opens, not when the lab does
    from mailml.lab.panels.filing import DigestPanel

    return DigestPanel(Digest(filed(source, bundle, days=days), undo, labels, by=by))
