"""`mailml lint`: what is remarkable about a flow before anybody runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailml.bundle import desk as desks
from mailml.flow import source
from mailml.flow.lint import lint as examine


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(lint)


def lint(
    flow: Annotated[Path, typer.Argument(help="The flow (flow.toml).")],
    desk: Annotated[
        Path | None, typer.Option("--desk", help="The desk it is for: its categories, addresses, templates.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 3 when there is a finding.")] = False,
) -> None:
    """Check a flow: every fault at once, then rules that are shadowed, forgeable or cost an answer."""
    settings = desks.load(desk) if desk else None
    categories = settings.categories if settings else None
    rules = source.load(flow, categories=categories)
    findings = examine(rules, settings.identity if settings else None, categories=categories)
    for finding in findings:
        typer.echo(f"{finding.sort:>12}  {finding}")
    count = f"{len(rules.rules)} rules, {len(findings)} finding" + ("s" if len(findings) != 1 else "")
    typer.echo(f"{flow}: {count}")
    if findings and strict:
        raise typer.Exit(3)
