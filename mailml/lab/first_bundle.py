"""`lab.first_bundle`: something that routes, from nothing but a history and where agents left its mail."""

from __future__ import annotations

import os
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailml.bundle import Bundle, Desk
from mailml.errors import InputError, NotEnoughData
from mailml.flow import ready
from mailml.lab.export import export
from mailml.lab.mailbox import first_desk, is_sample
from mailml.lab.sample_bundle import from_where_agents_left_it, sample_bundle

if TYPE_CHECKING:
    from mailml.archive import Archive

_LEFT = 0.75  # of the history is learned from; the last quarter is left to judge the bundle on


def first_bundle(
    archive: Archive,
    path: str | os.PathLike[str],
    *,
    desk: Desk | None = None,
    rules_only: bool = False,
) -> Bundle:
    """A bundle to start from: the ready flow, and a classifier that learned where agents left mail.

    Loaded from `path` when it is there, else trained on the first three quarters of the history and written.
    `desk` is `lab.first_desk(archive)` unless given. Where the folders cannot teach a classifier a warning
    says why, and the bundle has the rules alone.
    """
    if (Path(path) / "manifest.json").exists():
        return Bundle.load(path)
    if is_sample(archive) and desk is None:
        return sample_bundle(archive, path, rules_only=rules_only)
    flow, trained = ready.load("default"), None
    if not rules_only:
        try:
            trained = from_where_agents_left_it(archive, flow, _until(archive))
        except (InputError, NotEnoughData) as error:
            warnings.warn(f"The bundle has rules only: {error}", stacklevel=2)
    return export(
        trained, flow, desk or first_desk(archive), path, created=datetime.now(UTC), by="first bundle"
    )


def _until(archive: Archive) -> datetime | None:
    came = archive.table(columns=["internaldate"]).column("internaldate").drop_null().to_pylist()
    return sorted(came)[int(_LEFT * len(came))] if came else None
