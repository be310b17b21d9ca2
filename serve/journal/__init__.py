"""The journal: the truth about every message, and the only place that speaks SQL.

Open one with `Journal.open(path)`; pass the transaction of `journal.write()` or `journal.read()` to the
functions of the rooms beside this file: incoming, interactions, decisions, outbox, limits, quarantine,
events, figures, keys, deliveries, shadows, marks.
"""

from __future__ import annotations

from . import schema_edges as schema_edges  # its tables belong to the schema the migrations build
from .engine import Journal, JournalError, Tx, is_disk_trouble
from .prepared import apart

__all__ = ["Journal", "JournalError", "Tx", "apart", "is_disk_trouble"]
