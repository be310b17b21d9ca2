"""The commands that serve until a signal ends them: everything in one process, or each part in its own."""

from __future__ import annotations

import signal
from collections.abc import Collection
from types import FrameType
from typing import Annotated

import typer

from mailml.errors import InputError

from . import config as configuration
from .arguments import DEFAULT, ConfigOption, opened

LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def run(
    config: ConfigOption = DEFAULT,
    once: Annotated[bool, typer.Option("--once", help="Process what is there now and exit.")] = False,
    log_level: LogLevel = "info",
) -> None:
    """Watch the mailboxes, decide, route and acknowledge, until a signal ends it."""
    from . import logs, supervisor

    logs.configure(log_level)
    raise typer.Exit(supervisor.run(configuration.load(config), once=once))


def watch(config: ConfigOption = DEFAULT, log_level: LogLevel = "info") -> None:
    """Only store new mail in the journal; other processes decide and act."""
    _part(config, log_level, ["watch"])


def work(config: ConfigOption = DEFAULT, log_level: LogLevel = "info") -> None:
    """Only decide what is stored."""
    _part(config, log_level, ["work"])


def send(config: ConfigOption = DEFAULT, log_level: LogLevel = "info") -> None:
    """Only move mail, send acknowledgements and replies, and call webhooks."""
    _part(config, log_level, ["send"])


def clock(config: ConfigOption = DEFAULT, log_level: LogLevel = "info") -> None:
    """Only look at clocks: due times, alarms, reconciliation, retention, the shadow."""
    _part(config, log_level, ["clock"])


def _part(config: ConfigOption, log_level: str, parts: Collection[str]) -> None:
    from . import logs, supervisor

    logs.configure(log_level)
    raise typer.Exit(supervisor.run(configuration.load(config), parts=parts))


def api(config: ConfigOption = DEFAULT, log_level: LogLevel = "info") -> None:
    """Only answer over HTTP; needs no mail server, and never changes any mail."""
    from . import logs
    from .api.server import ApiServer
    from .bells import Bells
    from .bundles import Bundles
    from .keys import loop_key

    logs.configure(log_level)
    bells = Bells()

    def end(_number: int, _frame: FrameType | None) -> None:
        bells.end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with opened(config) as (checked, journal):
        if checked.http is None:
            raise InputError(
                "there is no table [http]", where=str(config), cure="Add one: [http] port = 8025"
            )
        bundles = Bundles(checked.service.bundle, journal, checked.releases)
        ApiServer(checked, journal, bundles, loop_key(checked.service)).run(bells)


def register(app: typer.Typer) -> None:
    """Add these commands, each with what it does at a glance."""
    for command, told in (
        (run, "Watch, decide, route and acknowledge, all in one."),
        (watch, "Only store new mail in the journal."),
        (work, "Only decide what is stored."),
        (send, "Only move mail, send mail and call webhooks."),
        (clock, "Only look at clocks: due times, alarms, retention."),
        (api, "Only answer over HTTP; never changes any mail."),
    ):
        app.command(short_help=told)(command)
