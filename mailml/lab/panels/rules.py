"""`lab.panels.rules`: the widget is imported when the panel is opened, not before."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailml.lab.panels.rulebook import RuleBook

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle


def rules(
    bundle: Bundle,
    archive: Archive | None = None,
    path: str | os.PathLike[str] | None = None,
    *,
    headers: Collection[str] = (),
    keep: str | os.PathLike[str] | None = None,
    fresh: bool = False,
) -> Any:
    """A panel to write the rules of a flow while seeing what they would do.

    The rules are those of the flow file at `path` where there is one, else (or with `fresh`) the bundle's;
    they are saved to `path`. With an `archive` each change says at once how many messages fit, which, and
    where agents left them; `headers` are header fields to ask for beside the usual ones, `keep` a folder in
    which the columns are kept for the next time (see lab.columns). The same from code: `panel.book`, or
    `RuleBook(…)`.
    """
    from mailml.lab.columns import columns
    from mailml.lab.panels.rulepanel import RulePanel

    messages = columns(archive, bundle, headers, keep=keep) if archive is not None else None
    there = path is not None and not fresh and Path(path).is_file()
    book = RuleBook(
        path if path is not None and there else bundle.flow,
        messages,
        path=path,
        categories=bundle.desk.categories,
        queues=bundle.flow.queues(),
        templates=bundle.desk.ack.templates,
    )
    return RulePanel(book)
