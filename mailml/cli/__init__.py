"""`mailml …`: every step of a notebook as a command, and the inspectors that print JSON Lines.

Exit codes: 0 done · 1 an error with its cure on standard error · 2 wrong usage · 3 a check that failed
(`backtest --fail-if`, `retrain`, `doctor`) · 4 nothing new to train on (`retrain`).
"""

from __future__ import annotations

import sys

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
from mailml.errors import MailmlError
from mailml.files import told

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


def main() -> None:
    """Run the command line; a `MailmlError` becomes its sentence on standard error and exit code 1."""
    try:
        app()
    except MailmlError as error:
        print(f"mailml: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # the reader (head, less) has seen enough; nothing is wrong
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        print("mailml: interrupted; what was finished is kept", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print(f"mailml: {told(error)}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        print(f'mailml: this needs {error.name}. pip install "mailml[lab]"', file=sys.stderr)
        sys.exit(1)
