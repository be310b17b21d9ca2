"""`lab.autoreply_report`: the table of automated mail, judged by what the team itself did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailml.errors import InputError
from mailml.lab.autoreply_proof import Proof
from mailml.lab.autoreply_truth import named
from mailml.lab.escape import NO_MATH, esc, mask
from mailml.lab.labels import Labels
from mailml.lab.replay import replay

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.page import Page

_SHOWN = 50  # rows of a table in the notebook; the frames hold all


class AutoreplyReport(Proof):
    """The same to look at: in a notebook's cell, and as a page."""

    def page(self) -> Page:
        """The report as a page; `page().write(path)` makes it one HTML file."""
        from mailml.lab.report.automated import proven_page

        return proven_page(self)

    def _repr_html_(self) -> str:
        silenced, acked = self.silenced(), self.acked()
        parts = [
            f"<p>{self._labels()}</p>",
            "<h4>Kinds by month</h4>",
            _table(self.by_month().reset_index()),
            f"<h4>Silenced although an agent answered: {len(silenced)}</h4>",
            _table(silenced.drop(columns="sha256")),
            f"<h4>Acknowledged although automated: {len(acked)}</h4>",
            _table(acked.drop(columns="sha256")),
        ]
        return "".join(parts)

    def _labels(self) -> str:
        if not self.recall.of + self.denied.of:
            return "No message carries a label yet: lab.panels.label gives them."
        return (
            f"Against labels: precision {esc(self.precision)}, recall {esc(self.recall)}; people denied "
            f"an acknowledgement {esc(self.denied)}, filed {esc(self.filed)}."
        )


def autoreply_report(
    history: Archive | pd.DataFrame,
    bundle: Bundle | None = None,
    *,
    labels: Labels | str | os.PathLike[str] | None = None,
) -> AutoreplyReport:
    """Automated mail on the team's own archive: kinds by month, people silenced, machines acknowledged.

    `history` is an archive (with the `bundle` that decides it), or what `lab.replay` made of it; with
    `decisions=True` there the evidence is what was found, without it the row of the table in words. An
    archive also tells which mail an answer names; of a replay alone, order must do. `labels` is a label
    file: `automated` and `human` count, and every category that a person gave a message.
    """
    import pandas as pd

    names = None
    if isinstance(history, pd.DataFrame):
        ledger = history
    elif bundle is None:
        raise InputError("an archive needs a bundle that decides it", cure="Give bundle=…")
    else:
        ledger, names = replay(history, bundle, decisions=True), named(history)
    store = labels if labels is None or isinstance(labels, Labels) else Labels(labels)
    return AutoreplyReport(ledger, store, names)


def _table(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "<p>None was found.</p>"
    head = "".join(f"<th>{esc(str(name).replace('_', ' '))}</th>" for name in frame.columns)
    rows = (
        "".join(f"<td>{esc(_cell(value), 120)}</td>" for value in row)
        for row in frame.head(_SHOWN).itertuples(index=False)
    )
    return f"<table class='{NO_MATH}'><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _cell(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else mask(value)
