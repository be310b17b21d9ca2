"""`lab.with_flow`: a bundle with other rules or another desk and the same classifier, to back-test."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from mailml.bundle import Bundle, Desk, write
from mailml.flow import Flow, source


def with_flow(
    bundle: Bundle,
    flow: Flow | str,
    path: str | os.PathLike[str],
    *,
    desk: Desk | None = None,
    created: datetime | None = None,
    by: str = "",
    replace: bool = False,
) -> Bundle:
    """Write a bundle with another flow (a Flow, or its TOML text) and, where given, another desk.

    The classifier, its card and what it was trained on stay as they are; nothing is trained. Raises FlowError
    with every fault of the text, BundleError when something is at `path` and `replace` is not given.
    """
    desk = desk or bundle.desk
    rules = source.loads(flow, categories=desk.categories) if isinstance(flow, str) else flow
    told = bundle.manifest
    return write(
        path,
        flow=rules,
        desk=desk,
        model=bundle.model,
        text_model=bundle.text_model,
        card=bundle.card,
        created=created or datetime.now(UTC),
        by=by,
        versions=told.get("versions"),
        training=told.get("training"),
        parameters=told.get("parameters"),
        replace=replace,
    )
