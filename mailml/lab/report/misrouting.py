"""The misrouting report as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.lab import rate_changes
from mailml.lab.escape import mask
from mailml.lab.report.drawings import transfers
from mailml.lab.report.figures import Picture, lines, shares
from mailml.lab.report.page import Page, Section, Table, Tile, from_frame, table

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.misroutes import Misroutes

_WHAT = {"rule": "rule", "first": "queue"}


def misrouting_page(report: Misroutes, *, addresses: bool = False) -> Page:
    """The page: tiles, transfers, rates by queue, rule, category and sender, the telling messages."""
    lead = (
        f"{len(report.rows):,} interactions whose resolving queue is known: where the flow sends them first, "
        "and the folder where agents finally left them. Of mail that is younger than two weeks, was moved in "
        "bulk or lies in no queue's folder nobody can say."
    )
    lead = f"{lead} {report.note}".strip()
    return Page(
        "Where mail goes wrong",
        lead,
        report.source,
        f"{report.rows['at'].max():%Y-%m-%d}",
        misrouting_tiles(report),
        (
            transfer_section(report.transfers(), ("first queue", "resolving queue")),
            _rates(report, "first", "By first queue"),
            _rates(report, "rule", "By rule"),
            _rates(report, "category", "By category"),
            _changes(report),
            _trend(report),
            _domains(report),
            *_bundles(report),
            _telling(report, addresses=addresses),
        ),
    )


def misrouting_tiles(report: Misroutes) -> tuple[Tile, ...]:
    """The head of the report."""
    rate = report.rate
    return (
        Tile("misrouted", f"{rate.value:.1%}", f"95% interval {rate.low:.1%} to {rate.high:.1%}"),
        Tile("interactions", f"{rate.of:,}", f"of {report.unknown:,} more nobody can say"),
        Tile("moved by hand", f"{rate.hits:,}", "first queue differs from resolving queue"),
        Tile("cost", f"{report.minutes_lost / 60:,.0f} h", f"at {report.minutes_each:g} minutes a hand-over"),
    )


def transfer_section(
    counts: pd.DataFrame,
    heads: tuple[str, str],
    title: str = "From queue to queue",
    lead: str = "Pale bands stayed where they were sent first; strong bands were moved.",
) -> Section:
    """A picture of a table of queue by queue, with that table under it."""
    moves = {
        (str(source), str(target)): int(counts.loc[source, target])
        for source in counts.index
        for target in counts.columns
        if counts.loc[source, target]
    }
    picture = transfers(
        moves, f"Messages from {heads[0]} to {heads[1]}; the numbers stand in the table.", heads
    )
    numbers = from_frame(counts, f"Rows: {heads[0]}. Columns: {heads[1]}.", index=True)
    return Section(title, lead, picture, (numbers,))


def _rates(report: Misroutes, column: str, title: str) -> Section:
    rows = report.by(column)
    return Section(
        title, "Share misrouted; the lines are 95% intervals.", _picture(rows, column), (from_frame(rows),)
    )


def _picture(rows: pd.DataFrame, column: str) -> Picture:
    named = [(str(name), share) for name, share in zip(rows[column], rows["rate"], strict=True)]
    return shares(named[:20], f"Share misrouted by {column}, with 95% intervals; numbers in the table.")


def _trend(report: Misroutes) -> Section:
    rows = report.by_month()
    values = {"misrouted": [share.value for share in rows["rate"]]}
    picture = lines(list(rows["month"]), values, "Share misrouted, month by month.", "", percent=True)
    return Section(
        "Month by month", "A step here usually is a new product, form or rule.", picture, (from_frame(rows),)
    )


def _changes(report: Misroutes) -> Section:
    """Rules and queues whose rate is another one since a certain week."""
    found = [(what, one) for what in ("rule", "first") for one in report.changes(what)]
    sure = [f"{_WHAT[what].capitalize()} {one}" for what, one in found if one.found]
    tables = tuple(
        from_frame(
            rate_changes.table(one for kind, one in found if kind == what),
            f"By {_WHAT[what]}",
            folded=not sure,
        )
        for what in ("rule", "first")
    )
    lead = (
        "The week since which a rate is most likely another one, tested against chance for all of them at "
        "once (p below 0.05 counts)."
    )
    lead = f"{'. '.join(sure)}. {lead}" if sure else f"{lead} No rule and no queue changed."
    return Section("Since when", lead, None, tables)


def _domains(report: Misroutes) -> Section:
    rows = report.by("domain").head(15)
    return Section("By sender's domain", "The fifteen with most misroutes.", None, (from_frame(rows),))


def _bundles(report: Misroutes) -> tuple[Section, ...]:
    rows = report.by("bundle")
    if len(rows) < 2:
        return ()
    return (Section("By bundle", "Which bundle decided it.", _picture(rows, "bundle"), (from_frame(rows),)),)


def _telling(report: Misroutes, *, addresses: bool) -> Section:
    lead = "Surest and wrong: here a rule, a label or the training data is mistaken."
    return Section(
        "The most telling messages", lead, None, (_messages(report.telling(), addresses=addresses),)
    )


def _messages(rows: pd.DataFrame, *, addresses: bool) -> Table:
    shown = (
        rows
        if addresses
        else rows.assign(from_addr=rows["from_addr"].map(mask), subject=rows["subject"].map(mask))
    )
    columns = ("at (UTC)", "from", "subject", "first", "final", "rule", "category", "probability")
    return table(columns, shown.itertuples(index=False, name=None))
