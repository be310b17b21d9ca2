"""How a pull is asked to end before its end."""

from __future__ import annotations


class PullStopped(Exception):  # noqa: N818 - nothing is wrong: somebody asked for it
    """Somebody asked the pull to stop; what had come is kept."""
