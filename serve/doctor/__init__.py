"""`mailml-serve doctor`: is everything there that the service needs? In order, each failure with its cure."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import Config
from .check import Check
from .domain import domain
from .names import Names
from .own import own_things
from .servers import clocks, mailbox, sending

__all__ = ["Check", "examine"]


def examine(config: Config, *, nameserver: str = "", probe_to: str | None = None) -> Iterator[Check]:
    """Every check, one by one; what cannot be asked because an earlier one failed is left out.

    Changes nothing. With `probe_to` ("" is the corporate address) one mail is sent and waited for.
    """
    yield from own_things(config)
    yield from domain(config, Names(nameserver))
    yield from clocks(config)
    for box in config.mailboxes:
        yield from mailbox(config, box)
    yield from sending(config)
    if probe_to is not None:
        from .probe import probe

        yield from probe(config, probe_to)
