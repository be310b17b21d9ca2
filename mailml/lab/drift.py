"""`lab.drift`: is the mail of these weeks still the mail the classifier was trained for?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mailml.lab.drifted import Drift, compare, past_of
from mailml.lab.report.drift import drift_page

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.feedback import Feedback
    from mailml.lab.labels import Labels
    from mailml.lab.report.page import Page


class DriftReport(Drift):
    """The figures of `Drift`, which show themselves as the page in a notebook."""

    def page(self, *, addresses: bool = False) -> Page:
        """The report as a page: `.write("drift.html")` makes the file. Addresses are masked by default."""
        return drift_page(self, addresses=addresses)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def drift(
    history: Archive | Feedback | pd.DataFrame,
    bundle: Bundle,
    *,
    archive: Archive | None = None,
    labels: Labels | None = None,
    days: int = 28,
    source: str = "",
) -> DriftReport:
    """The mail of the last `days` against the training time of the bundle (the first half, without one).

    `history` is an archive, a feedback file (`lab.feedback.read`), or what `lab.replay` made; bodies come
    from `archive` where `history` is none. Without bodies vocabulary and new topics are left out, and the
    notes say so. With `labels` those newer than the training count as a reason. Raises NotEnoughData when
    fewer than 40 messages of people lie on either side, or none came after the training.
    """
    past = past_of(history, bundle, archive)
    found = compare(replace(past, source=source or past.source), bundle, labels, days)
    return DriftReport(**vars(found))
