"""Questions about one text field, all of them in as few looks at its texts as possible.

First one look for whatever any of them needs: most texts hold nothing of it and have answered all questions
with no. Then each question looks at what is left, and only what still may fit is folded, or composed and
searched by RE2, once for all questions that ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import polars as pl

from mailml.flow.batch.alphabet import rows_with
from mailml.flow.batch.bitmaps import Bits
from mailml.flow.batch.closer import compared
from mailml.flow.batch.columns import Rows
from mailml.flow.batch.plans import Plan
from mailml.flow.batch.texts import MOST_ALTERNATIVES, Texts, composed, contains, contains_each, folded
from mailml.flow.conditions import Ask

Found = dict[Ask, Bits]
_NEARLY_ALL = 0.7  # a part of more texts than these is not worth copying


def answers(texts: Texts, plans: Sequence[Plan]) -> Found:
    """For each question, which texts fit."""
    sure = _one_pattern(plans)
    foreign = [plan for plan in plans if plan.foreign]
    others = [plan for plan in plans if plan not in sure and not plan.foreign]
    pieced = [plan for plan in others if plan.pieces]
    rest = [plan for plan in others if not plan.pieces]
    found: Found = {}
    if sure:
        near = contains(texts.lowered, "|".join(plan.hint for plan in sure)) | _changed(texts, sure)
        found |= _part(texts, near, lambda some: _sure(some, sure))
    if pieced:
        # a single pattern is about to see them all
        near = texts.there if len(pieced) == 1 and pieced[0].wider else texts.holds(_pieces(pieced))
        found |= _part(texts, near & texts.there, lambda some: _looked(some, _near(some, pieced)))
    if foreign:
        found |= _part(texts, texts.foreign, lambda some: _looked(some, _near(some, foreign)))
    near_rest = {plan: (_running(texts, plan) if plan.runs else texts.there) for plan in rest}
    return found | _looked(texts, near_rest)


def _one_pattern(plans: Sequence[Plan]) -> list[Plan]:
    """The questions that have something sure and that one pattern can look for together; else none."""
    sure = [plan for plan in plans if plan.sure and len(plan.expected) <= MOST_ALTERNATIVES]
    return sure if sum(len(plan.expected) for plan in sure) <= MOST_ALTERNATIVES else []


def _part(texts: Texts, near: Bits, ask: Callable[[Texts], Found]) -> Found:
    """The answers of those texts that are near; all others answer no."""
    rows = np.flatnonzero(near)
    if len(rows) > _NEARLY_ALL * len(texts):
        return ask(texts)
    return {one: _spread(fits, rows, len(texts)) for one, fits in ask(texts.take(rows)).items()}


def _spread(fits: Bits, rows: Rows, many: int) -> Bits:
    found = np.zeros(many, np.bool_)
    found[rows] = fits
    return found


def _pieces(plans: Iterable[Plan]) -> list[str]:
    return sorted({piece for plan in plans for piece in plan.pieces})


def _sure(texts: Texts, plans: Sequence[Plan]) -> Found:
    """The answers of questions that most texts settle as they were written."""
    found: Found = {}
    doubted: dict[Plan, Bits] = {}
    hinted = contains_each(texts.lowered, [plan.hint for plan in plans])
    for plan, hints in zip(plans, hinted, strict=True):
        rows = np.flatnonzero(hints)  # few, and what is sure is among them
        sure = contains(texts.lowered[rows], plan.sure)
        found[plan.ask] = _spread(sure, rows, len(texts))
        doubted[plan] = (hints | _changed(texts, [plan])) & texts.foreign & ~found[plan.ask]
    for ask, fits in _closer(texts, doubted, _folded).items():
        found[ask] |= fits
    return found


def _changed(texts: Texts, plans: Sequence[Plan]) -> Bits:
    """Where letters that change into ASCII keep a hint from counting, and the pieces do not settle it."""
    rows = np.flatnonzero(texts.changing)
    if not len(rows) or not all(plan.pieces for plan in plans):
        return texts.changing
    return _spread(texts.take(rows).holds(_pieces(plans)), rows, len(texts))


def _looked(texts: Texts, near: dict[Plan, Bits]) -> Found:
    """The answers of questions that folded text, or a pattern, has to settle."""
    patterns = {plan: _wider(texts, plan, some) for plan, some in near.items() if plan.as_written}
    words = {plan: some for plan, some in near.items() if not plan.as_written}
    return _closer(texts, words, _folded) | _closer(texts, patterns, _composed)


def _folded(texts: Texts, rows: Rows) -> pl.Series:
    return folded(texts.series[rows])


def _composed(texts: Texts, rows: Rows) -> pl.Series:
    return composed(texts.series[rows], texts.unsteady[rows])


def _closer(texts: Texts, doubted: dict[Plan, Bits], make: Callable[[Texts, Rows], pl.Series]) -> Found:
    """What each question says of the texts it is in doubt about, in the form that it asks for."""
    found = {plan.ask: np.zeros(len(texts), np.bool_) for plan in doubted}
    union = np.flatnonzero(np.logical_or.reduce(list(doubted.values()))) if doubted else np.zeros(0, np.int64)
    if not len(union):
        return found
    looked = make(texts, union)
    for plan, doubt in doubted.items():
        inside = np.flatnonzero(doubt[union])
        if len(inside):
            part = looked if len(inside) == len(looked) else looked[inside]
            found[plan.ask][union[inside]] = compared(part, plan)
    return found


def _near(texts: Texts, plans: Sequence[Plan]) -> dict[Plan, Bits]:
    """For each question, the texts that may fit."""
    pieces = _pieces(plans)
    if len(pieces) > MOST_ALTERNATIVES:
        return _near_many(texts, plans, pieces)
    # a wider pattern is about to see them all, and is as quick as its pieces
    return {
        plan: (texts.holds(plan.pieces) if plan.pieces and not plan.wider else True) & texts.there
        for plan in plans
    }


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
        found = texts.wild.copy() if plan.pieces else texts.there.copy()
        for piece in plan.pieces:
            found[places[piece]] = True
        near[plan] = found
    return near


def _running(texts: Texts, plan: Plan) -> Bits:
    """The texts in which characters stand side by side as the patterns need them."""
    found = texts.wild.copy()
    for run in plan.runs:
        found[rows_with(run, *texts.raw)] = True
    return found & texts.there


def _wider(texts: Texts, plan: Plan, near: Bits) -> Bits:
    """Those near texts that also match the pattern's wider form."""
    rows = np.flatnonzero(near)
    if not len(rows) or not plan.wider:
        return near
    some = texts if len(rows) > _NEARLY_ALL * len(texts) else texts.take(rows)
    found = some.wild.copy()
    for pattern, lowered in plan.wider:
        try:
            found |= contains(some.lowered if lowered else some.series, pattern)
        except pl.exceptions.ComputeError:  # too large for that engine: RE2 sees them all
            return near
    return near & found if some is texts else _spread(found, rows, len(texts))
