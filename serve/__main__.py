"""`mailml-serve`: run the service, look into it, and put things right by hand.

Exit codes: 0 done, 1 something failed and was written down, 2 wrong arguments, 3 nothing good was found
(doctor, reconcile), 74 the journal cannot be written to, 78 a configuration or bundle that cannot be used
(sysexits.h).
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from mailml.errors import BundleError, InputError, MailmlError
from mailml.files import told
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
from .byhand import breaker_app, close, filed_app, quarantine_app, reopen
from .client_commands import keys_app, webhooks_app
from .feedback import export_feedback
from .release_commands import bundle_app, decisions_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    # a traceback with colours and source lines is no place for customers' mail
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # [retention] is a table of serve.toml, not markup
    help="The service that routes a support mailbox.",
)
running.register(app)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(breaker_app, name="breaker")
app.add_typer(filed_app, name="filed")
app.command(short_help="Close interactions: nobody waits for an answer.")(close)
app.command(short_help="Open interactions again.")(reopen)
app.command("export-feedback", short_help="Write what the workbench learns from.")(export_feedback)
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


@app.command(short_help="Ask DNS and every server whether all is set up.")
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


@app.command(short_help="Whether mail is being routed, and every trouble.")
def health(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Whether mail is being routed, and every degraded mode; exit code 3 if it is down."""
    from .health import examine

    with opened(config) as (checked, journal):
        found = examine(journal, checked)
    if as_json:
        show_json(found.to_plain())
    else:
        typer.echo(found.status)
        for one in found.troubles:
            typer.echo(f"  {one.mode}  {one.about}  {one.why}")
    raise typer.Exit(0 if found.ready else EXIT_NOT_GOOD)


@app.command(short_help="Sign in to the mailboxes of people in a browser.")
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


@app.command(short_help="Answer a customer from the corporate address.")
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


@app.command(short_help="Compare every inbox with the journal.")
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


@app.command(short_help="Decide the old mail of a folder, unanswered.")
def backfill(
    folder: Annotated[str, typer.Argument(help="The folder of old mail, e.g. Archive/2025")],
    config: ConfigOption = DEFAULT,
    mailbox: Annotated[str, typer.Option(help="Which mailbox it belongs to.")] = "",
    since: Annotated[
        str, typer.Option(help="Only mail that arrived on or after this day (2026-01-31).")
    ] = "",
    move: Annotated[bool, typer.Option("--move", help="Move it into the folders of its queues.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide the old mail of a folder: threads and counts for the desk, and never an acknowledgement."""
    from . import logs
    from .backfill import backfill as prepared
    from .backfill import finished
    from .bundles import Bundles
    from .keys import loop_key

    logs.configure("warning")
    with opened(config) as (checked, journal):
        bundles = Bundles(checked.service.bundle, journal, checked.releases)
        job = prepared(checked, journal, bundles, loop_key(checked.service), mailbox, folder, move=move)
        report = job.run(_day(since))
        finished(journal, report)
    if as_json:
        show_json(report.to_plain())
        return
    typer.echo(f"{report.messages} decided, {report.known} known, {report.quarantined} set aside")
    for queue, count in report.queues.most_common():
        typer.echo(f"  {count:6}  {queue}")


@app.command(short_help="Forget bodies and people as [retention] says.")
def retention(
    config: ConfigOption = DEFAULT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many bodies would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget bodies and people as [retention] says, now; the clock does so by itself every few hours."""
    from .instants import DAY, now_ms
    from .journal import retention as forgetting
    from .retention import due, forget

    with opened(config) as (checked, journal):
        if not due(checked):
            raise InputError(
                "nothing is ever forgotten", where="[retention]", cure="Set body_days, person_days"
            )
        if dry_run:
            days = checked.retention.body_days or checked.retention.person_days or 0.0
            with journal.read() as tx:
                told: dict[str, Any] = {"bodies": forgetting.waiting(tx, now_ms() - round(days * DAY))}
        else:
            told = forget(checked, journal).to_plain()
    if as_json:
        show_json(told)
    else:
        typer.echo(", ".join(f"{count} {name}" for name, count in told.items()))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(f"{text!r} is no day", cure="Write it as 2026-01-31") from error


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
    except BrokenPipeError:
        # the reader (head, less) has seen enough; nothing is wrong
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        typer.echo(lines(told(error)), err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
