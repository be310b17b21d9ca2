"""An archive as the flow sees it, in columns: what rules are tried on while they are being written.

One row per message that reaches the flow (what the table of automated mail files away never does), with
everything a rule may ask, the classifier's answer included. Making them costs one reading of the archive;
they can be kept on disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.archive import parts
from mailml.decide import facts_of
from mailml.errors import NotEnoughData
from mailml.lab.folders import queue_of
from mailml.lab.memory import Memory, memory_of
from mailml.verdict import Disposition

if TYPE_CHECKING:
    import polars as pl

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.flow import Facts

# What people ask of headers most; another one that a flow names is added.
HEADERS = (
    "X-Mailer", "Auto-Submitted", "Precedence", "List-Id", "Reply-To", "X-Priority",
    "X-Auto-Response-Suppress",
)  # fmt: skip
_FORMAT = 1  # raise it when a column changes its meaning: columns kept on disk are made again then
OURS = ("sha256", "at", "thread", "opens", "final_queue")


def columns(
    archive: Archive,
    bundle: Bundle,
    headers: Collection[str] = (),
    *,
    keep: str | os.PathLike[str] | None = None,
) -> pl.DataFrame:
    """The columns that `mailml.flow.batch` reads, and ours: sha256, at, thread, opens, final_queue.

    `headers` are header fields to have beside those that are always there and those that the bundle's flow
    asks for. With `keep` they are written to that folder, and read from it where nothing has changed that
    they depend on. Raises NotEnoughData where no message reaches the flow.
    """
    import polars as pl

    names = _headers(bundle, headers)
    path = Path(keep) / f"columns-{_mark(archive, bundle, names)}.parquet" if keep else None
    if path is not None and path.is_file():
        return pl.read_parquet(path)
    made = _made(archive, bundle, names)
    if not made.height:
        raise NotEnoughData("no message of this archive reaches the flow", cure="Pull the Inbox first")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_suffix(".tmp")
        made.write_parquet(whole)
        whole.replace(path)
    return made


def _made(archive: Archive, bundle: Bundle, headers: Collection[str]) -> pl.DataFrame:
    import polars as pl

    from mailml.flow.batch import frame
    from mailml.lab.replay import replayed

    memory = memory_of(archive)
    replay = replayed(archive, bundle)
    rows = replay.rows.to_dict("records")
    seen = [(row, context) for row, context in zip(rows, replay.contexts, strict=True) if context is not None]
    kept: list[dict[Any, Any]] = []
    facts = frame(_facts(archive, memory.bundle(bundle), memory, seen, kept), headers=headers)
    queues = bundle.flow.queues()
    ours = pl.DataFrame(
        {
            "sha256": [one["sha256"] for one in kept],
            "at": [one["at"].to_pydatetime() for one in kept],
            "thread": [one["thread"] for one in kept],
            "opens": [one["opens"] for one in kept],
            "final_queue": [queue_of(one["folder"], queues) for one in kept],
        },
        schema={"sha256": pl.String, "at": pl.Datetime("us", "UTC"), "thread": pl.String, "opens": pl.Boolean,
                "final_queue": pl.String},
    )  # fmt: skip
    return facts.hstack(ours.get_columns())


def _facts(
    archive: Archive, bundle: Bundle, memory: Memory, seen: list[Any], kept: list[dict[Any, Any]]
) -> Iterator[Facts]:
    """The facts of each message that reaches the flow; which ones those were is noted in `kept`."""
    for row, context in seen:
        raw = partial(archive.raw, (row["account"], row["folder"], row["uidvalidity"], row["uid"]))
        known = memory.examine(row["sha256"], raw, bundle, context)
        if known.verdict.disposition is not Disposition.FILE:
            kept.append(row)
            yield facts_of(known, bundle, context)


def _headers(bundle: Bundle, more: Collection[str]) -> tuple[str, ...]:
    asked = [ask.field for rule in bundle.flow.rules for ask in rule.asks()]
    named = [field.removeprefix("header.") for field in asked if field.startswith("header.")]
    known: dict[str, str] = {}
    for name in (*HEADERS, *named, *more):
        known.setdefault(name.lower(), name)
    return tuple(known.values())


def _mark(archive: Archive, bundle: Bundle, headers: Collection[str]) -> str:
    """A name for everything that the columns depend on."""
    held = [*parts.listed(archive.layout.raw), *parts.listed(archive.layout.state)]
    told = [
        _FORMAT,
        [part.name for part in held],
        sorted(bundle.desk.identity.addresses),
        bundle.desk.source,
        bundle.model.id if bundle.model else "",
        bundle.text_model.version if bundle.text_model else "",
        # who was acknowledged depends on the flow, and what a later mail is may depend on that
        bundle.id,
        list(headers),
    ]
    return sha256(json.dumps(told).encode()).hexdigest()[:16]
