"""Which messages a bundle may be judged on: not those whose answers its classifier was trained with.

A model that is asked about its own training mail is right nearly always (a misroute rate of 0.3 % where mail
it never saw gives 20 %). A bundle says from when to when its training mail came; that time is left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from mailml.bundle import Bundle

# Fewer unseen messages than this say less than many that were seen, if the reader is told.
LEAST = 100
# INTERNALDATE and the Received header, by which training counts, differ by seconds.
_SLACK = timedelta(minutes=5)


def training_span(bundle: Bundle) -> tuple[datetime, datetime] | None:
    """From when to when the classifier's training mail came; None for a bundle without a classifier."""
    told = bundle.manifest.get("training", {})
    if bundle.model is None or not told.get("from") or not told.get("to"):
        return None
    return datetime.fromisoformat(told["from"]) - _SLACK, datetime.fromisoformat(told["to"]) + _SLACK


def judgeable(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows to judge (by their column `seen`), and the sentence that must stand beside the figures."""
    fresh = rows[~rows["seen"]]
    if len(fresh) == len(rows):
        return rows, ""
    if len(fresh) >= LEAST:
        left_out = len(rows) - len(fresh)
        return fresh, (
            f"Judged on mail that came before or after the classifier's training mail; {left_out:,} messages "
            "of that time were left out."
        )
    return rows, (
        "The classifier was trained on mail of this very time, so these misroutes flatter it: hold out the "
        "last weeks when training, or read the evaluation card, which judges it on mail it never saw."
    )
