"""The commands that put things right by hand: quarantine, the loop breaker, filed mail, conversations."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailml.bundle import Bundle
from mailml.errors import InputError

from .arguments import DEFAULT, EXIT_NOT_GOOD, AsJson, ConfigOption, opened, show_json
from .closing import close as closing
from .closing import reopen as reopening
from .filed import digest, undo
from .instants import DAY, now_ms
from .journal import decisions, figures, limits, quarantine
from .undoing import carry_out, requests

quarantine_app = typer.Typer(no_args_is_help=True, help="Messages that could not be decided.")
breaker_app = typer.Typer(no_args_is_help=True, help="The loop breaker.")
filed_app = typer.Typer(no_args_is_help=True, help="Mail that was filed instead of queued.")


@quarantine_app.command("list")
def quarantine_list(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """What is set aside, and why."""
    with opened(config) as (_, journal), journal.read() as tx:
        held = quarantine.held(tx)
    if as_json:
        show_json(held)
        return
    for one in held:
        typer.echo(f"{one['id']}  {one['mailbox']} uid {one['uid']}  {one['size']} bytes  {one['reason']}")


@quarantine_app.command("show")
def quarantine_show(number: int, config: ConfigOption = DEFAULT) -> None:
    """The raw bytes of a message that is set aside, as they came."""
    with opened(config) as (_, journal), journal.read() as tx:
        raw = quarantine.raw(tx, number)
    if raw is None:
        raise InputError(f"no message {number} is in quarantine", cure="See: mailml-serve quarantine list")
    sys.stdout.buffer.write(raw)


@quarantine_app.command("retry", short_help="Try a message once more.")
def quarantine_retry(number: int, config: ConfigOption = DEFAULT) -> None:
    """Try a message once more; one of which only the head is kept is decided on its head."""
    with opened(config) as (_, journal), journal.write() as tx:
        again = quarantine.retry(tx, number, now_ms())
    if not again:
        raise InputError(f"no message {number} is in quarantine", cure="See: mailml-serve quarantine list")
    typer.echo(f"{number} will be tried again")


@breaker_app.command("status")
def breaker_status(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Whether acknowledgements are stopped, and why."""
    with opened(config) as (_, journal), journal.read() as tx:
        told = figures.breaker(tx, now_ms() - DAY)
    if as_json:
        show_json(told)
    else:
        state = f"open: {told['why']}" if told["open"] else "closed"
        typer.echo(f"{state} ({told['acks_granted_24h']} acknowledgements in 24 h)")


@breaker_app.command("reset")
def breaker_reset(config: ConfigOption = DEFAULT) -> None:
    """Let acknowledgements leave again, after a look at what tripped it."""
    with opened(config) as (_, journal), journal.write() as tx:
        was_open = limits.reset(tx, now_ms())
    typer.echo("closed" if was_open else "it was closed already")


@filed_app.command("list")
def filed_list(
    config: ConfigOption = DEFAULT,
    days: Annotated[float, typer.Option(help="How far back.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """The digest of filed mail: what, where, and on what evidence."""
    with opened(config) as (_, journal):
        found = digest(journal, days)
    if as_json:
        show_json([asdict(one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.number}  {one.at}  {one.kind} -> {one.folder}  {one.sender}  {one.subject!r}")
        typer.echo(f"     {one.evidence}")


@filed_app.command("undo", short_help="Put filed mail into a queue after all.")
def filed_undo(
    number: Annotated[int | None, typer.Argument(help="As `filed list` shows it.")] = None,
    config: ConfigOption = DEFAULT,
    asked: Annotated[
        Path | None, typer.Option("--from", help="Carry out the requests that lab.panels.digest wrote.")
    ] = None,
    queue: Annotated[str, typer.Option(help="Where to put it; the flow's default otherwise.")] = "",
    labels: Annotated[
        Path | None, typer.Option(help="Append the label `human` to this JSON Lines file.")
    ] = None,
) -> None:
    """Put filed mail into a queue after all, and label it as written by a person."""
    if (number is None) == (asked is None):
        raise InputError(
            "give a number, or a file of requests with --from", cure="See: mailml-serve filed list"
        )
    if number is None:
        _undo_asked(config, asked, labels)
        return
    with opened(config) as (checked, journal):
        with journal.read() as tx:
            name = decisions.mailbox_of(tx, number)
        mailbox = next((one for one in checked.mailboxes if one.name == name), None)
        if mailbox is None:
            raise InputError(f"no filed message has number {number}", cure="See: mailml-serve filed list")
        target = queue or Bundle.load(checked.service.bundle).flow.default
        file = labels or checked.service.journal.with_name("labels.jsonl")
        reference = undo(journal, number, mailbox, target, labels=file)
    typer.echo(f"{number} goes to {target} as #{reference}; labelled in {file}")


def _undo_asked(config: Path, asked: Path | None, labels: Path | None) -> None:
    """Carry out a file of requests; exit code 3 when one of them is about mail that was never filed here."""
    wanted = requests(asked) if asked else []
    with opened(config) as (checked, journal):
        flow = Bundle.load(checked.service.bundle).flow
        mailboxes = {one.name: one for one in checked.mailboxes}
        file = labels or checked.service.journal.with_name("labels.jsonl")
        told = carry_out(journal, wanted, mailboxes, flow.queues(), flow.default, labels=file)
    for one in told:
        where = {"done": f"goes to {one.queue} as #{one.reference}", "before": "lies in a queue already"}
        typer.echo(f"{one.request.message[:12]}  {where.get(one.state, 'was not filed here')}")
    if any(one.state == "unknown" for one in told):
        raise typer.Exit(EXIT_NOT_GOOD)


References = Annotated[list[str], typer.Argument(help="Interactions, e.g. K7Q2-9M4D")]
Note = Annotated[str, typer.Option(help="Why, for the event.")]


def close(references: References, config: ConfigOption = DEFAULT, note: Note = "") -> None:
    """Close interactions: nobody waits for an answer, and a customer who writes again opens them."""
    with opened(config) as (_, journal):
        changed = closing(journal, references, note=note)
    typer.echo(f"{len(changed)} closed, {len(set(references)) - len(changed)} were closed already")


def reopen(references: References, config: ConfigOption = DEFAULT, note: Note = "") -> None:
    """Open interactions again; the due time of one that was never answered has run on."""
    with opened(config) as (_, journal):
        changed = reopening(journal, references, note=note)
    typer.echo(f"{len(changed)} opened, {len(set(references)) - len(changed)} were open already")
