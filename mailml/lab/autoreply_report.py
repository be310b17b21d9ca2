"""`lab.autoreply_report`: the table of automated mail, judged by what the team itself did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailml.errors import InputError
from mailml.lab.escape import esc, mask
from mailml.lab.intervals import Share, wilson
from mailml.lab.labels import Labels
from mailml.lab.replay import replay

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle

_COLUMNS = ["at", "sha256", "from_addr", "subject", "kind", "row", "disposition", "ack_reason", "evidence"]
_LABELS = {"automated": True, "human": False}
_SHOWN = 50  # rows of a table in the notebook; the frames hold all


class AutoreplyReport:
    """What a bundle says of automated mail, against the answers and acknowledgements in Sent and the labels.

    `by_month()`, `silenced()` and `acked()` are DataFrames; `precision` and `recall` are shares with Wilson
    intervals over the messages that carry a label `automated` or `human`.
    """

    def __init__(self, ledger: pd.DataFrame, labels: Labels | None = None) -> None:
        self.ledger = ledger.assign(evidence=_evidence(ledger))
        self.incoming = self.ledger[~self.ledger["sent"]]
        said = {sha: _LABELS.get(label.label) for sha, label in labels.latest().items()} if labels else {}
        truth = self.incoming["sha256"].map(said).dropna().astype(bool)
        machine = self.incoming.loc[truth.index, "kind"].ne("human")
        hits = int((truth & machine).sum())
        self.precision: Share = wilson(hits, int(machine.sum()))
        self.recall: Share = wilson(hits, int(truth.sum()))

    def by_month(self) -> pd.DataFrame:
        """Messages by month (rows) and kind (columns)."""
        month = self.incoming["at"].dt.strftime("%Y-%m").rename("month")
        return self.incoming.groupby([month, "kind"]).size().unstack(fill_value=0)

    def silenced(self) -> pd.DataFrame:
        """Mail of a kind other than human that a person of ours answered next in its thread: likely a person.

        The answer in Sent is a truth nobody had to label; it can still be an answer to an earlier mail.
        """
        nexts = self._next()
        answered = nexts["sent"].eq(True) & nexts["automatic"].eq(False)
        return self.incoming.loc[self.incoming["kind"].ne("human") & answered[self.incoming.index], _COLUMNS]

    def acked(self) -> pd.DataFrame:
        """Mail of a machine that an automatic mail of ours (in Sent) followed next in its thread."""
        nexts = self._next()
        acked = nexts["sent"].eq(True) & nexts["automatic"].eq(True)
        return self.incoming.loc[self.incoming["kind"].ne("human") & acked[self.incoming.index], _COLUMNS]

    def _next(self) -> pd.DataFrame:
        """`sent` and `automatic` of the mail that follows each one in its thread."""
        in_order = self.ledger.sort_values("at", kind="stable")
        return in_order.groupby("thread")[["sent", "automatic"]].shift(-1).reindex(self.ledger.index)

    def _repr_html_(self) -> str:
        silenced, acked = self.silenced(), self.acked()
        parts = [
            f"<p>Against labels: precision {esc(self.precision)}, recall {esc(self.recall)}.</p>",
            "<h4>Kinds by month</h4>",
            _table(self.by_month().reset_index()),
            f"<h4>Not taken for people although an agent answered: {len(silenced)}</h4>",
            _table(silenced),
            f"<h4>Acknowledged although automated: {len(acked)}</h4>",
            _table(acked),
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
    `decisions=True` there the evidence is shown, without it only the row. `labels` is a label file.
    """
    import pandas as pd

    if isinstance(history, pd.DataFrame):
        ledger = history
    elif bundle is None:
        raise InputError("an archive needs a bundle that decides it", cure="Give bundle=…")
    else:
        ledger = replay(history, bundle, decisions=True)
    store = labels if labels is None or isinstance(labels, Labels) else Labels(labels)
    return AutoreplyReport(ledger, store)


def _evidence(ledger: pd.DataFrame) -> list[str]:
    if "decision" not in ledger:
        return [f"row {row}" if row else "" for row in ledger["row"]]
    return [
        "; ".join(f"{item.name}: {item.value}" for item in decision.verdict.evidence) if not ours else ""
        for decision, ours in zip(ledger["decision"], ledger["sent"], strict=True)
    ]


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{esc(name)}</th>" for name in frame.columns)
    rows = (
        "".join(f"<td>{esc(mask(value), 120)}</td>" for value in row)
        for row in frame.head(_SHOWN).itertuples(index=False)
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
