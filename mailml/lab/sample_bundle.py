"""The made-up desk of the sample mailbox, and a bundle for it: something to start from."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailml.bundle import Bundle, Desk
from mailml.bundle import desk as desks
from mailml.flow import Flow, ready
from mailml.lab.export import export
from mailml.lab.frame import frame
from mailml.lab.labels import from_folders
from mailml.lab.queues import folder_categories
from mailml.lab.sample import desk as sample
from mailml.lab.train import Trained, train

if TYPE_CHECKING:
    from mailml.archive import Archive

# Training ends here, so that three months of the sample are left to judge a bundle on.
UNTIL = datetime(2026, 8, 1, tzinfo=UTC)


def sample_desk() -> Desk:
    """The desk of the sample mailbox: Berlin office hours, Berlin holidays, four business hours."""
    return desks.from_mapping(
        {
            "identity": {
                "name": sample.NAME,
                "addresses": [sample.ADDRESS, sample.BILLING_ADDRESS],
                "primary": sample.ADDRESS,
                "domains": [sample.DOMAIN],
                "authserv_ids": [sample.AUTHSERV],
            },
            "calendar": {
                "zone": sample.ZONE.key,
                "week": {"mon-fri": ["08:00-18:00"]},
                "country": "DE",
                "subdiv": "BE",
            },
            "sla": {"target": "4 business hours"},
        }
    )


def sample_bundle(
    archive: Archive,
    path: str | os.PathLike[str],
    *,
    until: datetime | None = UNTIL,
    rules_only: bool = False,
) -> Bundle:
    """A bundle for the sample mailbox: the ready flow, and a classifier that learned where agents left mail.

    Loaded from `path` when it is there; else trained on mail before `until` (all mail for None), which takes
    some seconds, and written. With `rules_only` it has no classifier. Raises NotEnoughData when the archive
    is too small to train on.
    """
    if (Path(path) / "manifest.json").exists():
        return Bundle.load(path)
    flow = ready.load("default")
    trained = None if rules_only else from_where_agents_left_it(archive, flow, until)
    return export(trained, flow, sample_desk(), path, created=datetime.now(UTC), by="sample")


def from_where_agents_left_it(archive: Archive, flow: Flow, until: datetime | None) -> Trained:
    """A classifier trained on mail before `until`, labelled by the queue folders it lies in."""
    rows = frame(archive)
    told = from_folders(rows, folder_categories(list(rows["folder"].unique()), flow))
    known = rows[rows["internaldate"] < until] if until else rows
    return train(known, {label.message: label.label for label in told})
