"""Labels: in the terminal, one key per message, and mined from what agents did.

Every label given by key is on disk before the next message is shown.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailml.cli.options import ArchiveOption, LabelsOption
from mailml.errors import InputError

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.flow import Flow
    from mailml.lab.labels import Labels
    from mailml.lab.panels.candidates import Candidate
    from mailml.lab.panels.session import Session

app = typer.Typer(no_args_is_help=True, help="Labels from what agents did, and those that disagree.")


@app.command("mine")
def mine_labels(
    archive: ArchiveOption,
    labels: LabelsOption,
    bundle: Annotated[Path, typer.Option("--bundle", help="Whose desk and queues count.")],
    journal: Annotated[
        Path | None,
        typer.Option("--journal", help="The file of `mailml-serve export-feedback`: the router's own moves."),
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help='"QUEUE=CATEGORY" where rules do not say; repeatable.')
    ] = None,
    days: Annotated[float, typer.Option(help="How long a message must lie where it is.")] = 14,
    bulk: Annotated[int, typer.Option(min=2, help="So many moved at once say nothing.")] = 10,
    per_sender: Annotated[int, typer.Option(min=1, help="Labels from one sender at most.")] = 20,
    per_thread: Annotated[int, typer.Option(min=1, help="Labels from one conversation at most.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written.")] = False,
) -> None:
    """Label messages by where agents left them.

    What no longer holds is withdrawn.
    """
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.labels import Labels
    from mailml.lab.mine import Caps, disagreements, mine

    made = mine(
        Archive.open(archive),
        Bundle.load(bundle),
        journal=journal,
        categories=_queues(mapping or []) or None,
        days=days,
        bulk=bulk,
        caps=Caps(per_sender=per_sender, per_thread=per_thread),
    )
    typer.echo(str(made))
    if dry_run:
        return
    store = Labels(labels)
    added, withdrawn = made.merge(store)
    typer.echo(f"{added:,} labels written, {withdrawn:,} withdrawn: {labels}")
    if waiting := len(disagreements(store)):
        typer.echo(f"{waiting:,} messages have labels that disagree: mailml labels review --labels {labels}")


@app.command("review")
def review_labels(
    labels: LabelsOption,
    archive: Annotated[Path | None, typer.Option("--archive", help="Show subjects from it.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many at most.")] = 50,
) -> None:
    """List messages on which labels disagree.

    Hand labels, agents' moves and folders; the weightiest first.
    """
    from mailml.archive import Archive
    from mailml.lab.escape import mask, plain_text
    from mailml.lab.labels import Labels
    from mailml.lab.mine import review

    rows = review(Labels(labels), Archive.open(archive) if archive else None, n)
    for row in rows.to_dict("records"):
        said = ", ".join(f"{source} {row[source]}" for source in ("hand", "mined", "folder") if row[source])
        subject = plain_text(mask(row["subject"]), 60).replace("\n", " ")
        typer.echo(f"{row['message'][:12]}  {said}  {subject}".rstrip())
    typer.echo(f"{len(rows)} messages to review" if len(rows) else "nothing disagrees")


def _queues(pairs: list[str]) -> dict[str, str]:
    chosen = {}
    for pair in pairs:
        queue, equals, category = pair.rpartition("=")
        if not (queue and equals and category):
            raise InputError(f"{pair!r} is no QUEUE=CATEGORY", cure='For example --map "Billing=billing"')
        chosen[queue] = category
    return chosen


def label_by_keys(archive: Archive, store: Labels, flow: Flow, n: int = 100) -> None:
    """Show up to `n` unlabelled messages in random order and ask for a key each; q or end of input stops."""
    from mailml.lab.panels.candidates import candidates
    from mailml.lab.panels.session import Session
    from mailml.lab.queues import categories_of

    if not sys.stdin.isatty():
        raise InputError(
            "labelling by keyboard needs a terminal",
            cure="Use --from-folders or --csv, or the notebook's panel",
        )
    categories = sorted(set(categories_of(flow).values()))
    session = Session(candidates(archive, labels=store, n=n), store, categories)
    keys = "  ".join(f"{number} {name}" for number, name in enumerate(categories, 1))
    while (item := session.current) is not None:
        typer.echo(_shown(item, session.left))
        typer.echo(f"{keys}  a automated  s skip  u undo  q quit: ", nl=False)
        key = typer.getchar()
        typer.echo(key if key.isprintable() else "")
        if key in ("q", "\x03", "\x04", ""):
            break
        _press(key, session, categories)


def _press(key: str, session: Session, categories: list[str]) -> None:
    from mailml.lab.panels.session import AUTOMATED

    if key == "s":
        session.skip()
    elif key == "u":
        session.undo()
    elif key == "a":
        session.put(AUTOMATED)
    elif key.isdecimal() and 1 <= int(key) <= len(categories):
        session.put(categories[int(key) - 1])


def _shown(item: Candidate, left: int) -> str:
    body = "\n".join(f"  {line}" for line in item.body.splitlines()[:20])
    return f"\n--- {left} left --- {item.received}\n{item.subject}\nfrom {item.sender}\n\n{body}\n"
