"""`lab.coverage`: what each rule fits, decides, shares with others, disputes, and how often it is right."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailml.lab.covering import Covering, covering
from mailml.lab.displays import CoverageDisplay
from mailml.lab.labels import Labels
from mailml.lab.reaching import reaching
from mailml.lab.report.coverage import coverage_page, coverage_text
from mailml.lab.sides import Side

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.page import Page


@dataclass(frozen=True, eq=False, repr=False)
class Coverage(Covering):
    """The figures of `Covering`, which show themselves."""

    def display(self) -> CoverageDisplay:
        """The picture."""
        return CoverageDisplay.from_coverage(self)

    def page(self) -> Page:
        """Picture and tables as a page."""
        return coverage_page(self, self.display().picture())

    def __str__(self) -> str:
        return coverage_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def coverage(
    bundle: Bundle,
    archive: Archive,
    flow: Side | None = None,
    *,
    truth: Mapping[str, str] | Labels | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> Coverage:
    """What each rule of the bundle's flow, or of another `flow` on it, does on an archive.

    Counted is the mail that reaches the flow; what the table of automated mail files before it is named, not
    counted. `truth` is that of `lab.backtest`: by default where agents left a message. Judged are messages
    that open an interaction, as a back-test judges them. `keep` is a folder for the columns (lab.columns).
    """
    made = covering(reaching(archive, bundle, flow, truth=truth, keep=keep))
    return Coverage(made.rules, made.overlapping, made.conflicting, made.reaching)
