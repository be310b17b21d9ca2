"""Questions about one text field, all of them in as few looks at its texts as possible.

First one look for every piece that any of them needs: most texts hold none and have answered all questions
with no. Then each question looks at what is left, and only what still may fit is folded, or composed and
searched by RE2, once for all questions that ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
import pyarrow.compute as pc

from mailml.flow.batch.bitmaps import Bits
from mailml.flow.batch.plans import Plan
from mailml.flow.batch.texts import MOST_ALTERNATIVES, Texts, bits_of, composed, contains, folded
from mailml.flow.conditions import Ask


def answers(texts: Texts, plans: Sequence[Plan]) -> dict[Ask, Bits]:
    """For each question, which texts fit."""
    found = {plan.ask: np.zeros(len(texts), np.bool_) for plan in plans}
    sieved = [plan for plan in plans if plan.pieces and not plan.foreign]
    if sieved:
        near = texts.holds(list({piece for plan in sieved for piece in plan.pieces}))
        rows = np.flatnonzero(near & texts.there)
        for ask, fits in _asked(texts.take(rows), sieved).items():
            found[ask][rows] = fits
    foreign = [plan for plan in plans if plan.foreign]
    if foreign and texts.foreign.any():
        rows = np.flatnonzero(texts.foreign)
        for ask, fits in _asked(texts.take(rows), foreign).items():
            found[ask][rows] = fits
    found |= _asked(texts, [plan for plan in plans if not plan.pieces and not plan.foreign])
    return found


def _asked(texts: Texts, plans: Sequence[Plan]) -> dict[Ask, Bits]:
    """The answers of these texts: those that are plain to see, and those that need a closer look."""
    found: dict[Ask, Bits] = {}
    doubted: dict[Plan, Bits] = {}
    near = _near(texts, plans)
    for plan in plans:
        if plan.sure:
            found[plan.ask] = contains(texts.lowered, plan.sure)
            doubted[plan] = _doubted(texts, plan, near[plan] & texts.foreign & ~found[plan.ask])
        else:
            found[plan.ask] = np.zeros(len(texts), np.bool_)
            doubted[plan] = near[plan]
    for as_written, make in ((False, folded), (True, composed)):
        some = {plan: doubt for plan, doubt in doubted.items() if plan.as_written is as_written}
        union = np.flatnonzero(np.logical_or.reduce(list(some.values()))) if some else np.zeros(0, np.int64)
        if not len(union):
            continue
        looked = make(texts.series if len(union) == len(texts) else texts.series[union])
        for plan, doubt in some.items():
            inside = np.flatnonzero(doubt[union])
            if len(inside):
                part = looked if len(inside) == len(looked) else looked[inside]
                found[plan.ask][union[inside]] |= compared(part, plan)
    return found


def _doubted(texts: Texts, plan: Plan, near: Bits) -> Bits:
    """Those near texts that still may fit when they are looked at more closely."""
    rows = np.flatnonzero(near)
    if len(rows):
        some = texts.take(rows)
        near[rows] = contains(some.lowered, plan.hint) | some.changing
    return near


def _near(texts: Texts, plans: Sequence[Plan]) -> dict[Plan, Bits]:
    """For each question, the texts that may fit."""
    pieces = {piece for plan in plans for piece in plan.pieces}
    if len(pieces) > MOST_ALTERNATIVES:
        return _near_many(texts, plans, sorted(pieces))
    near: dict[Plan, Bits] = {}
    for plan in plans:
        if plan.pieces:
            near[plan] = texts.holds(plan.pieces) & texts.there
        elif plan.wider:
            near[plan] = _wider(texts, plan.wider) & texts.there
        else:
            near[plan] = texts.there
    return near


def _near_many(texts: Texts, plans: Iterable[Plan], pieces: Sequence[str]) -> dict[Plan, Bits]:
    """The same for thousands of pieces: one walk of an automaton tells which stand where."""
    each = texts.lowered.str.extract_many(list(pieces), overlapping=True)
    owners = np.repeat(np.arange(len(texts)), each.list.len().fill_null(0).to_numpy())
    words = each.explode(empty_as_null=False, keep_nulls=False)
    numbers = words.replace_strict(pieces, range(len(pieces)), return_dtype=pl.Int64).to_numpy()
    order = np.argsort(numbers, kind="stable")
    owners, starts = owners[order], np.searchsorted(numbers[order], np.arange(len(pieces) + 1))
    places = {piece: owners[starts[n] : starts[n + 1]] for n, piece in enumerate(pieces)}
    near: dict[Plan, Bits] = {}
    for plan in plans:
        near[plan] = texts.wild.copy() if plan.pieces else texts.there.copy()
        for piece in plan.pieces:
            near[plan][places[piece]] = True
    return near


def _wider(texts: Texts, patterns: Sequence[str]) -> Bits:
    found = texts.wild.copy()
    for pattern in patterns:
        try:
            found |= contains(texts.series, pattern)
        except pl.exceptions.ComputeError:  # too large for that engine: RE2 sees them all
            return np.ones(len(texts), np.bool_)
    return found


def compared(texts: pl.Series, plan: Plan) -> Bits:
    """What each folded (or, for patterns, composed) text answers: the meaning itself."""
    operator, needles = plan.ask.operator, plan.expected
    if operator == "matches":
        return _matching(texts, needles)
    if operator == "is":
        return bits_of(texts.is_in([needle.strip() for needle in needles]))
    if operator == "contains":
        padded = any(needle != needle.strip() for needle in needles)
        return bits_of((" " + texts + " " if padded else texts).str.contains_any(list(needles)))
    found = np.zeros(len(texts), np.bool_)
    for needle in needles:
        if operator == "starts_with":
            found |= bits_of((texts + " ").str.starts_with(needle.lstrip()))
        else:
            found |= bits_of((" " + texts).str.ends_with(needle.rstrip()))
    return found


def _matching(texts: pl.Series, patterns: Sequence[str]) -> Bits:
    found, column = np.zeros(len(texts), np.bool_), texts.to_arrow()
    for pattern in patterns:
        hit = pc.match_substring_regex(column, pattern)
        found |= np.asarray(pc.fill_null(hit, False).to_numpy(zero_copy_only=False), dtype=bool)
    return found
