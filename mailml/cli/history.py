"""`mailml pull | status | label | doctor | demo`: the mailbox's history, and whether everything is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailml.cli.options import ArchiveOption, LabelsOption
from mailml.errors import InputError

if TYPE_CHECKING:
    from mailml.flow import Flow
    from mailml.lab.labels import Labels

FlowOption = Annotated[
    Path | None, typer.Option("--flow", help="A flow.toml; without it, the flow shipped with mailml.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (pull, status, label, doctor, demo):
        app.command()(command)


def pull(
    archive: ArchiveOption,
    config: Annotated[Path, typer.Option("--config", help="Accounts, as [account.NAME].")] = Path(
        "mailml.toml"
    ),
    account: Annotated[list[str] | None, typer.Option("--account", help="Only this one; repeatable.")] = None,
    folder: Annotated[
        list[str] | None, typer.Option("--folder", help='A folder or glob, "Queues/*"; repeatable.')
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Pull what is new into the archive, read-only.

    It goes on where it was, after a kill at any point.
    """
    from mailml.lab.pull import pull as pull_mail
    from mailml.transport.account import load

    known = load(config)
    names = account or list(known)
    if unknown := [name for name in names if name not in known]:
        there = f"{config} has {', '.join(known)}"
        raise InputError(f"no account named {', '.join(map(repr, unknown))}", where=str(config), cure=there)
    report = pull_mail([known[name] for name in names], archive, folder, False if quiet else None)
    typer.echo(str(report))


def status(archive: ArchiveOption) -> None:
    """Say what the archive holds, folder by folder.

    Messages, size and the newest mail of each.
    """
    from mailml.archive import Archive

    typer.echo(str(Archive.open(archive).status()))


def label(
    archive: ArchiveOption,
    labels: LabelsOption,
    from_folders: Annotated[
        bool, typer.Option("--from-folders", help="Label by the queue folder a message lies in.")
    ] = False,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help='"FOLDER=CATEGORY" for --from-folders; repeatable.')
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="A CSV with message (SHA-256 or Message-ID) and label.")
    ] = None,
    flow: FlowOption = None,
) -> None:
    """Add labels from folders, from a CSV, or by keyboard.

    The keyboard asks in the terminal when neither of the others is named.
    """
    from mailml.archive import Archive
    from mailml.cli.labelling import label_by_keys
    from mailml.lab import labels as store_of
    from mailml.lab.csv_labels import from_csv
    from mailml.lab.queues import folder_categories

    messages, store = Archive.open(archive), store_of.Labels(labels)
    before = len(store.latest())
    if from_folders:
        folders = {row.folder for row in messages.status().folders}
        chosen = _mapping(mapping or []) or folder_categories(folders, _flow(flow))
        store.merge(store_of.from_folders(messages, chosen))
        _say_mapping(chosen)
    if csv is not None:
        store.merge(from_csv(csv, messages=messages))
    if not from_folders and csv is None:
        label_by_keys(messages, store, _flow(flow))
    _say(store, before)


def doctor(
    lab: Annotated[bool, typer.Option("--lab", help="Check the workbench (the default).")] = True,
    folder: Annotated[Path, typer.Option("--folder", help="Where archives will be written.")] = Path(),
) -> None:
    """Say what the workbench is missing here, and the cure.

    Exit code 3 if anything is missing.
    """
    from mailml.lab.doctor import doctor as examine

    health = examine(folder)
    typer.echo(str(health))
    if not health.ok:
        raise typer.Exit(3)


def demo(
    output: Annotated[Path, typer.Option("--output", help="Where everything is written.")] = Path(
        "demo-output"
    ),
) -> None:
    """Run the whole main job on an embedded mail server.

    The mailbox is made up; it ends with a report to open.
    """
    from mailml.demo import run

    raise typer.Exit(run(output))


def _flow(path: Path | None) -> Flow:
    from mailml.flow import ready, source

    return source.load(path) if path else ready.load("default")


def _mapping(pairs: list[str]) -> dict[str, str]:
    """`FOLDER=CATEGORY` pairs as a mapping; raises InputError for one that is none."""
    chosen = {}
    for pair in pairs:
        folder, equals, category = pair.rpartition("=")
        if not (folder and equals and category):
            raise InputError(
                f"{pair!r} is no FOLDER=CATEGORY", cure='For example --map "Queues/Billing=billing"'
            )
        chosen[folder] = category
    return chosen


def _say_mapping(chosen: Mapping[str, str]) -> None:
    for folder, category in chosen.items():
        typer.echo(f"{folder} -> {category}")


def _say(store: Labels, before: int) -> None:
    counts: dict[str, int] = {}
    latest = store.latest()
    for item in latest.values():
        counts[item.label] = counts.get(item.label, 0) + 1
    listed = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    typer.echo(f"{len(latest):,} messages are labelled ({len(latest) - before:,} new): {listed or 'none'}")
    if conflicts := store.conflicts():
        typer.echo(f"{len(conflicts)} messages have labels that disagree; the label panel shows them first")
