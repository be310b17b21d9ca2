"""pyarrow, loaded when an archive is touched: production reads none."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mailml.errors import MissingExtraError


@lru_cache(1)
def arrow() -> Any:
    """The module pyarrow with pyarrow.parquet and pyarrow.compute loaded."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            "the archive needs pyarrow", cure="Install the workbench: pip install 'mailml[lab]'"
        ) from error
    return pyarrow


@lru_cache(1)
def raw_schema() -> Any:
    """The columns of a raw part. Flags are one text, "\\Answered \\Seen": no flag has a blank in it."""
    pa = arrow()
    return pa.schema(
        [
            ("account", pa.string()),
            ("folder", pa.string()),
            ("uidvalidity", pa.int64()),
            ("uid", pa.int64()),
            ("internaldate", pa.timestamp("us", "UTC")),
            ("flags", pa.string()),
            ("size", pa.int64()),
            ("sha256", pa.string()),
            ("raw", pa.binary()),
        ]
    )


@lru_cache(1)
def facts_schema() -> Any:
    """The columns of a facts part, in the row order of its raw part."""
    pa = arrow()
    texts, times = pa.list_(pa.string()), pa.list_(pa.timestamp("us", "UTC"))
    return pa.schema(
        [
            ("message_id", pa.string()),
            ("in_reply_to", texts),
            ("references", texts),
            ("subject", pa.string()),
            ("from_addr", pa.string()),
            ("from_name", pa.string()),
            ("to", texts),
            ("cc", texts),
            ("reply_to", texts),
            ("date", pa.timestamp("us", "UTC")),
            ("received", times),
            ("is_reply", pa.bool_()),
            ("attachments", texts),
            ("has_html", pa.bool_()),
            ("own", pa.string()),
            ("defects", texts),
        ],
        metadata={"mailml.facts": str(FACTS_VERSION)},
    )


@lru_cache(1)
def state_schema() -> Any:
    """The columns of a state part (see rows.News)."""
    pa = arrow()
    return pa.schema(
        [
            ("account", pa.string()),
            ("folder", pa.string()),
            ("uidvalidity", pa.int64()),
            ("uid", pa.int64()),
            ("flags", pa.string()),
            ("present", pa.bool_()),
            ("modseq", pa.int64()),
        ]
    )


# Raise it when parsing changes what a column holds: older facts are then made again, the raw parts stay.
FACTS_VERSION = 2
