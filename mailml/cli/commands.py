"""The command line put together: every module of this package adds its commands."""

from __future__ import annotations

import typer

from mailml import __version__
from mailml.cli import (
    backtesting,
    bundles,
    evaluating,
    history,
    inspectors,
    labelling,
    learning,
    retraining,
    rules,
    simulating,
)

app = typer.Typer(
    name="mailml",
    help="Routing for a support mailbox: pull, label, train, back-test, export; mailml-serve runs it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
history.register(app)
learning.register(app)
retraining.register(app)
evaluating.register(app)
backtesting.register(app)
simulating.register(app)
rules.register(app)
inspectors.register(app)
app.add_typer(bundles.app, name="bundle")
app.add_typer(labelling.app, name="labels")


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if version:
        typer.echo(f"mailml {__version__}")
        raise typer.Exit
