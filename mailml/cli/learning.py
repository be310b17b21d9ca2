"""`mailml train | export | report`: from labels to a bundle, and what it does."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailml.cli.options import ArchiveOption, LabelsOption
from mailml.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


ModelOption = Annotated[Path, typer.Option("--model", help="The model's folder, made by `mailml train`.")]
TeacherOption = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        help="What labels the rest of the mail: self, averaged, embedding. Taken only if cheaper.",
    ),
]
EncoderOption = Annotated[
    Path | None,
    typer.Option("--encoder", help="A sentence encoder's folder (model.onnx and tokenizer.json)."),
]
CreatedOption = Annotated[
    datetime | None,
    typer.Option(
        "--created",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="When it counts as made (UTC); SOURCE_DATE_EPOCH or the newest label's time unless given.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (train, export, report):
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
    model: Annotated[
        str, typer.Option("--model", help="linear, hashing, averaged, or embedding (workbench only).")
    ] = "linear",
    teacher: TeacherOption = None,
    encoder: EncoderOption = None,
    desk: Annotated[
        Path | None, typer.Option("--desk", help="A desk.toml whose costs, thresholds and fallback count.")
    ] = None,
    per_sender: Annotated[
        int, typer.Option("--per-sender", min=1, help="Messages of one sender and class at most.")
    ] = 50,
    novelty: Annotated[
        float,
        typer.Option("--novelty", min=0, max=0.98, help="Share of mail taken to be about something new."),
    ] = 1 / 3,
    seed: Annotated[int, typer.Option("--seed", help="Of the folds.")] = 7,
) -> None:
    """Train the classifier on the labelled messages.

    It is judged on conversations it never saw.
    """
    from mailml.lab import saved
    from mailml.lab.labels import Labels
    from mailml.lab.settings import Settings
    from mailml.lab.train import train as fit

    settings = Settings(
        model=model,
        teacher=teacher or "",
        encoder=str(encoder) if encoder else "",
        per_sender=per_sender,
        novelty=novelty,
        seed=seed,
        **_priced(desk),
    )
    trained = fit(
        _frame(archive), Labels(labels), until=until and until.replace(tzinfo=UTC), settings=settings
    )
    saved.save(trained, out)
    typer.echo(f"trained on {len(trained.examples):,} messages, classes {', '.join(trained.classes)}")
    typer.echo("\n".join((*trained.examples.notes, trained.enough.sentence)))
    if not trained.learner.servable:
        typer.echo("it runs in the workbench only: `mailml export` refuses it; use it as a --teacher")
    typer.echo(f"model: {out}")


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
    created: CreatedOption = None,
    control: Annotated[
        bool, typer.Option(help="Compute the controls for the card as well (as long as training took).")
    ] = False,
) -> None:
    """Write flow, desk, model and card as one bundle.

    It is loaded again with every check.
    """
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
        created=created and created.replace(tzinfo=UTC),
        by=by or login(),
        replace=replace,
    )
    typer.echo(f"bundle {made.id}: {out}")


def report(
    bundle: Annotated[Path, typer.Option("--bundle", help="The bundle whose desk, calendar and flow count.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file.")],
    archive: Annotated[
        Path | None, typer.Option("--archive", help="The archive's folder; not needed with --journal.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", help="overview, sla, misrouting, automated or drift.")
    ] = "overview",
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal", help="What the service really did: the file of `mailml-serve export-feedback`."
        ),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions", help="Live decisions (`mailml-serve decisions --jsonl`) for the overview."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="For drift: how many labels are newer than the training.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="For drift: how many days are recent.")] = 28,
    addresses: Annotated[bool, typer.Option("--addresses", help="Show addresses, masked otherwise.")] = False,
) -> None:
    """Write one self-contained HTML report that opens offline."""
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.labels import Labels
    from mailml.lab.report import report as write

    page = write(
        kind,
        Archive.open(archive) if archive is not None else None,
        Bundle.load(bundle),
        journal=journal,
        live=decisions or (),
        labels=Labels(labels) if labels is not None else None,
        days=days,
        addresses=addresses,
    )
    page.write(out)
    typer.echo(f"report: {out}\nmade from: {page.source}")


def _frame(archive: Path) -> pd.DataFrame:
    from mailml.archive import Archive
    from mailml.lab.frame import frame

    return frame(Archive.open(archive))


def _priced(desk: Path | None) -> dict[str, Any]:
    """The settings that a desk decides."""
    from mailml.bundle import desk as desks

    if desk is None:
        return {}
    told = desks.load(desk)
    return {"fallback": told.fallback, "costs": told.costs, "thresholds": told.thresholds}


def login() -> str:
    """The login name, for who made a bundle; raises InputError where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise InputError("the login name is not known", cure="Give --by NAME") from error
