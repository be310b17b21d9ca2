"""`mailml retrain`: what a scheduled job calls; and `mailml compare`, every model in one table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mailml.cli.learning import CreatedOption, EncoderOption, TeacherOption, login
from mailml.cli.options import ArchiveOption, LabelsOption
from mailml.lab.retraining import FEWEST, GATE, HELD_OUT

NOTHING_NEW = 4


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (retrain, compare):
        app.command()(command)


def retrain(
    archive: ArchiveOption,
    labels: LabelsOption,
    bundle: Annotated[Path, typer.Option("--bundle", help="The bundle in use.")],
    out: Annotated[Path, typer.Option("--out", help="The new bundle's folder.")],
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", help=f"Do not write if this holds; '{GATE}' unless given. Repeatable."),
    ] = None,
    fewest: Annotated[
        int, typer.Option("--fewest", min=1, help="New labels below which nothing is done.")
    ] = FEWEST,
    days: Annotated[
        int, typer.Option("--days", min=1, help="Days of mail held out for the back-test.")
    ] = HELD_OUT,
    teacher: TeacherOption = None,
    encoder: EncoderOption = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for backtest.json and backtest.html.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who exports it; the login name unless given.")] = "",
    created: CreatedOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a bundle that is there.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that decide.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Train on new labels; a bundle only if it passes.

    What is new since the last bundle is trained with, and a back-test says whether a new one is written.
    Exit codes: 0 a new bundle was written, 3 the candidate did not pass, 4 too few new labels, 1 an error.
    """
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.labels import Labels
    from mailml.lab.retraining import retrain as again

    done = again(
        Archive.open(archive),
        Labels(labels),
        Bundle.load(bundle),
        out,
        fail_if=fail_if or GATE,
        fewest=fewest,
        days=days,
        by=by or login(),
        created=created and created.replace(tzinfo=UTC),
        replace=replace,
        workers=workers,
        teacher=teacher,
        encoder=str(encoder) if encoder else None,
    )
    if report is not None and done.test is not None:
        done.test.write(report)
    typer.echo(json.dumps(done.to_dict()) if as_json else str(done))
    if done.bundle is None:
        raise typer.Exit(NOTHING_NEW if done.new_labels < fewest else 3)


def compare(
    archive: ArchiveOption,
    labels: LabelsOption,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="linear, hashing, averaged or embedding; repeatable. All unless given."),
    ] = None,
    teacher: TeacherOption = None,
    encoder: EncoderOption = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Only mail before this day (UTC)."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Its flow is a line of the table as well.")
    ] = None,
    flow: Annotated[
        Path | None, typer.Option("--flow", help="Other rules (flow.toml) on --bundle, in its flow's place.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Judge every model on the same conversations.

    Beside keywords, one queue for all and shuffled labels.
    """
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.contest import compare as contest
    from mailml.lab.frame import frame
    from mailml.lab.labels import Labels

    history = Archive.open(archive)
    table = contest(
        frame(history),
        Labels(labels),
        models=model or (),
        teacher=teacher or "",
        encoder=str(encoder) if encoder else "",
        until=until and until.replace(tzinfo=UTC),
        archive=history if bundle or flow else None,
        bundle=Bundle.load(bundle) if bundle else None,
        flow=flow,
    )
    typer.echo(json.dumps(table.to_dict()) if as_json else str(table))
