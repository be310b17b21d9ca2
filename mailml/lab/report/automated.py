"""Automated mail as a page: kinds by week, acknowledgements sent, withheld and why, what was filed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.autoreply.reasons import REASONS
from mailml.lab.autoreply_proof import Proof
from mailml.lab.autoreply_truth import Named
from mailml.lab.escape import mask
from mailml.lab.report.figures import bars, stacked
from mailml.lab.report.page import Page, Section, Tile, from_frame, table

if TYPE_CHECKING:
    import pandas as pd


def automated_page(ledger: pd.DataFrame, names: Named | None = None) -> Page:
    """The page over what `lab.replay` made of an archive; `names` are what its mails answer, where known."""
    incoming = ledger[~ledger["sent"]]
    lead = (
        f"{len(incoming):,} incoming messages: what a machine wrote, what was acknowledged, what was not and "
        "why. Nothing is ever deleted: filed mail lies in a visible folder."
    )
    made = f"{incoming['at'].max():%Y-%m-%d}" if len(incoming) else ""
    source = f"mailbox history, {len(ledger):,} messages"
    proven = Proof(ledger, names=names)
    sections = (kinds_section(incoming), acks_section(incoming), _loops(incoming), _filed(incoming))
    tiles = (*automated_tiles(incoming), _silenced_tile(proven))
    return Page("Automated mail", lead, source, made, tiles, (*sections, *_proof(proven)))


def proven_page(report: Proof) -> Page:
    """The page of `lab.autoreply_report`: what Sent and labels prove of the table, and kinds by month."""
    incoming = report.incoming
    lead = "What a machine wrote, who was silenced although a person of ours answered, and what labels say."
    made = f"{incoming['at'].max():%Y-%m-%d}" if len(incoming) else ""
    months = from_frame(report.by_month(), "Messages by month and kind", index=True)
    sections = (Section("Kinds by month", "", None, (months,)), *_proof(report), _labels(report))
    tiles = (*automated_tiles(incoming), _silenced_tile(report))
    return Page("Automated mail, proven", lead, f"{len(report.ledger):,} messages", made, tiles, sections)


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
    incoming = incoming.assign(kind=incoming["kind"].astype("str").str.replace("_", " "))
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


def _loops(incoming: pd.DataFrame) -> Section:
    """Mail of ours that came back, and what the breaker refused."""
    back = incoming["kind"].eq("own_loop")
    refused = incoming["ack_reason"].eq("limit")
    rows = [
        ("our own mail came back and was filed", int(back.sum())),
        ("refused by the loop breaker", int(refused.sum())),
    ]
    lead = "A loop is stopped by the first sign of it: our own signature, or a limit that is reached."
    return Section("Loops stopped", lead, None, (table(("what", "messages"), rows),))


def _filed(incoming: pd.DataFrame) -> Section:
    filed = incoming[incoming["disposition"].eq("file")]
    counts = filed.groupby(["filed_in", "kind"]).size().reset_index(name="messages")
    counts = counts.sort_values("messages", ascending=False)
    return Section(
        "Filed", "Folders where automated mail is kept, visible to everyone.", None, (from_frame(counts),)
    )


def _silenced_tile(report: Proof) -> Tile:
    found = report.silenced()
    filed = int(found["how"].eq("filed").sum())
    note = f"an agent answered all the same; {filed:,} of them lay in a folder"
    return Tile("likely people silenced", f"{len(found):,}", note, "bad" if filed else "")


def _proof(report: Proof) -> tuple[Section, ...]:
    """What the Sent folder proves, with the evidence of each."""
    silenced, acked = report.silenced(), report.acked()
    filed, denied = silenced[silenced["how"].eq("filed")], silenced[silenced["how"].ne("filed")]
    return (
        _listed(
            "Filed although a person answered",
            "Each of these lay outside the queues, and an agent answered it: undo the filing and label it.",
            filed,
        ),
        _listed(
            "No acknowledgement although a person answered",
            "These were delivered to a queue; only the acknowledgement was withheld.",
            denied,
        ),
        _listed(
            "Acknowledged although automated",
            "An automatic mail of ours stands in Sent right behind each of these.",
            acked,
        ),
    )


def _listed(title: str, lead: str, found: pd.DataFrame) -> Section:
    shown = found[["at", "from_addr", "subject", "kind", "reason", "evidence"]].sort_values("at")
    shown = shown.assign(**{name: shown[name].map(mask) for name in ("from_addr", "subject", "evidence")})
    if shown.empty:
        return Section(title, "None was found.")
    return Section(title, lead, None, (from_frame(shown.rename(columns={"from_addr": "from"})),))


def _labels(report: Proof) -> Section:
    rows = [
        ("precision: of what was taken for a machine, a machine wrote", report.precision),
        ("recall: of what machines wrote, was taken for one", report.recall),
        ("people whose mail got no acknowledgement for what it is", report.denied),
        ("people whose mail was filed", report.filed),
    ]
    if not report.precision.of + report.recall.of + report.denied.of:
        return Section("Against labels", "No message carries a label yet: lab.panels.label gives them.")
    lead = "Over the messages that a person labelled, with 95% intervals."
    return Section("Against labels", lead, None, (table(("measure", "share"), rows),))
