"""The same flow over a whole archive in columns: one bitmap per distinct question, kept and recombined.

The meaning is that of `questions.py`, reached another way: text is folded by the same function (ASCII
natively, the rest one by one), patterns are searched by RE2 (pyarrow's: the engine of single messages too),
and outcomes are made by the flow itself from the rules that hit. Property tests hold the two equal.
"""

from mailml.flow.batch.batch import Batch, run_archive
from mailml.flow.batch.table import frame, schema
from mailml.flow.batch.texts import folded
from mailml.flow.batch.ways import Outcomes

__all__ = ["Batch", "Outcomes", "folded", "frame", "run_archive", "schema"]
