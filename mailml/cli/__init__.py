"""`mailml …`: every step of a notebook as a command, and the inspectors that print JSON Lines.

Exit codes: 0 done · 1 an error with its cure on standard error · 2 wrong usage · 3 a check that failed
(`backtest --fail-if`, `lint --strict`, `retrain`, `doctor`) · 4 nothing new to train on (`retrain`).
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from mailml.errors import MailmlError

if TYPE_CHECKING:
    from mailml.cli.commands import app as app

_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


def __getattr__(name: str) -> Any:
    """Give `app` without importing every command before `main` can catch Ctrl-C."""
    if name == "app":
        from mailml.cli.commands import app

        return app
    raise AttributeError(name)


def main() -> None:
    """Run the command line; a `MailmlError` becomes its sentence on standard error and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        # where the locale is C or Latin, a letter it lacks is shown as \xe4, and nothing crashes
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _run()
    except MailmlError as error:
        _say(str(error))
        sys.exit(1)
    except BrokenPipeError:
        # the reader (head, less) has seen enough; nothing is wrong
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        # printed as it is: an import may be what was interrupted
        print("mailml: interrupted; what was finished is kept", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except OSError as error:
        from mailml.files import told

        _say(told(error))
        sys.exit(1)
    except ModuleNotFoundError as error:
        _say(f'this needs {error.name}. pip install "mailml[lab]"')
        sys.exit(1)


def _run() -> None:
    from mailml.cli.commands import app

    try:
        app()
    except SystemExit as ended:
        # typer makes this of Ctrl-C and says nothing
        if ended.code == _INTERRUPTED:
            raise KeyboardInterrupt from ended
        raise


def _say(sentence: str) -> None:
    """One sentence on standard error; names from mail and servers in it move no cursor."""
    from mailml.files import readable
    from mailml.text.printable import lines

    print(f"mailml: {lines(readable(sentence))}", file=sys.stderr)
