"""The meaning itself, over texts in the form that a question compares: folded, or composed for a pattern."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow.compute as pc

from mailml.flow.batch.bitmaps import Bits
from mailml.flow.batch.plans import Plan
from mailml.flow.batch.texts import bits_of


def compared(texts: pl.Series, plan: Plan) -> Bits:
    """What each folded (or, for patterns, composed) text answers; null answers no."""
    operator, needles = plan.ask.operator, plan.expected
    if operator == "matches":
        return _matching(texts, needles)
    if operator == "is":
        return bits_of(texts.is_in([needle.strip(" ") for needle in needles]))
    if operator == "contains":
        padded = any(needle != needle.strip(" ") for needle in needles)
        return bits_of((" " + texts + " " if padded else texts).str.contains_any(list(needles)))
    found = np.zeros(len(texts), np.bool_)
    for needle in needles:
        if operator == "starts_with":
            found |= bits_of((texts + " ").str.starts_with(needle.lstrip(" ")))
        else:
            found |= bits_of((" " + texts).str.ends_with(needle.rstrip(" ")))
    return found


def _matching(texts: pl.Series, patterns: Sequence[str]) -> Bits:
    found, column = np.zeros(len(texts), np.bool_), texts.to_arrow()
    for pattern in patterns:
        hit = pc.match_substring_regex(column, pattern)
        found |= np.asarray(pc.fill_null(hit, False).to_numpy(zero_copy_only=False), dtype=bool)
    return found
