"""Labelling in the terminal, one key per message; every label is on disk before the next message is shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from mailml.errors import InputError

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.flow import Flow
    from mailml.lab.labels import Labels
    from mailml.lab.panels.candidates import Candidate
    from mailml.lab.panels.session import Session


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
