"""`mailml bundle …`: look at a bundle, verify it, compare two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mailml.bundle import Bundle
from mailml.bundle.differences import differences

app = typer.Typer(
    help="Look at bundles, verify and compare them.", no_args_is_help=True, rich_markup_mode=None
)
BundlePath = Annotated[Path, typer.Argument(help="The bundle's folder.")]


@app.command()
def show(
    bundle: BundlePath, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Say what a bundle holds: its id, when and from what it was made, and how good it is."""
    loaded = Bundle.load(bundle)
    if as_json:
        typer.echo(
            json.dumps({"id": loaded.id, "manifest": dict(loaded.manifest), "card": dict(loaded.card)})
        )
        return
    typer.echo(f"bundle {loaded.id}  ({bundle})")
    for name, value in loaded.manifest.items():
        if not isinstance(value, dict):
            typer.echo(f"{name:>16}  {value}")
    typer.echo(f"{'rules':>16}  " + ", ".join(rule.name for rule in loaded.flow.rules))
    typer.echo(f"{'queues':>16}  " + ", ".join(sorted(loaded.flow.queues())))


@app.command()
def verify(bundle: BundlePath) -> None:
    """Check every hash, size, shape and golden text; a fault ends in one clear sentence and exit code 1."""
    loaded = Bundle.load(bundle)
    typer.echo(f"bundle {loaded.id} is whole: hashes, sizes, shapes and golden texts agree")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The bundle in use.")],
    new: Annotated[Path, typer.Argument(help="The bundle that would replace it.")],
) -> None:
    """Say in sentences what changed from one bundle to another: rules, desk, model, figures."""
    before, after = Bundle.load(old), Bundle.load(new)
    for line in differences(before, after) or (f"no difference: both are {before.id}",):
        typer.echo(line)
