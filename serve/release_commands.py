"""The commands about bundles and what they decided: promote, roll back, agreement, replay."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mailml.bundle import Bundle
from mailml.text.printable import json_text

from . import releases
from .arguments import DEFAULT, EXIT_NOT_GOOD, AsJson, ConfigOption, opened, show_json
from .config import Config

bundle_app = typer.Typer(no_args_is_help=True, help="The bundle that serves, and those beside it.")
decisions_app = typer.Typer(invoke_without_command=True, help="Every message with its one outcome.")


@bundle_app.command("status", short_help="Which bundles are configured, and their state.")
def bundle_status(config: ConfigOption = DEFAULT, as_json: AsJson = False) -> None:
    """Which bundles are configured, and whether each could be loaded now."""
    with opened(config) as (checked, _):
        told = list(_roles(checked))
    if as_json:
        show_json(told)
    for one in () if as_json else told:
        typer.echo(f"{one['role']:8} {one['id'] or '-':12}  {one['path']}  {one['fault']}".rstrip())
    raise typer.Exit(EXIT_NOT_GOOD if any(one["fault"] for one in told) else 0)


def _roles(config: Config) -> Any:
    from mailml.errors import MailmlError

    from .bundles import load

    named = {
        "current": config.service.bundle,
        "shadow": config.releases.shadow,
        "canary": config.releases.canary,
    }
    for role, path in named.items():
        if path is None:
            continue
        try:
            name, fault = load(path, config.releases.public_key).id, ""
        except MailmlError as error:
            name, fault = "", str(error)
        yield {"role": role, "id": name, "path": str(path.resolve()), "fault": fault}


@bundle_app.command("promote", short_help="Let a bundle decide from now on.")
def bundle_promote(candidate: Path, config: ConfigOption = DEFAULT) -> None:
    """Let a bundle decide from now on; the running service takes it over between two messages."""
    with opened(config) as (checked, journal):
        before, after = releases.promote(checked, journal, candidate)
    typer.echo(f"{before} -> {after}")


@bundle_app.command("rollback")
def bundle_rollback(config: ConfigOption = DEFAULT) -> None:
    """Let the bundle before decide again; once more undoes it."""
    with opened(config) as (checked, journal):
        before, after = releases.roll_back(checked, journal)
    typer.echo(f"{before} -> {after}")


@bundle_app.command("agreement", short_help="How far the shadow agrees with what was served.")
def bundle_agreement(
    config: ConfigOption = DEFAULT,
    shadow: Annotated[str, typer.Option(help="The shadow's id; the latest unless given.")] = "",
    as_json: AsJson = False,
) -> None:
    """How far the shadow agrees with what was served, and every way in which it differs."""
    from .shadow import agreement

    with opened(config) as (_, journal):
        told = agreement(journal, shadow)
    if as_json:
        show_json(told)
        return
    if not told["messages"]:
        typer.echo("nothing has been compared yet")
        return
    typer.echo(f"shadow {told['shadow']} against {', '.join(told['served_by'])}: {told['messages']} messages")
    for name in ("place", "kind", "ack"):
        same = told[f"same_{name}"]
        typer.echo(f"  same {name:6} {same} ({same / told['messages']:.1%})")
    for one in told["differences"]:
        numbers = ", ".join(str(number) for number in one["examples"])
        typer.echo(f"  {one['messages']:6}  {one['served']} -> {one['shadow']}  (messages {numbers})")


@decisions_app.callback()
def decisions(
    context: typer.Context,
    config: ConfigOption = DEFAULT,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a line, the whole decision.")
    ] = False,
    hours: Annotated[float | None, typer.Option(help="Only what came in the last hours.")] = None,
    verify: Annotated[bool, typer.Option(help="Make each decision again and compare the bytes.")] = False,
) -> None:
    """Every message with its one outcome."""
    from .showing import every_decision

    if context.invoked_subcommand is not None:
        return
    differ = 0
    with opened(config) as (checked, journal):
        for line in every_decision(journal, hours=hours, config=checked if verify else None):
            differ += line.get("same_again") is False
            typer.echo(json_text(line, sort_keys=True) if jsonl else _decision_line(line))
    raise typer.Exit(EXIT_NOT_GOOD if differ else 0)


@decisions_app.command("replay", short_help="Make stored decisions again and compare.")
def decisions_replay(
    number: Annotated[int | None, typer.Argument(help="One message; all of them unless given.")] = None,
    config: ConfigOption = DEFAULT,
    bundle: Annotated[
        list[Path] | None, typer.Option(help="Bundles that lie elsewhere than beside the current one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make stored decisions again, each with the bundle that made it, and compare the bytes."""
    from .journal import decisions as stored
    from .replay import Replay

    counts, told = {"same": 0, "different": 0, "unknown": 0}, []
    with opened(config) as (checked, journal), journal.read() as tx:
        replay = Replay(checked, {Bundle.load(path).id: path for path in bundle or ()})
        for row in stored.every(tx):
            if number is not None and row["id"] != number:
                continue
            same, why = replay.again(tx, row)
            counts["unknown" if same is None else "same" if same else "different"] += 1
            told.append({"number": row["id"], "bundle": row["bundle"] or "", "same": same, "why": why})
    if as_json:
        show_json({**counts, "decisions": told})
    else:
        for one in told:
            if not one["same"]:
                typer.echo(f"{one['number']}  {one['bundle'] or '-'}  {one['why']}")
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    raise typer.Exit(EXIT_NOT_GOOD if counts["different"] or not told else 0)


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
