"""`mailml backtest`: a candidate over the archive, for people and for pipelines that stop bad changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailml.cli.options import ArchiveOption
from mailml.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.sides import Side

BundleOption = Annotated[Path, typer.Option("--bundle", help="The candidate; with --flow, what it runs on.")]
BaselineOption = Annotated[
    Path | None,
    typer.Option("--baseline", help="What it would replace; without it, the same desk by rules alone."),
]
FlowOption = Annotated[
    Path | None,
    typer.Option("--flow", help="Other rules (flow.toml) on --bundle, which is the baseline then."),
]
_ANSWERED = Path("answered")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(backtest)


def backtest(
    archive: ArchiveOption,
    bundle: BundleOption,
    out: Annotated[Path, typer.Option("--out", help="Folder for backtest.json and backtest.html.")],
    baseline: BaselineOption = None,
    flow: FlowOption = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth",
            help="Labels (.jsonl), a CSV with message and label (queue or category), or the word answered: "
            "the queue of whoever answered first.",
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if", help="E.g. 'misroute_rate > baseline + 0.5%'; then exit code 3. Repeatable."
        ),
    ] = None,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0, help="What a plainly wrong queue costs.")
    ] = 12.0,
    addresses: Annotated[bool, typer.Option("--addresses", help="Show addresses, masked otherwise.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that decide.")] = 1,
) -> None:
    """Decide the whole archive again, and compare.

    Compared are a candidate, a baseline and what agents did.
    Exit codes: 0 the conditions passed, 3 one of them failed, 1 they could not be judged.
    """
    from mailml.archive import Archive
    from mailml.lab.backtest import backtest as compare

    history = Archive.open(archive)
    after, before = sides(bundle, baseline, flow)
    known = _truth(truth, history, before) if truth else None
    test = compare(
        after,
        before,
        history,
        truth=known,
        fail_if=fail_if or (),
        minutes_each=minutes,
        workers=workers,
    )
    page = test.write(out, addresses=addresses)
    typer.echo(str(test))
    typer.echo(f"verdict: {out / 'backtest.json'}\nreport: {page}")
    if any(gate.fails for gate in test.gates):
        raise typer.Exit(3)


def sides(bundle: Path, baseline: Path | None, flow: Path | None) -> tuple[Side, Bundle]:
    """Candidate and baseline as the options name them."""
    from mailml.bundle import Bundle

    loaded = Bundle.load(bundle)
    before = Bundle.load(baseline) if baseline else None
    if flow is not None:
        from mailml.lab.sides import bundle_of

        if not flow.is_file():
            raise InputError("is no flow file", where=str(flow), cure="Name a flow.toml")
        return bundle_of(flow, loaded), before or loaded
    # without a baseline the question is what the classifier adds: the same flow and desk, abstaining
    return loaded, before or replace(loaded, model=None, id="rules-only")


def _truth(path: Path, archive: Archive, bundle: Bundle) -> Mapping[str, str]:
    from mailml.lab.csv_labels import from_csv
    from mailml.lab.labels import Labels
    from mailml.lab.truth import answered, labelled

    if path == _ANSWERED and not path.exists():
        return answered(archive, bundle)
    if not path.is_file():
        raise InputError("is no file", where=str(path), cure="Name a label file or a CSV, or say answered")
    if path.suffix.lower() == ".csv":
        said = {label.message: label.label for label in from_csv(path, messages=archive)}
        return labelled(said, bundle)
    return labelled(Labels(path), bundle)
