"""Automated mail as a page: kinds by week, acknowledgements sent, withheld and why, what was filed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.autoreply.reasons import REASONS
from mailml.lab.report.figures import bars, stacked
from mailml.lab.report.page import Page, Section, Tile, from_frame, table

if TYPE_CHECKING:
    import pandas as pd


def automated_page(ledger: pd.DataFrame) -> Page:
    """The page over what `lab.replay` made of an archive."""
    incoming = ledger[~ledger["sent"]]
    lead = (
        f"{len(incoming):,} incoming messages: what a machine wrote, what was acknowledged, what was not and "
        "why. Nothing is ever deleted: filed mail lies in a visible folder."
    )
    made = f"{incoming['at'].max():%Y-%m-%d}" if len(incoming) else ""
    source = f"mailbox history, {len(ledger):,} messages"
    sections = (kinds_section(incoming), acks_section(incoming), _filed(incoming))
    return Page("Automated mail", lead, source, made, automated_tiles(incoming), sections)


def automated_tiles(incoming: pd.DataFrame) -> tuple[Tile, ...]:
    """The head of the report."""
    machine = incoming["kind"].ne("human")
    answered = int((machine & incoming["ack"]).sum())
    return (
        Tile("written by machines", f"{machine.mean():.1%}", f"{int(machine.sum()):,} of {len(incoming):,}"),
        Tile("acknowledgements", f"{int(incoming['ack'].sum()):,}", "at most one per interaction"),
        Tile(
            "machines answered",
            f"{answered:,}",
            "an answer to a machine can start a loop",
            "bad" if answered else "good",
        ),
        Tile("filed", f"{int(incoming['disposition'].eq('file').sum()):,}", "in a visible folder, no queue"),
    )


def kinds_section(incoming: pd.DataFrame) -> Section:
    """Kinds by week; people are left out of the picture, which they would fill."""
    machine = incoming[incoming["kind"].ne("human")]
    week = machine["at"].dt.strftime("%G-W%V")
    # every week of the history has its column, also one without automated mail
    weeks = sorted(set(incoming["at"].dt.strftime("%G-W%V")))
    counts = machine.groupby([week, "kind"]).size().unstack(fill_value=0).reindex(weeks, fill_value=0)
    counts.index.name = "week"
    series = {str(kind): [float(value) for value in counts[kind]] for kind in counts.columns}
    picture = stacked(weeks, series, "Automated messages per week and kind.", "messages") if series else None
    totals = incoming["kind"].value_counts().rename_axis("kind").reset_index(name="messages")
    tables = (from_frame(totals, "All kinds"), from_frame(counts, "By week", folded=True, index=True))
    return Section("Kinds of automated mail", "What machines sent, week by week.", picture, tables)


def acks_section(incoming: pd.DataFrame) -> Section:
    """Why mail got no acknowledgement."""
    reasons = incoming.loc[~incoming["ack"], "ack_reason"].value_counts()
    rows = [(REASONS.get(str(why), str(why)), int(count)) for why, count in reasons.items()]
    picture = bars(rows, "Reasons for which no acknowledgement was sent.", "messages") if rows else None
    sent = int(incoming["ack"].sum())
    lead = f"{sent:,} acknowledgements would be sent; the rest got none for these reasons."
    return Section("Acknowledgements withheld", lead, picture, (table(("reason", "messages"), rows),))


def _filed(incoming: pd.DataFrame) -> Section:
    filed = incoming[incoming["disposition"].eq("file")]
    counts = filed.groupby(["filed_in", "kind"]).size().reset_index(name="messages")
    counts = counts.sort_values("messages", ascending=False)
    return Section(
        "Filed", "Folders where automated mail is kept, visible to everyone.", None, (from_frame(counts),)
    )
