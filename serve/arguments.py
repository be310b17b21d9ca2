"""What the commands share: their options, exit codes, and the way to an open journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mailml.text.printable import json_text

from . import config as configuration
from .config import Config
from .journal import Journal

EXIT_FAILED, EXIT_NOT_GOOD, EXIT_CONFIG = 1, 3, 78

ConfigOption = Annotated[Path, typer.Option("--config", "-c", envvar="MAILML_SERVE", help="serve.toml")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
DEFAULT = Path("serve.toml")


@contextmanager
def opened(config: Path) -> Iterator[tuple[Config, Journal]]:
    """The checked configuration and its journal, closed in the end."""
    checked = configuration.load(config)
    with Journal.open(checked.service.journal, checked.service.database) as journal:
        yield checked, journal


def show_json(value: object) -> None:
    """Print a value as JSON for scripts."""
    typer.echo(json_text(value, indent=2, default=str))
