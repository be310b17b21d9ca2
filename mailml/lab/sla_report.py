"""`lab.sla_report`: how long customers waited for the first human answer, and which promises were broken."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mailml.lab.report.sla import Simulated, sla_page
from mailml.lab.waits import Waits, measure

if TYPE_CHECKING:
    import pandas as pd

    from mailml.archive import Archive
    from mailml.bundle import Bundle
    from mailml.lab.report.page import Page
    from mailml.sla import Calendar


class SlaReport(Waits):
    """The figures of `Waits`, which show themselves as the page in a notebook."""

    def page(self, *, addresses: bool = False, simulated: Simulated | None = None) -> Page:
        """The report as a page: `.write("sla.html")` makes the file. Addresses are masked by default.

        `simulated` (of `lab.ageing`) adds what other people or priorities would have done.
        """
        return sla_page(self, addresses=addresses, simulated=simulated)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


def sla_report(
    history: Archive | pd.DataFrame,
    bundle: Bundle,
    *,
    calendar: Calendar | None = None,
    target: str = "",
    as_of: datetime | None = None,
    source: str = "",
) -> SlaReport:
    """First human response in business time, from an archive with Inbox, queue folders and Sent.

    `history` is an archive, what `lab.replay` made of it, or the ledger of a feedback file, which `source`
    then names. With `calendar` or `target` the same history is
    measured against another promise (what if?). `as_of` is the end of history, its last message unless given.
    Raises NotEnoughData when no person opened an interaction.
    """
    import pandas as pd

    from mailml.lab.replay import replay

    ledger = history if isinstance(history, pd.DataFrame) else replay(history, bundle)
    made = measure(ledger, bundle, calendar=calendar, target=target, as_of=as_of, source=source)
    return SlaReport(**vars(made))
