"""The demo: an embedded mail server with a made-up mailbox, and the real commands run against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailml.demo.story import run as run


def __getattr__(name: str) -> Any:
    """Give `run` without importing the demo's parts before they are needed."""
    if name == "run":
        from mailml.demo.story import run

        return run
    raise AttributeError(name)
