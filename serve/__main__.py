"""`mailml-serve`: run the service, look into it, and put things right by hand.

Exit codes: 0 done, 1 something failed and was written down, 2 wrong arguments, 3 nothing good was found
(doctor, reconcile), 74 the journal cannot be written to, 78 a configuration or bundle that cannot be used
(sysexits.h).
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mailml.errors import BundleError, InputError, MailmlError

from . import config as configuration
from .arguments import (
    DEFAULT,
    EXIT_CONFIG,
    EXIT_FAILED,
    EXIT_NOT_GOOD,
    AsJson,
    ConfigOption,
    opened,
    show_json,
)
from .byhand import breaker_app, filed_app, quarantine_app

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The service that routes a support mailbox."
)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(breaker_app, name="breaker")
app.add_typer(filed_app, name="filed")


@app.command()
def run(
    config: ConfigOption = DEFAULT,
    once: Annotated[bool, typer.Option("--once", help="Process what is there now and exit.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Watch the mailboxes, decide, route and acknowledge, until a signal ends it."""
    from . import logs, supervisor

    logs.configure(log_level)
    raise typer.Exit(supervisor.run(configuration.load(config), once=once))


@app.command()
def check(config: ConfigOption = DEFAULT) -> None:
    """Read configuration and bundle; print every fault at once."""
    from mailml.bundle import Bundle

    checked = configuration.load(config)
    bundle = Bundle.load(checked.service.bundle)
    names = ", ".join(mailbox.name for mailbox in checked.mailboxes)
    typer.echo(f"{config}: good. Mailboxes: {names}. Bundle: {bundle.id}")


@app.command()
def doctor(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Ask every server whether it does what the service needs; changes nothing."""
    from .doctor import examine

    checks = []
    for one in examine(configuration.load(config)):
        checks.append(one)
        if not as_json:
            typer.echo(f"{one.state:8} {one.name}: {one.found}" + (f". {one.cure}" if one.cure else ""))
    if as_json:
        show_json([one.to_plain() for one in checks])
    raise typer.Exit(EXIT_NOT_GOOD if any(one.state == "failed" for one in checks) else 0)


@app.command()
def status(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Freshness, latency, what waits, what went wrong."""
    from .showing import status as figures
    from .showing import status_lines

    with opened(config) as (checked, journal):
        told = figures(journal, checked)
    if as_json:
        show_json(told)
    else:
        typer.echo("\n".join(status_lines(told)))


@app.command()
def decisions(
    config: ConfigOption = DEFAULT,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a line, the whole decision.")
    ] = False,
    hours: Annotated[float | None, typer.Option(help="Only what came in the last hours.")] = None,
    verify: Annotated[bool, typer.Option(help="Make each decision again and compare the bytes.")] = False,
) -> None:
    """Every message with its one outcome."""
    from .showing import every_decision

    differ = 0
    with opened(config) as (checked, journal):
        for line in every_decision(journal, hours=hours, config=checked if verify else None):
            differ += line.get("same_again") is False
            typer.echo(
                json.dumps(line, ensure_ascii=False, sort_keys=True) if jsonl else _decision_line(line)
            )
    raise typer.Exit(EXIT_NOT_GOOD if differ else 0)


@app.command()
def reply(
    reference: Annotated[str, typer.Argument(help="The interaction, e.g. K7Q2-9M4D")],
    file: Annotated[Path, typer.Option("--file", help="The text, UTF-8; - is standard input.")],
    config: ConfigOption = DEFAULT,
    to: Annotated[str, typer.Option(help="Another recipient than the customer.")] = "",
    agent: Annotated[str, typer.Option(help="The agent's name beside the corporate address.")] = "",
) -> None:
    """Answer a customer from the corporate address; the running service sends it."""
    from mailml.bundle import Bundle

    from .keys import loop_key
    from .replying import put_reply

    body = _text(file)
    with opened(config) as (checked, journal):
        mail = put_reply(
            journal,
            reference,
            body,
            identity=Bundle.load(checked.service.bundle).desk.identity,
            sending=checked.smtp.sending,
            key=loop_key(checked.service),
            to=to,
            agent=agent,
        )
    typer.echo(f"in the outbox as {mail.message_id}")


@app.command()
def reconcile(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Compare every inbox with the journal; what is missing is read again."""
    from .reconcile import reconcile as compare

    reports = []
    with opened(config) as (checked, journal):
        for mailbox in checked.mailboxes:
            report = compare(journal, mailbox)
            reports.append(report)
            if not as_json:
                told = f"{report.on_server} on the server, {report.known} known, {report.new} new"
                typer.echo(
                    f"{report.mailbox}: {told}, {len(report.unknown)} unknown, {report.vanished} vanished"
                )
    if as_json:
        show_json([report.to_plain() for report in reports])
    raise typer.Exit(0 if all(report.good for report in reports) else EXIT_NOT_GOOD)


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(file)) from error


def _decision_line(line: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(line["received_at"] / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    head = f"{line['number']}  {when}  {line['mailbox']} uid {line['uid']}"
    if line["decision"] is None:
        return f"{head}  {line['state']}  {line['quarantined']}"
    made = line["decision"]
    ack = "ack" if made["ack"]["send"] else f"no ack ({made['ack']['reason']})"
    place = made["queue"] or made["folder"]
    done = ", ".join(f"{effect['effect']} {effect['state']}" for effect in line["effects"])
    return f"{head}  {line['reference'] or '-':9}  {made['verdict']['kind']} -> {place}  {ack}  [{done}]"


def main() -> None:
    """The console script: errors of ours are one clear text and an exit code, never a traceback."""
    try:
        app()
    except (InputError, BundleError) as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_CONFIG)
    except MailmlError as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
