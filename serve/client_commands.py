"""The commands about who calls and who is told: API keys and webhooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mailml.errors import InputError

from .arguments import DEFAULT, AsJson, ConfigOption, opened, show_json
from .instants import now_ms, words
from .journal import api_keys

keys_app = typer.Typer(no_args_is_help=True, help="Who may call the HTTP API.")


@keys_app.command("add")
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
