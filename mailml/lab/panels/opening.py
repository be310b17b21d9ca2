"""`lab.panels.tune` and `lab.panels.errors`: the widgets are imported when a panel is opened, not before."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mailml.lab.labels import Labels
from mailml.lab.panels.mistakes import Mistakes
from mailml.lab.panels.tuning import Minutes, Tuning
from mailml.lab.train import Trained

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle


def tune(trained: Trained, minutes: Minutes | None = None, *, urgent: Collection[str] = frozenset()) -> Any:
    """A panel to set costs and thresholds by keyboard or mouse; every number has its interval.

    `urgent` are SHA-256 hashes of messages that were urgent: missing one of them costs more. The same from
    code: `Tuning(trained, minutes).best().use()`.
    """
    from mailml.lab.panels.thresholds import ThresholdPanel

    return ThresholdPanel(Tuning(trained, minutes or Minutes(), urgent=urgent))


def errors(
    trained: Trained,
    archive: Archive | None = None,
    labels: Labels | str | None = None,
    bundle: Bundle | None = None,
    *,
    by: str = "",
) -> Any:
    """A panel over the confusion matrix: the messages behind a number, why, and a way to correct a label.

    `labels` is where corrections go; with `archive` and `bundle` the rules that were tried are told as well.
    From code: `Mistakes(trained, labels).cell("billing", "technical")`.
    """
    from mailml.lab.panels.errors import ErrorPanel

    store = Labels(labels) if isinstance(labels, str) else labels
    return ErrorPanel(Mistakes(trained, store, archive, bundle, by))
