"""Closing and reopening interactions by hand: nobody waits any more, or somebody does after all."""

from __future__ import annotations

from collections.abc import Callable, Collection

from mailml.errors import InputError

from .instants import Clock, now_ms
from .journal import Journal, Tx, events, interactions
from .journal.interactions import Interaction


def close(
    journal: Journal, references: Collection[str], *, note: str = "", clock: Clock = now_ms
) -> list[str]:
    """Close them: no due time runs any more, and a customer who writes again opens one.

    Returns the references that were open or answered. Raises InputError, before anything is done, for
    references that are none.
    """
    return _each(journal, references, "closed", note, interactions.close, clock)


def reopen(
    journal: Journal, references: Collection[str], *, note: str = "", clock: Clock = now_ms
) -> list[str]:
    """Open them again: the due time of one that was never answered has run on meanwhile.

    Returns the references that were not open. Raises InputError like `close`.
    """
    return _each(journal, references, "open", note, interactions.reopen, clock)


def _each(
    journal: Journal,
    references: Collection[str],
    state: str,
    note: str,
    change: Callable[[Tx, int], None],
    clock: Clock,
) -> list[str]:
    changed = []
    with journal.write() as tx:
        for one in _found(tx, references):
            if one.state != state:
                change(tx, one.id)
                kind = "closed" if state == "closed" else "reopened"
                events.add(tx, kind, clock(), note or "by hand", interaction=one.id)
                changed.append(one.reference)
    return changed


def _found(tx: Tx, references: Collection[str]) -> list[Interaction]:
    asked = {one: interactions.by_reference(tx, one.strip().lstrip("#").upper()) for one in references}
    if missing := [one for one, found in asked.items() if found is None]:
        raise InputError(
            f"there is no interaction {', '.join(map(repr, missing)):.300}",
            cure="See: mailml-serve decisions",
        )
    return [found for found in asked.values() if found is not None]
