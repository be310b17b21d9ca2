"""`lab.backtest`: a candidate bundle over the whole archive, against another one and what agents did.

Both bundles decide every message with the code of production; the truth is where agents finally left the
mail, or what labels say. `BackTest.write` makes `backtest.json`, the verdict for machines, and an HTML page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mailml.lab.comparison import Comparison, compare
from mailml.lab.misroutes import MINUTES_PER_MISROUTE
from mailml.lab.report.backtest import backtest_page
from mailml.lab.report.page import write_whole

if TYPE_CHECKING:
    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.page import Page


class BackTest(Comparison):
    """The figures of `Comparison`, which show themselves in a notebook and write themselves down."""

    def page(self, *, addresses: bool = False) -> Page:
        """The comparison as a page."""
        return backtest_page(self, addresses=addresses)

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write `backtest.json` and `backtest.html` into a folder; returns the HTML file."""
        verdict = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        write_whole(Path(folder) / "backtest.json", verdict)
        return self.page().write(Path(folder) / "backtest.html")

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def backtest(
    candidate: Bundle,
    baseline: Bundle,
    archive: Archive,
    *,
    truth: Mapping[str, str] | None = None,
    fail_if: str = "",
    minutes_each: float = MINUTES_PER_MISROUTE,
    workers: int = 1,
) -> BackTest:
    """Replay both bundles over the archive and compare them with each other and with what agents did.

    `truth` maps a message's SHA-256 to the queue it belonged in; unless given, the folder decides in which
    agents left it. With `fail_if` the verdict carries a `gate` (see mailml.lab.gate). Raises InputError for a
    condition that cannot be read, NotEnoughData for one that cannot be judged.
    """
    from mailml.lab.replay import replay

    before = replay(archive, baseline, workers=workers)
    after = before if candidate.id == baseline.id else replay(archive, candidate, workers=workers)
    return BackTest(**vars(compare(after, before, truth=truth, fail_if=fail_if, minutes_each=minutes_each)))
