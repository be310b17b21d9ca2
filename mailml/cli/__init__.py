"""`mailml …`: every step of a notebook as a command, and the inspectors that print JSON Lines.

Exit codes: 0 done · 1 an error with its cure on standard error · 2 wrong usage · 3 a check that failed
(`backtest --fail-if`, `retrain`, `doctor`) · 4 nothing new to train on (`retrain`).
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

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
from mailml.files import readable, told
from mailml.text.printable import lines

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
    for stream in (sys.stdout, sys.stderr):
        # where the locale is C or Latin, a letter it lacks is shown as \xe4, and nothing crashes
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except MailmlError as error:
        _say(str(error))
        sys.exit(1)
    except BrokenPipeError:
        # the reader (head, less) has seen enough; nothing is wrong
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        _say("interrupted; what was finished is kept")
        sys.exit(130)
    except OSError as error:
        _say(told(error))
        sys.exit(1)
    except ModuleNotFoundError as error:
        _say(f'this needs {error.name}. pip install "mailml[lab]"')
        sys.exit(1)


def _say(sentence: str) -> None:
    """One sentence on standard error; names from mail and servers in it move no cursor."""
    print(f"mailml: {lines(readable(sentence))}", file=sys.stderr)
