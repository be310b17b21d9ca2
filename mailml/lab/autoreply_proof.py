"""The table of automated mail against what the team itself did: the numbers behind `lab.autoreply_report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.autoreply.reasons import OF_THE_MESSAGE, REASONS, row_says
from mailml.lab.autoreply_truth import Named, followed, said
from mailml.lab.intervals import Share, wilson
from mailml.lab.labels import Labels

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["at", "sha256", "from_addr", "subject", "kind", "row", "how", "reason", "evidence"]


class Proof:
    """What a bundle says of automated mail, against the answers and acknowledgements in Sent and the labels.

    `by_month()`, `silenced()` and `acked()` are DataFrames. Over the messages that a person labelled there
    are shares with Wilson intervals: `precision` and `recall` of "a machine wrote it", and `denied` and
    `filed`, the people whose mail got no acknowledgement for what it is, or went into no queue.
    """

    def __init__(
        self, ledger: pd.DataFrame, labels: Labels | None = None, names: Named | None = None
    ) -> None:
        why = [REASONS.get(str(reason), str(reason or "")) for reason in ledger["ack_reason"]]
        told = ledger.assign(reason=why, evidence=evidence(ledger), how=_how(ledger))
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

    def rows(self) -> pd.DataFrame:
        """The rows of the table that decided here: what each says, how many mails, one example."""
        import pandas as pd

        found = []
        for (number, kind), mails in self.incoming.groupby(["row", "kind"], sort=False):
            first = mails.iloc[0]
            says = row_says(str(number), str(kind), str(first["ack_reason"] or ""))
            shown = {"row": number, "says": says, "kind": kind, "messages": len(mails)}
            shown |= {
                "filed": int(mails["disposition"].eq("file").sum()),
                "acknowledged": int(mails["ack"].sum()),
            }
            found.append({**shown, "for example": first["evidence"][:90]})
        frame = pd.DataFrame(
            found, columns=["row", "says", "kind", "messages", "filed", "acknowledged", "for example"]
        )
        order = frame["row"].str.extract(r"(\d+)")[0].astype(float)
        return frame.assign(order=order).sort_values(["order", "row"]).drop(columns="order").set_index("row")

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


def evidence(ledger: pd.DataFrame) -> list[str]:
    """Of each row of a replay what was found, or where no decisions are at hand what the row says."""
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
