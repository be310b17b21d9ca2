"""JSON logs on standard error: one line per event, ids and reasons, never bodies or secrets.

What strangers wrote into a field cannot start a line, colour a terminal or turn text around.
"""

from __future__ import annotations

import logging
import sys

import structlog

from mailml.text.printable import json_text


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
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
