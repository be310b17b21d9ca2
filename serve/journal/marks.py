"""How far something has been read or done: a number under a name."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from .engine import Tx
from .schema_edges import marks


def get(tx: Tx, name: str, default: int = 0) -> int:
    """The mark under this name, or the default where none was set."""
    found = tx.execute(select(marks.c.value).where(marks.c.name == name)).scalar()
    return default if found is None else int(found)


def put(tx: Tx, name: str, value: int) -> None:
    """Set the mark."""
    if not tx.execute(update(marks).where(marks.c.name == name).values(value=value)).rowcount:
        tx.execute(insert(marks).values(name=name, value=value))


def has(tx: Tx, name: str) -> bool:
    """Whether the mark was ever set."""
    return tx.execute(select(marks.c.name).where(marks.c.name == name)).first() is not None
