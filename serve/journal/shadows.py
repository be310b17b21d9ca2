"""What a second bundle would have decided, beside what was decided: only recorded, never acted upon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select

from mailml.verdict import Decision

from . import marks
from .engine import Tx
from .schema import decisions, raws
from .schema_edges import shadows


@dataclass(frozen=True, slots=True)
class Undecided:
    """A message the shadow has not looked at: its bytes and the context its decision was made in."""

    decision_id: int
    incoming_id: int
    context: str = field(repr=False)
    raw: bytes = field(repr=False)


def begin(tx: Tx, bundle: str) -> None:
    """A shadow looks at what is decided from now on."""
    if not marks.has(tx, _mark(bundle)):
        newest = tx.execute(select(func.max(decisions.c.id))).scalar()
        marks.put(tx, _mark(bundle), int(newest or 0))


def _mark(bundle: str) -> str:
    return f"shadow:{bundle}"


def waiting(tx: Tx, bundle: str, limit: int = 50) -> list[Undecided]:
    """Decisions this bundle has not been asked about, oldest first, as far as their bytes are kept."""
    d = decisions.c
    behind = d.id > marks.get(tx, _mark(bundle))
    known = select(shadows.c.id).where(shadows.c.incoming_id == d.incoming_id, shadows.c.bundle == bundle)
    joined = decisions.join(raws, raws.c.incoming_id == d.incoming_id)
    asked = select(d.id.label("decision_id"), d.incoming_id, d.context, raws.c.raw).select_from(joined)
    asked = asked.where(behind, d.context != "", ~known.exists()).order_by(d.id).limit(limit)
    return [Undecided(**row._mapping) for row in tx.execute(asked)]


def add(tx: Tx, bundle: str, made: Iterable[tuple[Undecided, Decision]], now: int) -> int:
    """Write down what the bundle would have decided; returns how many."""
    rows = [
        {
            "incoming_id": one.incoming_id,
            "bundle": bundle,
            "kind": decision.kind.value,
            "disposition": decision.disposition.value,
            "queue": decision.queue,
            "folder": decision.folder,
            "ack": decision.ack.send,
            "decision": decision.to_json(),
            "at": now,
        }
        for one, decision in made
    ]
    if rows:
        tx.execute(insert(shadows), rows)
    return len(rows)


def bundles(tx: Tx) -> list[str]:
    """The bundles that have been shadows, the latest first."""
    latest = func.max(shadows.c.id)
    asked = select(shadows.c.bundle).group_by(shadows.c.bundle).order_by(latest.desc())
    return list(tx.execute(asked).scalars())


def compared(tx: Tx, bundle: str) -> list[dict[str, Any]]:
    """Each message both decided: the served values under their names, the shadow's with `shadow_` before."""
    d, s = decisions.c, shadows.c
    names = ("kind", "disposition", "queue", "folder", "ack")
    columns: list[Any] = [d.incoming_id, d.bundle, d.rule, *(d[name] for name in names)]
    columns += [s[name].label(f"shadow_{name}") for name in names]
    joined = shadows.join(decisions, d.incoming_id == s.incoming_id)
    asked = select(*columns).select_from(joined).where(s.bundle == bundle).order_by(d.incoming_id)
    return [dict(row._mapping) for row in tx.execute(asked)]
