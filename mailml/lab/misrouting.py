"""`lab.misrouting`: where the flow sends mail first, and where agents finally left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailml.lab.misroutes import MINUTES_PER_MISROUTE, Misroutes, count
from mailml.lab.report.misrouting import misrouting_page

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.mine import Mined
    from mailml.lab.report.page import Page


class MisroutingReport(Misroutes):
    """The figures of `Misroutes`, which show themselves as the page in a notebook."""

    def page(self, *, addresses: bool = False) -> Page:
        """The report as a page: `.write("misrouting.html")` makes the file."""
        return misrouting_page(self, addresses=addresses)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def misrouting(
    history: Archive | pd.DataFrame,
    bundle: Bundle,
    *,
    minutes_each: float = MINUTES_PER_MISROUTE,
    mined: Mined | None = None,
    source: str = "",
) -> MisroutingReport:
    """First queue (what the bundle decides) against resolving queue (the folder where agents left the mail).

    `history` is an archive, what `lab.replay` made of it with this bundle, or the ledger of a feedback file.
    With `mined` (of `lab.mine`) the first queue is the one the message was really in first, where that was
    seen, and only what agents' doings prove counts. Only mail that opens an interaction counts: replies
    follow their conversation. Mail of the time in which the bundle's classifier was trained is left out where
    enough other mail is there. Raises NotEnoughData when no mail lies in a folder of one of the queues.
    """
    import pandas as pd

    from mailml.lab.replay import replay

    ledger = history if isinstance(history, pd.DataFrame) else replay(history, bundle)
    counted = count(ledger, bundle, minutes_each=minutes_each, mined=mined, source=source)
    return MisroutingReport(**vars(counted))
