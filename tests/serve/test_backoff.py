"""Waiting after failures: doubling, capped, spread, and as long as the server asks."""

from __future__ import annotations

import pytest

from mailml.errors import AuthError, ConnectError, ThrottledError
from serve import backoff


@pytest.mark.parametrize("failures", range(1, 40))
def test_it_doubles_up_to_its_longest(failures: int) -> None:
    """Between half and the whole of 1, 2, 4, … seconds, never above five minutes."""
    whole = min(2.0 ** (failures - 1), backoff.LONGEST)
    for _ in range(20):
        assert whole / 2 <= backoff.seconds(failures, ConnectError("down")) <= whole


def test_a_refused_login_is_not_hammered() -> None:
    """Logins refused again and again lock accounts: the first wait is long already."""
    assert backoff.seconds(1, AuthError("refused")) >= backoff.AFTER_REFUSED_LOGIN / 2


def test_a_server_that_names_its_wait_is_believed() -> None:
    """Throttled for 300 seconds means at least 300 seconds."""
    assert 300 <= backoff.seconds(1, ThrottledError("later", retry_after=300)) <= 360


@pytest.mark.parametrize("asked", [10**12, float("inf")])
def test_no_server_can_silence_us_for_good(asked: float) -> None:
    """Whatever a server asks for, it is tried again after about an hour; no wait overflows a clock."""
    assert 3600 <= backoff.seconds(1, ThrottledError("later", retry_after=asked)) <= 4320
