"""`backtest.json`: the verdict of a back-test for machines, with a format number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mailml.lab.intervals import Share
from mailml.lab.resampling import Interval

if TYPE_CHECKING:
    import pandas as pd

    from mailml.lab.comparison import Comparison
    from mailml.lab.gate import Gate

# It grows when a key changes its meaning or goes; keys that are new leave it.
FORMAT = 1
_DOMAINS = 50


def to_dict(test: Comparison) -> dict[str, Any]:
    """The verdict as JSON values; what could not be measured is null."""
    return {
        "format": FORMAT,
        "candidate": test.candidate,
        "baseline": test.baseline,
        "source": test.source,
        "messages": len(test.rows),
        "changes": test.changes,
        "acks": test.acks,
        "judged": len(test.judged),
        "note": test.note,
        "misroutes": {"before": _share(test.before), "after": _share(test.after)},
        "difference": test.difference.to_dict(),
        "minutes_saved": test.saved.value,
        "minutes_saved_interval": test.saved.to_dict(),
        "by_queue": _table(test.by("truth")),
        "by_rule": _table(test.by("rule_after")),
        "by_domain": _table(test.by("domain").head(_DOMAINS)),
        "transfers": _moves(test.transfers()),
        "load": _table(test.load()),
        "measures": {side: _known(test.measures(side)) for side in ("before", "after")},
        "gate": _gate(test.gate) if test.gate else None,
        "gates": [_gate(gate) for gate in test.gates],
    }


def _gate(gate: Gate) -> dict[str, Any]:
    return {"condition": gate.condition, "fails": gate.fails, "why": gate.why}


def _share(share: Share) -> dict[str, float | int | None]:
    return {
        "hits": share.hits,
        "of": share.of,
        "value": round(share.value, 6) if share.of else None,
        "low": round(share.low, 6),
        "high": round(share.high, 6),
    }


def _known(measures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else round(value, 6) for name, value in measures.items()}


def _moves(counts: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"before": str(one), "after": str(other), "messages": int(counts.loc[one, other])}
        for one in counts.index
        for other in counts.columns
        if counts.loc[one, other]
    ]


def _table(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _value(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _value(value: Any) -> Any:
    if isinstance(value, Share):
        return _share(value)
    if isinstance(value, Interval):
        return value.to_dict()
    return round(value, 6) if isinstance(value, float) else value
