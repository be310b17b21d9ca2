"""Reports: one self-contained offline HTML file each, and the same numbers as DataFrames in the notebook."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from mailml.errors import InputError, NotEnoughData

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.live import Live
    from mailml.lab.report.page import Page

KINDS = ("overview", "sla", "misrouting", "automated", "backtest")


def report(
    kind: str,
    archive: Archive,
    bundle: Bundle,
    *,
    baseline: Bundle | None = None,
    live: Live = (),
    out: str | os.PathLike[str] | None = None,
    addresses: bool = False,
    workers: int = 1,
) -> Page:
    """Make a report over an archive with a bundle; with `out` it is written to that HTML file.

    `kind`: overview (everything on one page), sla, misrouting, automated, or backtest (which needs a
    `baseline`). `live` are decisions of the running service for the overview: mappings, or the JSON Lines
    file of `mailml-serve decisions --jsonl`. Without a `baseline` the overview compares with the same bundle
    by rules alone. Addresses are masked unless `addresses` asks for them. Raises
    InputError for an unknown kind and NotEnoughData where there is nothing to report on.
    """
    if kind not in KINDS:
        raise InputError(f"{kind!r} is no report", cure=f"The reports are {', '.join(KINDS)}")
    if kind == "backtest" and baseline is None:
        raise InputError("a back-test needs a bundle to compare with", cure="Give baseline=…")
    page = _page(kind, archive, bundle, baseline, live, addresses=addresses, workers=workers)
    if out is not None:
        page.write(out)
    return page


def _page(
    kind: str,
    archive: Archive,
    bundle: Bundle,
    baseline: Bundle | None,
    live: Live,
    *,
    addresses: bool,
    workers: int,
) -> Page:
    # each page draws with matplotlib over pandas: loaded when a report is made, not when the lab is
    from mailml.lab.autoreply_truth import named
    from mailml.lab.comparison import compare
    from mailml.lab.misroutes import count
    from mailml.lab.replay import replay
    from mailml.lab.report.automated import automated_page
    from mailml.lab.report.backtest import backtest_page
    from mailml.lab.report.live import read_live
    from mailml.lab.report.misrouting import misrouting_page
    from mailml.lab.report.overview import overview_page
    from mailml.lab.report.sla import sla_page
    from mailml.lab.waits import measure

    if baseline is None and kind == "overview" and bundle.model is not None:
        # what does the classifier add? the same desk and rules, with a classifier that never answers
        baseline = replace(bundle, model=None, id="rules alone")
    # only this page shows what each decision was made on
    ledger = replay(archive, bundle, workers=workers, decisions=kind == "automated")
    if kind == "sla":
        return sla_page(measure(ledger, bundle), addresses=addresses)
    if kind == "misrouting":
        return misrouting_page(count(ledger, bundle), addresses=addresses)
    if kind == "automated":
        return automated_page(ledger, named(archive))
    test = compare(ledger, replay(archive, baseline, workers=workers)) if baseline is not None else None
    if kind == "backtest" and test is not None:
        return backtest_page(test, addresses=addresses)
    try:
        sla = measure(ledger, bundle)
    except NotEnoughData:
        sla = None  # an archive without Sent or without people: the page shows the rest
    return overview_page(ledger, bundle, live=read_live(live), test=test, sla=sla, addresses=addresses)
