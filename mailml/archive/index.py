"""The second pass over what was pulled: facts are parsed and raw parts packed, when first asked for.

Parsing and packing cost more CPU than everything else of a pull together, and no server need wait for them.
The pass goes part by part, so a kill loses at most the part at hand. Facts are kept beside the raw parts and
made again when parsing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mailml.archive import parts
from mailml.archive._arrow import FACTS_VERSION, arrow, facts_schema, raw_schema


def missing(raw: Path, facts: Path) -> list[parts.Part]:
    """The raw parts whose facts are absent, unreadable, or of an older version of the parser."""
    return [part for part in parts.listed(raw) if not fresh(part, facts)]


def fresh(part: parts.Part, facts: Path) -> bool:
    """Whether a raw part's facts are there and of this version."""
    pa = arrow()
    try:
        schema = pa.parquet.read_schema(facts / part.name)
    except (OSError, pa.ArrowException):
        return False
    return bool((schema.metadata or {}).get(b"mailml.facts") == str(FACTS_VERSION).encode())


def build(todo: list[parts.Part], facts: Path, progress: Callable[[int], None] | None = None) -> int:
    """Writes the facts of these parts; `progress` hears the number of messages parsed so far."""
    done = 0
    for part in todo:
        groups = _groups(part)
        counted = []
        for table in groups:
            counted.append(table)
            done += table.num_rows
            if progress is not None:
                progress(done)
        parts.write(facts / part.name, counted, facts_schema())
        pack(part)
    return done


def pack(part: parts.Part) -> None:
    """Rewrites a raw part with zstd, unless it is packed already; the same rows in the same groups."""
    file = parts.opened(part)
    first = file.metadata.row_group(0)
    if first.column(first.num_columns - 1).compression == "UNCOMPRESSED":
        groups = (_group(file, part, number) for number in range(file.num_row_groups))
        # Over its own name by rename: who is reading it goes on reading the old file.
        parts.write(part.path, groups, raw_schema())


def _groups(part: parts.Part) -> Iterator[Any]:
    # Only here: a pull that stores and parses nothing does without the parsers' imports.
    from mailml.archive.facts import facts_table

    for raws in raw_groups(part):
        yield facts_table(raws)


def raw_groups(part: parts.Part) -> Iterator[list[bytes]]:
    """The raw messages of a part, one row group at a time."""
    file = parts.opened(part)
    for number in range(file.num_row_groups):
        yield _group(file, part, number, ["raw"]).column("raw").to_pylist()


def _group(file: Any, part: parts.Part, number: int, columns: list[str] | None = None) -> Any:
    pa = arrow()
    try:
        return file.read_row_group(number, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise parts.damaged(part, error) from error
