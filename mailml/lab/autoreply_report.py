"""`lab.autoreply_report`: the table of automated mail, judged by what the team itself did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailml.autoreply.reasons import OF_THE_MESSAGE, REASONS, row_says
from mailml.errors import InputError
from mailml.lab.autoreply_truth import Named, followed, named, said
from mailml.lab.escape import esc, mask
from mailml.lab.intervals import Share, wilson
from mailml.lab.labels import Labels
from mailml.lab.replay import replay

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.page import Page

_COLUMNS = ["at", "sha256", "from_addr", "subject", "kind", "row", "how", "reason", "evidence"]
_SHOWN = 50  # rows of a table in the notebook; the frames hold all


class AutoreplyReport:
    """What a bundle says of automated mail, against the answers and acknowledgements in Sent and the labels.

    `by_month()`, `silenced()` and `acked()` are DataFrames. Over the messages that a person labelled there
    are shares with Wilson intervals: `precision` and `recall` of "a machine wrote it", and `denied` and
    `filed`, the people whose mail got no acknowledgement for what it is, or went into no queue.
    """

    def __init__(
        self, ledger: pd.DataFrame, labels: Labels | None = None, names: Named | None = None
    ) -> None:
        why = [REASONS.get(str(reason), str(reason or "")) for reason in ledger["ack_reason"]]
        told = ledger.assign(reason=why, evidence=_evidence(ledger), how=_how(ledger))
        self.ledger = told.join(followed(ledger, names))
        self.incoming = self.ledger[~self.ledger["sent"]]
        truth = self.incoming["sha256"].map(said(labels)).dropna().astype(bool)
        known = self.incoming.loc[truth.index]
        machine, people = known["kind"].ne("human"), known[~truth]
        hits = int((truth & machine).sum())
        self.precision: Share = wilson(hits, int(machine.sum()))
        self.recall: Share = wilson(hits, int(truth.sum()))
        self.denied: Share = wilson(int(people["how"].ne("").sum()), len(people))
        self.filed: Share = wilson(int(people["how"].eq("filed").sum()), len(people))

    def by_month(self) -> pd.DataFrame:
        """Messages by month (rows) and kind (columns)."""
        month = self.incoming["at"].dt.strftime("%Y-%m").rename("month")
        return self.incoming.groupby([month, "kind"]).size().unstack(fill_value=0)

    def silenced(self) -> pd.DataFrame:
        """Mail that was filed or denied an acknowledgement for what it is, although an agent answered it.

        The answer in Sent is a truth nobody had to label: `how` says "filed" or "no acknowledgement". Kinds
        other than human stand here as well as people who asked for no answer, wrote from a robot's address,
        sent an invitation, or whose mail was not to us.
        """
        return self.incoming.loc[self.incoming["how"].ne("") & self.incoming["answered"], _COLUMNS]

    def acked(self) -> pd.DataFrame:
        """Mail of a machine that an automatic mail of ours (in Sent) followed next in its thread."""
        return self.incoming.loc[self.incoming["kind"].ne("human") & self.incoming["acked_in_sent"], _COLUMNS]

    def page(self) -> Page:
        """The report as a page; `page().write(path)` makes it one HTML file."""
        from mailml.lab.report.automated import proven_page

        return proven_page(self)

    def _repr_html_(self) -> str:
        silenced, acked = self.silenced(), self.acked()
        parts = [
            f"<p>Against labels: precision {esc(self.precision)}, recall {esc(self.recall)}; people denied "
            f"an acknowledgement {esc(self.denied)}, filed {esc(self.filed)}.</p>",
            "<h4>Kinds by month</h4>",
            _table(self.by_month().reset_index()),
            f"<h4>Silenced although an agent answered: {len(silenced)}</h4>",
            _table(silenced.drop(columns="sha256")),
            f"<h4>Acknowledged although automated: {len(acked)}</h4>",
            _table(acked.drop(columns="sha256")),
        ]
        return "".join(parts)


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


def _evidence(ledger: pd.DataFrame) -> list[str]:
    """What was found where whole decisions are at hand, else what the row of the table says."""
    if "decision" in ledger:
        return [
            "; ".join(f"{item.name}: {item.value}" for item in decision.verdict.evidence) if not ours else ""
            for decision, ours in zip(ledger["decision"], ledger["sent"], strict=True)
        ]
    columns = zip(ledger["row"], ledger["kind"], ledger["ack_reason"], strict=True)
    return [f"row {row}: {row_says(row, kind, why)}" if row else "" for row, kind, why in columns]


def _how(ledger: pd.DataFrame) -> list[str]:
    """How the judgement of the message itself lowers the service: "filed", "no acknowledgement" or ""."""
    # what the message says stands before what the thread says: an older acknowledgement never hides it
    return [
        "" if ours else "filed" if place == "file" else "no acknowledgement" if why in OF_THE_MESSAGE else ""
        for ours, place, why in zip(ledger["sent"], ledger["disposition"], ledger["ack_reason"], strict=True)
    ]


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{esc(str(name).replace('_', ' '))}</th>" for name in frame.columns)
    rows = (
        "".join(f"<td>{esc(_cell(value), 120)}</td>" for value in row)
        for row in frame.head(_SHOWN).itertuples(index=False)
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _cell(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else mask(value)
