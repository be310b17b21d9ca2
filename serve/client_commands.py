"""The commands about who calls and who is told: API keys and webhooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mailml.errors import InputError

from .arguments import DEFAULT, EXIT_FAILED, AsJson, ConfigOption, opened, show_json
from .instants import now_ms, words
from .journal import api_keys, deliveries

keys_app = typer.Typer(no_args_is_help=True, help="Who may call the HTTP API.")
webhooks_app = typer.Typer(no_args_is_help=True, help="Who is told of decisions and alarms.")


@keys_app.command("add", short_help="Make a key for a client and print it, once.")
def keys_add(
    name: Annotated[str, typer.Argument(help="Who calls, e.g. genesys")],
    config: ConfigOption = DEFAULT,
    per_minute: Annotated[
        int | None, typer.Option(min=1, help="A limit of its own instead of [http] per_minute.")
    ] = None,
) -> None:
    """Make a key for a client and print it, once: it is kept as a digest."""
    from .clients import add

    with opened(config) as (_, journal):
        key = add(journal, name, per_minute=per_minute)
    typer.echo(key)


@keys_app.command("list")
def keys_list(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Every key by name and first letters."""
    with opened(config) as (_, journal), journal.read() as tx:
        found = api_keys.every(tx)
    if as_json:
        show_json([{key: value for key, value in asdict(one).items() if key != "digest"} for one in found])
        return
    for one in found:
        state = f"revoked {words(one.revoked_at)}" if one.revoked_at else "good"
        limit = f"{one.per_minute} a minute" if one.per_minute else "the usual limit"
        typer.echo(f"{one.name}  {one.hint}…  made {words(one.created_at)}  {limit}  {state}")


@keys_app.command("revoke")
def keys_revoke(name: str, config: ConfigOption = DEFAULT) -> None:
    """Shut out every key of a client, within two seconds."""
    with opened(config) as (_, journal), journal.write() as tx:
        gone = api_keys.revoke(tx, name, now_ms())
    if not gone:
        raise InputError(f"no good key has the name {name!r}", cure="See: mailml-serve keys list")
    typer.echo(f"{gone} revoked")


@webhooks_app.command("list", short_help="Deliveries in each state, and those in one.")
def webhooks_list(
    config: ConfigOption = DEFAULT,
    state: Annotated[str, typer.Option(help="pending, delivered or dead.")] = "dead",
    as_json: AsJson = False,
) -> None:
    """How many deliveries are in each state, and those in one of them, newest first."""
    with opened(config) as (_, journal), journal.read() as tx:
        counts, held = deliveries.counts(tx), deliveries.held(tx, state)
    if as_json:
        shown = [{key: value for key, value in asdict(one).items() if key != "body"} for one in held]
        show_json({"counts": [list(one) for one in counts], state: shown})
        return
    for target, kind, count in counts:
        typer.echo(f"{target}: {count} {kind}")
    for one in held:
        typer.echo(f"  {words(one.created_at)}  {one.target}  {one.event}  tried {one.attempts}  {one.note}")


@webhooks_app.command("retry", short_help="Try deliveries again that were given up.")
def webhooks_retry(
    config: ConfigOption = DEFAULT,
    target: Annotated[str, typer.Option(help="One webhook; all of them unless given.")] = "",
) -> None:
    """Let deliveries that were given up be tried again by the running service."""
    with opened(config) as (_, journal), journal.write() as tx:
        raised = deliveries.retry(tx, now_ms(), target)
    typer.echo(f"{raised} will be tried again")


@webhooks_app.command("test", short_help="Send one signed event of the type `test` now.")
def webhooks_test(name: str, config: ConfigOption = DEFAULT) -> None:
    """Send one signed event of the type `test` to a webhook now, and say what it answered."""
    from .webhook_post import post

    with opened(config) as (checked, _):
        hook = next((one for one in checked.webhooks if one.name == name), None)
    if hook is None:
        raise InputError(f"there is no webhook {name!r}", where=str(config))
    at = now_ms() // 1000
    answer = post(hook, f"test:{at}", at, b'{"type": "test"}')
    typer.echo(answer.words)
    raise typer.Exit(0 if answer.good else EXIT_FAILED)
