"""The overview: one page for the support lead. What came in, where it went, how good that is, who waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mailml.lab.report.automated import acks_section, kinds_section
from mailml.lab.report.backtest import CHANGED, rates_section
from mailml.lab.report.live import live_section, live_tiles
from mailml.lab.report.misrouting import transfer_section
from mailml.lab.report.page import Page, Section, Tile, table
from mailml.lab.report.quality import quality_section, quality_tile
from mailml.lab.report.sla import by_queue, sla_tiles

if TYPE_CHECKING:
    import pandas as pd

    from mailml.bundle import Bundle
    from mailml.lab.comparison import Comparison
    from mailml.lab.waits import Waits


def overview_page(
    ledger: pd.DataFrame,
    bundle: Bundle,
    *,
    live: list[dict[str, Any]],
    test: Comparison | None,
    sla: Waits | None,
    addresses: bool = False,
) -> Page:
    """The page. Parts for which there is no data are left out, and the page says so."""
    incoming = ledger[~ledger["sent"]]
    span = ""
    if len(incoming):
        span = f" from {incoming['at'].min():%d %B %Y} to {incoming['at'].max():%d %B %Y}"
    lead = (
        f"{len(incoming):,} incoming messages{span}, decided by bundle {bundle.id}: where they go, how good "
        "that is, how long customers wait, and what machines send."
    )
    sections = [live_section(live, addresses=addresses)] if live else []
    sections.append(quality_section(bundle))
    sections += _backtest(test) if test is not None else []
    sections += [by_queue(sla)] if sla is not None else []
    sections += [kinds_section(incoming), acks_section(incoming), _next()]
    made = f"{ledger['at'].max():%Y-%m-%d}" if len(ledger) else ""
    source = f"mailbox history, {len(ledger):,} messages"
    if live:
        source += f", and {len(live):,} mails of the running service"
    return Page(
        "The support mailbox at a glance",
        lead,
        source,
        made,
        _tiles(bundle, live, test, sla),
        tuple(sections),
    )


def _tiles(
    bundle: Bundle, live: list[dict[str, Any]], test: Comparison | None, sla: Waits | None
) -> tuple[Tile, ...]:
    tiles = list(live_tiles(live)) if live else []
    tiles.append(quality_tile(bundle))
    if test is not None and test.after.of and not test.judged["seen"].any():
        mood = "good" if test.after.hits <= test.before.hits else "bad"
        note = f"{test.before.value:.0%} with the bundle before"
        tiles.append(Tile("sent to the wrong queue first", f"{test.after.value:.0%}", note, mood))
    if sla is not None:
        tiles += sla_tiles(sla)[:2]
    return tuple(tiles)


def _backtest(test: Comparison) -> list[Section]:
    changes = transfer_section(test.transfers(), ("before", "after"), "What this bundle changes", CHANGED)
    if test.judged["seen"].any():
        # a rate that flatters is worse than none: the classifier's own section has the honest one
        return [replace(changes, lead=f"{changes.lead} {test.note}")]
    rates = rates_section(test, "truth", "Wrong first queue, before and after")
    return [changes, replace(rates, lead=f"{rates.lead} {test.note}".strip())]


def _next() -> Section:
    rows = (
        ("see every message and label some", "make lab", "notebooks 00 to 70"),
        ("use your own mailbox", "mailml pull --config mailml.toml", "read-only: nothing is marked or moved"),
        (
            "who waited, and why",
            "mailml report --kind sla --out sla.html",
            "every broken promise with its sum",
        ),
        (
            "where routing goes wrong",
            "mailml report --kind misrouting --out misrouting.html",
            "by rule and sender",
        ),
    )
    return Section("What next", "", None, (table(("to", "type", "note"), rows),))
