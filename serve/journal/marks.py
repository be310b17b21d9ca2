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


def names(tx: Tx, prefix: str) -> list[str]:
    """The names with this beginning whose mark is not zero."""
    asked = select(marks.c.name).where(marks.c.name.startswith(prefix, autoescape=True), marks.c.value != 0)
    return list(tx.execute(asked.order_by(marks.c.name)).scalars())


def every(tx: Tx, prefix: str) -> dict[str, int]:
    """The marks with this beginning, by what follows it."""
    asked = select(marks.c.name, marks.c.value).where(marks.c.name.startswith(prefix, autoescape=True))
    return {row.name.removeprefix(prefix): int(row.value) for row in tx.execute(asked.order_by(marks.c.name))}
