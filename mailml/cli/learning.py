"""`mailml train | evaluate | export | report`: from labels to a bundle, and what it does."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailml.cli.history import ArchiveOption, LabelsOption
from mailml.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.evaluate import Report

ModelOption = Annotated[Path, typer.Option("--model", help="The model's folder, made by `mailml train`.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (train, evaluate, export, report):
        app.command()(command)


def train(
    archive: ArchiveOption,
    labels: LabelsOption,
    out: Annotated[Path, typer.Option("--out", help="The folder the model is written to.")],
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            formats=["%Y-%m-%d"],
            help="Train on mail before this day (UTC), back-test on the rest.",
        ),
    ] = None,
) -> None:
    """Train the classifier on the labelled messages, judged on conversations it never saw."""
    from mailml.lab import saved
    from mailml.lab.labels import Labels
    from mailml.lab.train import train as fit

    trained = fit(_frame(archive), Labels(labels), until=until and until.replace(tzinfo=UTC))
    saved.save(trained, out)
    typer.echo(f"trained on {len(trained.examples):,} messages, classes {', '.join(trained.classes)}")
    typer.echo("\n".join((*trained.examples.notes, trained.enough.sentence)))
    typer.echo(f"model: {out}")


def evaluate(
    archive: ArchiveOption,
    model: ModelOption,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="Judge on these labels; without it, on the training's own."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the evaluation card here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    control: Annotated[
        bool, typer.Option(help="Also compute the keyword list and the shuffled-label control.")
    ] = True,
) -> None:
    """Say how good the classifier is: per class, with intervals, beside what it must beat."""
    from mailml.lab import card, saved
    from mailml.lab.evaluate import evaluate as judge
    from mailml.lab.labels import Labels

    frame = _frame(archive)
    trained = saved.load(model, frame)
    made = judge(trained, frame, Labels(labels)) if labels else judge(trained, control=control)
    if out is not None:
        out.write_text(card.html(made), encoding="utf-8")
    typer.echo(json.dumps(made.to_dict()) if as_json else _evaluation(made))
    if out is not None and not as_json:
        typer.echo(f"card: {out}")


def export(
    archive: ArchiveOption,
    model: ModelOption,
    flow: Annotated[Path, typer.Option("--flow", help="The flow to export (flow.toml).")],
    desk: Annotated[
        Path, typer.Option("--desk", help="Who we are, hours, SLA, acknowledgement (desk.toml).")
    ],
    out: Annotated[Path, typer.Option("--out", help="The bundle's folder.")],
    by: Annotated[str, typer.Option("--by", help="Who exports it; the login name unless given.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace a bundle that is there.")] = False,
    control: Annotated[
        bool, typer.Option(help="Compute the controls for the card as well (as long as training took).")
    ] = False,
) -> None:
    """Write flow, desk, model and card as one bundle, and load it again with every check."""
    from mailml.bundle import desk as desks
    from mailml.flow import source
    from mailml.lab import saved
    from mailml.lab.evaluate import evaluate as judge
    from mailml.lab.export import export as write

    settings = desks.load(desk)
    rules = source.load(flow, categories=settings.categories)
    trained = saved.load(model, _frame(archive))
    made = write(
        trained,
        rules,
        settings,
        out,
        report=judge(trained, control=control),
        by=by or _login(),
        replace=replace,
    )
    typer.echo(f"bundle {made.id}: {out}")


def report(
    archive: ArchiveOption,
    bundle: Annotated[Path, typer.Option("--bundle", help="The bundle whose desk, calendar and flow count.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file.")],
    kind: Annotated[str, typer.Option("--kind", help="overview, sla, misrouting or automated.")] = "overview",
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions", help="Live decisions (`mailml-serve decisions --jsonl`) for the overview."
        ),
    ] = None,
    addresses: Annotated[bool, typer.Option("--addresses", help="Show addresses, masked otherwise.")] = False,
) -> None:
    """Write one self-contained HTML report that opens offline."""
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report import report as write

    write(kind, Archive.open(archive), Bundle.load(bundle), live=decisions or (), addresses=addresses).write(
        out
    )
    typer.echo(f"report: {out}")


def _frame(archive: Path) -> pd.DataFrame:
    from mailml.archive import Archive
    from mailml.lab.frame import frame

    return frame(Archive.open(archive))


def _evaluation(made: Report) -> str:
    """The evaluation in the terminal: per class, then the comparison."""
    lines = [made.how, "", f"{'class':<14}{'precision':>24}{'recall':>24}{'support':>9}"]
    for row in made.per_class:
        lines.append(f"{row.label:<14}{row.precision!s:>24}{row.recall!s:>24}{row.support:>9}")
    lines += ["", f"{'':<28}{'accuracy':>24}{'cost per message':>24}"]
    for line in made.comparison:
        lines.append(f"{line.name:<28}{line.accuracy!s:>24}{line.cost!s:>24}")
    lines += ["", f"calibration error {made.ece:.3f}", *made.notes]
    if made.enough is not None:
        lines.append(made.enough.sentence)
    return "\n".join(lines)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise InputError("the login name is not known", cure="Give --by NAME") from error
