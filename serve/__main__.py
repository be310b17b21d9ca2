"""`mailml-serve`: run the service, look into it, and put things right by hand.

Exit codes: 0 done, 1 something failed and was written down, 2 wrong arguments, 3 nothing good was found
(doctor, reconcile), 74 the journal cannot be written to, 78 a configuration or bundle that cannot be used
(sysexits.h).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailml.errors import BundleError, InputError, MailmlError
from mailml.text.printable import lines

from . import config as configuration
from . import running
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
from .client_commands import keys_app, webhooks_app
from .feedback import export_feedback
from .release_commands import bundle_app, decisions_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    # a traceback with colours and source lines is no place for customers' mail
    pretty_exceptions_enable=False,
    help="The service that routes a support mailbox.",
)
running.register(app)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(breaker_app, name="breaker")
app.add_typer(filed_app, name="filed")
app.command("export-feedback")(export_feedback)
app.add_typer(bundle_app, name="bundle")
app.add_typer(decisions_app, name="decisions")
app.add_typer(keys_app, name="keys")
app.add_typer(webhooks_app, name="webhooks")


@app.command()
def check(config: ConfigOption = DEFAULT) -> None:
    """Read configuration and bundle; print every fault at once."""
    from .bundles import load

    checked = configuration.load(config)
    bundle = load(checked.service.bundle, checked.releases.public_key)
    names = ", ".join(mailbox.name for mailbox in checked.mailboxes)
    typer.echo(f"{config}: good. Mailboxes: {names}. Bundle: {bundle.id}")


@app.command()
def doctor(
    config: ConfigOption = DEFAULT,
    probe: Annotated[
        bool, typer.Option("--probe", help="Send one mail to the desk and wait for it.")
    ] = False,
    probe_to: Annotated[str, typer.Option(help="Another address the probe goes to.")] = "",
    nameserver: Annotated[str, typer.Option(help="Ask this DNS server: address or address:port.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask DNS and every server whether they do what the service needs; changes nothing."""
    from .doctor import examine

    checks = []
    wanted = probe_to if probe or probe_to else None
    for one in examine(configuration.load(config), nameserver=nameserver, probe_to=wanted):
        checks.append(one)
        if not as_json:
            typer.echo(f"{one.state:8} {one.name}: {one.found}" + (f". {one.cure}" if one.cure else ""))
    if as_json:
        show_json([one.to_plain() for one in checks])
    raise typer.Exit(EXIT_NOT_GOOD if any(one.state == "failed" for one in checks) else 0)


@app.command()
def login(
    config: ConfigOption = DEFAULT,
    mailbox: Annotated[str, typer.Option(help="One account; all that are not signed in unless given.")] = "",
) -> None:
    """Sign in to the mailboxes of people (auth = "microsoft365-user") with a code in a browser."""
    from mailml.transport.delegated import DelegatedTokens

    accounts = configuration.load(config).accounts()
    people = {name: one.auth for name, one in accounts.items() if isinstance(one.auth, DelegatedTokens)}
    if mailbox and mailbox not in people:
        raise InputError(f'{mailbox!r} is no account with auth = "microsoft365-user"', where=str(config))
    # the mailbox and the account that sends usually share one person and one cache
    asked = {one.cache: one for name, one in people.items() if mailbox in ("", name)}
    for one in asked.values():
        typer.echo(f"{one.login(typer.echo)} is signed in; remembered in {one.cache}")
    if not asked:
        typer.echo('no account has auth = "microsoft365-user"')


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


def main() -> None:
    """The console script: errors of ours are one clear text and an exit code, never a traceback."""
    try:
        app()
    except (InputError, BundleError) as error:
        typer.echo(lines(str(error)), err=True)
        sys.exit(EXIT_CONFIG)
    except MailmlError as error:
        typer.echo(lines(str(error)), err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
