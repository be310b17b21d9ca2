"""Whether a moment to try again has come, also after the clock was wrong."""

from __future__ import annotations

from sqlalchemy import BigInteger, BindParameter, ColumnElement, bindparam

# No wait of ours is longer: what is due later than that was written while the clock ran ahead.
LONGEST_WAIT = 2 * 3600 * 1000  # milliseconds
NOW: BindParameter[int] = bindparam("now", type_=BigInteger)  # of a statement that is built once


def is_due(moment: ColumnElement[int], now: int | BindParameter[int]) -> ColumnElement[bool]:
    """The condition that a moment has come, or lies further ahead than any wait can."""
    return (moment <= now) | (moment > now + LONGEST_WAIT)
