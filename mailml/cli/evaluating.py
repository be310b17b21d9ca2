"""`mailml evaluate`: how good a classifier is, alone or against another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailml.cli.options import ArchiveOption

if TYPE_CHECKING:
    from mailml.lab.evaluate import Report
    from mailml.lab.versus import Versus

_LONGEST = 28  # characters of a name in a column
_SLICE_ROWS = 8


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(evaluate)


def evaluate(
    archive: ArchiveOption,
    model: Annotated[Path, typer.Option("--model", help="A folder made by `mailml train`, or a bundle.")],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="Judge on these labels; without it, on the training's own."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Compare with this model or bundle, by paired tests."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="grouped, time, or random (which flatters, and says so).")
    ] = "grouped",
    slices: Annotated[
        str, typer.Option("--by", help="Also by language, month, length or sender_domain (commas).")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Write the evaluation card here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    control: Annotated[
        bool, typer.Option(help="Also compute the keyword list and the shuffled-label control.")
    ] = True,
) -> None:
    """Say how good the classifier is, with intervals.

    Per class, beside what it must beat.
    """
    from mailml.archive import Archive
    from mailml.lab import card
    from mailml.lab.evaluate import evaluate as judge
    from mailml.lab.frame import frame as frame_of
    from mailml.lab.labels import Labels
    from mailml.lab.report.page import write_whole

    frame = frame_of(Archive.open(archive))
    given = (frame, Labels(labels)) if labels else (None, None)
    made = judge(_model(model, frame), *given, by=split, control=control)
    rival = None
    if against is not None:
        from mailml.lab.versus import versus

        other = judge(_model(against, frame), *given, by=split, control=False)
        rival = versus(made, other, names=(_name(model), _name(against)))
    parts = [part.strip() for part in slices.split(",") if part.strip()]
    tables = {part: made.by(part) for part in parts}
    if out is not None:
        write_whole(out, card.html(made))
    if as_json:
        typer.echo(json.dumps(_as_json(made, tables, rival)))
        return
    typer.echo(_told(made))
    for part, table in tables.items():
        typer.echo(_slice(part, table))
    if rival is not None:
        typer.echo(f"\n{rival}")
    if out is not None:
        typer.echo(f"card: {out}")


def _model(path: Path, frame: Any) -> Any:
    """The trained model of a folder, or a bundle."""
    if (path / "manifest.json").exists():
        from mailml.bundle import Bundle

        return Bundle.load(path)
    from mailml.lab import saved

    return saved.load(path, frame)


def _name(path: Path) -> str:
    return path.resolve().name


def _as_json(made: Report, tables: dict[str, Any], rival: Versus | None) -> dict[str, Any]:
    told = made.to_dict()
    if tables:
        told["by"] = {part: json.loads(table.to_json(orient="index")) for part, table in tables.items()}
    if rival is not None:
        told["against"] = rival.to_dict()
    return told


def _told(made: Report) -> str:
    """The evaluation in the terminal: per class, then the comparison."""
    lines = [made.how, "", f"{'class':<16}{'precision':>24}{'recall':>24}{'F1':>24}{'support':>9}"]
    for row in made.per_class:
        name = _cut(row.label, 15)
        lines.append(f"{name:<16}{row.precision!s:>24}{row.recall!s:>24}{row.f1!s:>24}{row.support:>9,}")
    lines += ["", f"{'':<28}{'accuracy':>24}{'cost per message':>24}"]
    for line in made.comparison:
        lines.append(f"{_cut(line.name, _LONGEST):<28}{line.accuracy!s:>24}{line.cost!s:>24}")
    lines += ["", f"answered {made.coverage}, calibration error {made.ece:.3f}", *made.notes]
    if made.leakage is not None:
        lines.append(str(made.leakage))
    if made.enough is not None:
        lines.append(made.enough.sentence)
    return "\n".join(lines)


def _slice(part: str, table: Any) -> str:
    """One table of parts of the mail."""
    lines = ["", f"{part.replace('_', ' '):<28}{'messages':>10}{'accuracy':>24}{'cost':>8}"]
    for name, row in table.head(_SLICE_ROWS).iterrows():
        share = f"{row['accuracy']:.3f} ({row['accuracy_low']:.3f} to {row['accuracy_high']:.3f})"
        lines.append(f"{_cut(str(name), 27):<28}{int(row['messages']):>10,}{share:>24}{row['cost']:>8.3f}")
    if len(table) > _SLICE_ROWS:
        lines.append(f"and {len(table) - _SLICE_ROWS:,} more: see --json")
    return "\n".join(lines)


def _cut(text: str, most: int) -> str:
    safe = "".join(char if char.isprintable() else " " for char in text)
    return safe if len(safe) <= most else safe[: most - 1] + "…"
