"""JSON logs on standard error: one line per event, ids and reasons, never bodies or secrets.

What strangers wrote into a field cannot start a line, colour a terminal or turn text around.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO

import structlog

from mailml.text.printable import json_text


class _Patient:
    """A stream that loses a line rather than fail: a full log partition must not set mail aside."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand it on if that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure(level: str = "info") -> None:
    """Set up structlog for this process; the library loggers below us stay silent unless they fail."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("event"),
            structlog.processors.JSONRenderer(json_text),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=_Patient(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
