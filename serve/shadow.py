"""The shadow: a second bundle decides what was decided, from the same bytes in the same context, afterwards.

It runs in a thread of its own and only reads what the worker has committed: it can neither delay nor break
a mail that is being served.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import structlog

from mailml.bundle import Bundle
from mailml.decide import decide
from mailml.verdict import Context, Decision

from .bells import Bells
from .bundles import Bundles
from .instants import Clock, now_ms
from .journal import Journal, events, shadows
from .journal.shadows import Undecided

_POLL_SECONDS = 5.0


class Shadow:
    """Asks the shadow bundle about every decision; records, and does nothing else."""

    def __init__(self, journal: Journal, bundles: Bundles, key: bytes, *, clock: Clock = now_ms) -> None:
        self.journal, self.bundles, self.key, self.clock = journal, bundles, key, clock
        self.log = structlog.get_logger("shadow")
        self._begun = ""
        self._failed: set[int] = set()
        self.begin()

    def begin(self) -> Bundle | None:
        """The shadow bundle, from whose first look on decisions are compared."""
        bundle = self.bundles.shadow
        if bundle is not None and bundle.id != self._begun:
            with self.journal.write() as tx:
                shadows.begin(tx, bundle.id)
            self._begun = bundle.id
        return bundle

    def run(self, bells: Bells) -> None:
        """Compare until told to stop."""
        while not bells.stop.is_set():
            if not self.batch():
                bells.stop.wait(_POLL_SECONDS)

    def batch(self) -> int:
        """Ask about what was decided lately; returns how many decisions were looked at."""
        bundle = self.begin()
        if bundle is None:
            return 0
        with self.journal.read() as tx:
            waiting = [one for one in shadows.waiting(tx, bundle.id) if one.incoming_id not in self._failed]
        made = [(one, decision) for one in waiting if (decision := self._ask(bundle, one)) is not None]
        if made:
            with self.journal.write() as tx:
                shadows.add(tx, bundle.id, made, self.clock())
        return len(waiting)

    def _ask(self, bundle: Bundle, one: Undecided) -> Decision | None:
        try:
            context = Context.from_plain(json.loads(one.context), loop_key=self.key)
            return decide(one.raw, bundle, context)
        except Exception as error:  # noqa: BLE001 - a shadow that fails is told of, and stands in nobody's way
            why = f"{type(error).__name__} while deciding"
            self.log.error("shadow failed", incoming=one.incoming_id, bundle=bundle.id, why=why)
            self._failed.add(one.incoming_id)
            with self.journal.write() as tx:
                note = f"shadow {bundle.id}: {why}"
                events.add(tx, "shadow_failed", self.clock(), note, level="warning", incoming=one.incoming_id)
            return None


def agreement(journal: Journal, bundle: str = "", *, examples: int = 5) -> dict[str, Any]:
    """How far a shadow agrees with what was served: shares, and every way in which it differs, the commonest
    first. `bundle` is an id; the latest shadow unless given.
    """
    with journal.read() as tx:
        names = shadows.bundles(tx)
        name = bundle or (names[0] if names else "")
        rows = [row for row in shadows.compared(tx, name) if row["bundle"] != name]
    same = [row for row in rows if _place(row) == _place(row, "shadow_")]
    return {
        "shadow": name,
        "served_by": sorted({row["bundle"] for row in rows}),
        "messages": len(rows),
        "same_place": len(same),
        "same_kind": sum(row["kind"] == row["shadow_kind"] for row in rows),
        "same_ack": sum(row["ack"] == row["shadow_ack"] for row in rows),
        "agreement": round(len(same) / len(rows), 4) if rows else None,
        "differences": _differences(rows, examples),
    }


def _differences(rows: Iterable[dict[str, Any]], examples: int) -> list[dict[str, Any]]:
    differ = [row for row in rows if _place(row) != _place(row, "shadow_")]
    counts = Counter((_place(row), _place(row, "shadow_")) for row in differ)
    return [
        {
            "served": served,
            "shadow": shadow,
            "messages": count,
            "examples": [
                row["incoming_id"]
                for row in differ
                if (_place(row), _place(row, "shadow_")) == (served, shadow)
            ][:examples],
        }
        for (served, shadow), count in counts.most_common()
    ]


def _place(row: dict[str, Any], prefix: str = "") -> str:
    """Where the message goes."""
    return str(row[f"{prefix}queue"] or row[f"{prefix}folder"])
