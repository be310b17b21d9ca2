"""Reports: one self-contained offline HTML file each, and the same numbers as DataFrames in the notebook."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from mailml.errors import InputError, NotEnoughData

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.feedback import Feedback
    from mailml.lab.labels import Labels
    from mailml.lab.report.live import Live
    from mailml.lab.report.page import Page

KINDS = ("overview", "sla", "misrouting", "automated", "drift", "backtest")
FROM_JOURNAL = ("sla", "misrouting", "automated", "drift")


def report(
    kind: str,
    archive: Archive | None,
    bundle: Bundle,
    *,
    journal: str | os.PathLike[str] | None = None,
    baseline: Bundle | None = None,
    live: Live = (),
    labels: Labels | None = None,
    days: int = 28,
    out: str | os.PathLike[str] | None = None,
    addresses: bool = False,
    workers: int = 1,
) -> Page:
    """Make a report over an archive with a bundle; with `out` it is written to that HTML file.

    `kind`: overview (everything on one page), sla, misrouting, automated, drift, or backtest (which needs a
    `baseline`). `journal` is the file of `mailml-serve export-feedback`: sla, misrouting, automated and drift
    then tell what the service really did, with answers and final folders from the archive, or without one
    from the file alone. `live` are decisions of the running service for the overview: mappings, or the JSON
    Lines file of `mailml-serve decisions --jsonl`. Without a `baseline` the overview compares with the same
    bundle by rules alone. `labels` and `days` (how many count as recent) are for drift. Addresses are masked
    unless `addresses` asks for them. Raises InputError for an unknown kind and NotEnoughData where there is
    nothing to report on.
    """
    if kind not in KINDS:
        raise InputError(f"{kind!r} is no report", cure=f"The reports are {', '.join(KINDS)}")
    if kind == "backtest" and baseline is None:
        raise InputError("a back-test needs a bundle to compare with", cure="Give baseline=…")
    if journal is not None and kind not in FROM_JOURNAL:
        raise InputError(f"{kind} is not made from a journal", cure=f"Those are: {', '.join(FROM_JOURNAL)}")
    if journal is not None or kind == "drift":
        page = _lived(kind, archive, bundle, journal, labels, days, addresses=addresses, workers=workers)
    elif archive is None:
        raise InputError(
            "there is nothing to report on", cure="Give an archive, or a journal's feedback file"
        )
    else:
        page = _page(kind, archive, bundle, baseline, live, addresses=addresses, workers=workers)
    if out is not None:
        page.write(out)
    return page


def _lived(
    kind: str,
    archive: Archive | None,
    bundle: Bundle,
    journal: str | os.PathLike[str] | None,
    labels: Labels | None,
    days: int,
    *,
    addresses: bool,
    workers: int,
) -> Page:
    """A report from what the service did, from a history, or from both."""
    from mailml.lab import drifted
    from mailml.lab.autoreply_truth import named
    from mailml.lab.mine import mine
    from mailml.lab.misroutes import count
    from mailml.lab.report.automated import automated_page
    from mailml.lab.report.drift import drift_page
    from mailml.lab.report.misrouting import misrouting_page
    from mailml.lab.report.sla import sla_page
    from mailml.lab.waits import measure

    ledger, source, told = _ledger(archive, bundle, journal, workers)
    if kind == "sla":
        return sla_page(measure(ledger, bundle, source=source), addresses=addresses)
    if kind == "automated":
        names = named(archive) if archive is not None else None
        return replace(automated_page(ledger, names), source=source)
    if kind == "drift":
        past = replace(drifted.past_of(ledger, bundle, archive), source=source)
        return drift_page(drifted.compare(past, bundle, labels, days), addresses=addresses)
    mined = mine(archive, bundle, journal=told, ledger=ledger) if archive is not None else None
    return misrouting_page(count(ledger, bundle, mined=mined, source=source), addresses=addresses)


def _ledger(
    archive: Archive | None, bundle: Bundle, journal: str | os.PathLike[str] | None, workers: int
) -> tuple[pd.DataFrame, str, Feedback | None]:
    """The history to report on, the sentence that names it, and the feedback file where there is one."""
    from mailml.lab.feedback import read
    from mailml.lab.replay import replay

    told = read(journal) if journal is not None else None
    if archive is None:
        if told is None:
            raise InputError(
                "there is nothing to report on", cure="Give an archive, or a journal's feedback file"
            )
        return told.ledger(), told.source, told
    ledger = replay(archive, bundle, workers=workers)
    if told is None:
        return ledger, f"mailbox history, {len(ledger):,} messages, bundle {bundle.id}", None
    made = told.overlay(ledger)
    return made, f"{told.source}; answers and final folders from the mailbox's history", told


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
    from mailml.lab.mine import mine
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
        # a plain history shows where mail ended; where it went first is what the bundle decides
        agents = mine(archive, bundle, ledger=ledger)
        return misrouting_page(count(ledger, bundle, mined=agents, seen=False), addresses=addresses)
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
