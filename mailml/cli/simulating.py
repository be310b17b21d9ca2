"""`mailml simulate`: who would wait how long under another flow, with the people there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailml.cli.backtesting import BaselineOption, BundleOption, FlowOption, sides
from mailml.cli.options import ArchiveOption


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(simulate)


def simulate(
    archive: ArchiveOption,
    bundle: BundleOption,
    baseline: BaselineOption = None,
    flow: FlowOption = None,
    staffing: Annotated[
        Path | None,
        typer.Option("--staffing", help="Teams, queues and people per hour (TOML); supposed without it."),
    ] = None,
    handling: Annotated[
        float, typer.Option("--handling", min=0.01, help="Minutes an answer takes, where no file says it.")
    ] = 8.0,
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="How many times chance is drawn.")] = 20,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for ageing.json and ageing.html.")] = None,
) -> None:
    """Say who would wait how long.

    The archive is replayed with people who answer it: waiting time and broken promises, before and after.
    """
    from mailml.archive import Archive
    from mailml.lab.ageing import ageing

    after, before = sides(bundle, baseline, flow)
    made = ageing(after, before, Archive.open(archive), staffing, seeds=seeds, handling=handling)
    typer.echo(str(made))
    if out is not None:
        typer.echo(f"figures: {out / 'ageing.json'}\nreport: {made.write(out)}")
