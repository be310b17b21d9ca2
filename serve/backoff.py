"""How long to wait after a failure: doubling, capped, and spread so that many do not come back together."""

from __future__ import annotations

import random

from mailml.errors import AuthError, ThrottledError

FIRST, LONGEST = 1.0, 300.0
LONGEST_ASKED = 3600.0  # a server that asks for more is asked again all the same
# A refused login tried every second locks accounts; a server that names its own wait is believed.
AFTER_REFUSED_LOGIN = 30.0


def seconds(failures: int, error: BaseException | None = None, *, longest: float = LONGEST) -> float:
    """The wait before the next try after so many failures in a row (1, 2, …), in seconds."""
    if isinstance(error, ThrottledError):
        return min(error.retry_after, LONGEST_ASKED) * random.uniform(1.0, 1.2)
    first = AFTER_REFUSED_LOGIN if isinstance(error, AuthError) else FIRST
    whole = min(first * 2.0 ** min(failures - 1, 20), longest)
    return whole * random.uniform(0.5, 1.0)
